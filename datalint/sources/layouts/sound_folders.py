"""Recordings in class folders, in split folders, or loose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Label, Split, split_order
from datalint.core.terms import Storage
from datalint.sources.files import printable
from datalint.sources.folder import strays
from datalint.sources.images.files import image_partitions
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import CLASSES, CLASSLESS, arranged
from datalint.sources.sounds.files import SoundFiles
from datalint.sources.sounds.suffixes import SOUNDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.folder import Folder
    from datalint.sources.layouts.class_folders import Pictures

FEWEST = 5
"""Fewer recordings go with something else."""


class SoundFolders(Layout):
    """Recordings by the names of their folders alone."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every recording that no table lists."""
        for found in arranged([e for e in folder.left if e.suffix in SOUNDS], ()):
            if len(found.entries) >= FEWEST:
                evidence = f"{found.layout} of {len(found.entries):,} recordings"
                yield Claim([*found.entries, *found.strays], Basis.NAMES, evidence, (folder, found), found.left_out)

    def dataset(self, claim: Claim) -> Dataset:
        """The recordings with the names of their folders as classes."""
        return sound_dataset(*claim.content)


def sound_dataset(folder: Folder, found: Pictures) -> Dataset:
    """The recordings as a data set."""
    partitions: list[SoundFiles] = []
    names: set[str] = set()
    level = found.class_depth
    for split in sorted(found.by_split, key=split_order):
        entries = sorted(found.by_split[split], key=lambda e: e.parts)
        classes: list[str] | None = None
        if level is not None and split not in found.unlabelled:
            entries = sorted(filter(found.in_class, entries), key=lambda e: (e.parts[level], e.parts))
            classes = [printable(e.parts[level]) for e in entries]
            names |= set(classes)
        partitions += [
            SoundFiles(p.base, p.files, p.classes, p.split, p.weight) for p in image_partitions(split, entries, classes)
        ]
    label, layout = None, "a folder of recordings" if found.class_depth is None else "recordings"
    if names:
        shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
        label = Label("class folder", f"{len(names)} folders: {shown}", "high")
        layout = f"recordings in {CLASSES}"
    several = len(found.by_split) > 1
    return Dataset(
        name=folder.name(found.parts),
        path=folder.path(found.parts),
        layout=f"{layout} in split folders" if several else layout,
        modality="audio",
        evidence=f"{sum(len(p.files) for p in partitions):,} recordings",
        partitions=partitions,
        splits=tuple(Split(s, found.why[s]) for s in sorted(found.by_split, key=split_order)),
        label=label,
        problems=strays([*found.classless, *found.strays], CLASSLESS if level is not None else found.stray),
        by_class=bool(names),
        skipped_label="the recordings lie in no class folders, so there are no labels",
        storage=Storage.SOUNDS,
    )
