"""Medical volumes (NIfTI): with a mask each (``imagesTr`` and ``labelsTr``, ``case_flair`` and ``case_seg``), in class folders, or loose."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from datalint.core import vocabulary
from datalint.core.annotations import Annotations, Gap
from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.core.project import install
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import printable, shared
from datalint.sources.folder import strays
from datalint.sources.images.files import image_partitions
from datalint.sources.images.volumes import VolumePartition
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import CLASSLESS, arranged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SUFFIX = ".nii"
OTHERS = (".nrrd", ".mha", ".mhd", ".mgz")
"""Volumes that are not read."""

LARGEST = 16 << 20
"""Bytes of a list that is read."""

PARTS = {"tr": "train", "ts": "test", "va": "validation"}
_MASKS = re.compile(
    r"(labels?|masks?|segs?|segmentations?|annotations?|gt|ground[-_ ]?truths?)[-_ ]?(tr|ts|va|train\w*|val\w*|test\w*)?",
    re.IGNORECASE,
)
_MASK = re.compile(r"(?<=.)[-_.](seg|segmentation|mask|label|labels|gt)$", re.IGNORECASE)
_PART = re.compile(r"(tr|ts|va|train\w*|val\w*|test\w*)$", re.IGNORECASE)
_CHANNEL = re.compile(r"_\d{4}$")
"""Number of the kind of picture, as nnU-Net names them."""

_SUBJECT = re.compile(r"(sub|subj|subject|patient|pat|case|ses|session|scan|id|.*_)[-_ ]?\d\w*", re.IGNORECASE)
"""Folders of one person or visit."""

_KINDS = re.compile(r"anat|func|dwi|fmap|perf|images?|scans?|volumes?|data|niftis?", re.IGNORECASE)
"""Folders of one kind of picture."""

FEWEST_OF_CLASS = 3


class Volumes(Layout):
    """Files of NIfTI and the ``dataset.json`` that may list them (Medical Segmentation Decathlon, nnU-Net, MONAI)."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The volumes, which are one data set where some of them are masks of others."""
        left = folder.left
        volumes = [entry for entry in left if entry.suffix == SUFFIX]
        others = [entry for entry in left if entry.suffix in OTHERS]
        lists = [entry for entry in left if entry.suffix == ".json" and 0 < entry.size <= LARGEST]
        listed = next(
            (one for e in lists if (one := folder.once(("volumes", e.parts), lambda e=e: _listed(e))) is not None),  # type: ignore[misc]
            None,
        ) if volumes or others else None  # fmt: skip
        own = [listed.entry] if listed else []
        if volumes and importlib.util.find_spec("nibabel") is None:
            text = f"{counted(len(volumes), 'volume')} of NIfTI: {install('nifti')} reads them"
            folder.unread[volumes[0].parts] = Problem("not-scanned", volumes[0].shown, text)
            yield Claim([*volumes, *own], Basis.STRUCTURE, text, None, [*volumes, *own])
        elif volumes:
            yield from folder.once(("volumes", len(volumes)), lambda: [*_claims(folder, volumes, listed)])
        elif others and listed:
            text = f"lists {counted(len(listed.names), 'volume')} of another format than NIfTI, which are not read: MONAI reads them"
            folder.unread[listed.entry.parts] = Problem("not-scanned", listed.entry.shown, text)
            yield Claim([*own, *others], Basis.STRUCTURE, text, None, [*own, *others])

    def datasets(self, claim: Claim) -> list[Dataset]:
        """One, or none where the reader is not installed."""
        return [] if claim.content is None else [claim.content]


@dataclass(frozen=True)
class _Listed:
    """A ``dataset.json``."""

    entry: Entry
    names: Sequence[str]
    """Volumes of it and their masks, from the folder that holds it."""
    values: tuple[int, ...] = ()
    """Those that masks may have, as far as it says."""


def _listed(entry: Entry) -> _Listed | None:
    """What a list of a Decathlon task names; None where the file is something else."""
    try:
        held: Any = json.loads(entry.path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    names: list[str] = []
    for key in ("training", "validation", "test"):
        inside = held.get(key)
        for item in inside if isinstance(inside, list) else []:
            said = [item.get("image"), item.get("label")] if isinstance(item, dict) else [item]
            several = [name for one in said for name in (one if isinstance(one, list) else [one])]
            names += [name for name in several if isinstance(name, str)]
    ends = (SUFFIX, f"{SUFFIX}.gz", *OTHERS)
    hits = sum(name.lower().endswith(ends) for name in names)
    declared = "labels" in held and str(held.get("file_ending", "")).lower() in ends
    if not declared and 2 * hits <= len(names):
        return None
    return _Listed(entry, names, _values(held.get("labels")))


def _values(labels: Any) -> tuple[int, ...]:
    """The values of masks: numbers by name, also several for one, or names by number."""
    if not isinstance(labels, dict):
        return ()
    by_number = all(str(key).isdigit() for key in labels)
    held = [*labels] if by_number else [*labels.values()]
    several = [one for value in held for one in (value if isinstance(value, list) else [value])]
    numbers = [int(one) for one in several if str(one).isdigit()]
    return tuple(sorted({0, *numbers})) if len(numbers) == len(several) else ()


def _stem(name: str) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", name, flags=re.IGNORECASE)


def _part(name: str) -> str:
    """Which part a folder's name ends in."""
    found = _PART.search(name)
    return found[1].lower() if found else ""


@dataclass
class _Paired:
    """Volumes with the masks of some, and masks of none."""

    mask_of: dict[tuple[str, ...], Entry] = field(default_factory=dict)
    masks: set[tuple[str, ...]] = field(default_factory=set)
    channels: bool = False
    """Whether names end in the number of a channel, which those of masks do not have."""
    orphans: list[Entry] = field(default_factory=list)


def _paired(volumes: Sequence[Entry]) -> _Paired:
    """Which of the volumes are masks, by the names of folders or files, and of which others."""
    keys: dict[tuple[object, ...], Entry] = {}
    found = _Paired()
    for entry in volumes:
        stem = _stem(entry.name)
        level = next((k for k, part in enumerate(entry.folder) if _MASKS.fullmatch(part)), None)
        if level is not None:
            part = _part(entry.folder[level])
            key: tuple[object, ...] = (*entry.folder[:level], part, *entry.folder[level + 1 :], _MASK.sub("", stem))
        elif _MASK.search(stem):
            key = (*entry.folder, None, _MASK.sub("", stem))
        else:
            continue
        keys[key] = entry
        found.masks.add(entry.parts)
    used: set[tuple[str, ...]] = set()
    for entry in volumes:
        if entry.parts in found.masks:
            continue
        mask = next((keys[key] for key in _keys(entry) if key in keys), None)
        if mask is not None:
            found.mask_of[entry.parts] = mask
            used.add(mask.parts)
            own, name = _stem(entry.name), _MASK.sub("", _stem(mask.name))
            found.channels |= own != name and _CHANNEL.sub("", own) == name
    found.orphans = [entry for entry in volumes if entry.parts in found.masks - used]
    return found


def _keys(entry: Entry) -> Iterator[tuple[object, ...]]:
    """Under what the mask of a volume may be found."""
    own = _stem(entry.name)
    stems = dict.fromkeys(
        [own, _CHANNEL.sub("", own), *(own[: m.start()] for m in re.finditer(r"[-_.]", own) if m.start())]
    )
    for stem in stems:
        yield (*entry.folder, None, stem)
        for k, name in enumerate(entry.folder):
            yield (*entry.folder[:k], _part(name), *entry.folder[k + 1 :], stem)


def _claims(folder: Folder, volumes: Sequence[Entry], listed: _Listed | None) -> Iterator[Claim]:
    paired = _paired(volumes)
    shown = [entry for entry in volumes if entry.parts not in paired.masks]
    if shown and paired.mask_of and 2 * len(paired.mask_of) >= sum(map(_may_have_mask, shown)):
        yield _segmentation(folder, shown, paired, listed)
        return
    # Names alone make no masks of volumes that there are no others for.
    shown = shown or [*volumes]
    extra = [entry for entry in volumes if entry.parts in paired.masks and entry not in shown]
    yield _plain(folder, shown, extra, listed)


def _may_have_mask(entry: Entry) -> bool:
    """Masks of test volumes are often held back."""
    return _split(entry) not in {"test", "validation"}


def _split(entry: Entry) -> str | None:
    for part in entry.folder:
        end = re.fullmatch(r"(?:images?|labels?)[-_]?(tr|ts|va)", part, re.IGNORECASE)
        split = PARTS[end[1].lower()] if end else vocabulary.split_of(part)
        if split is not None:
            return split
    return None


def _home(entries: Sequence[Entry]) -> tuple[str, ...]:
    places = [entry.folder for entry in entries]
    first, last = min(places), max(places)  # what these share, all between them do
    home = first[: shared(first, last)]
    while home and (_MASKS.fullmatch(home[-1]) or re.fullmatch(r"images?[-_]?(tr|ts|va)?", home[-1], re.IGNORECASE)):
        home = home[:-1]
    return home


def _cases(shown: Sequence[Entry], paired: _Paired) -> dict[tuple[str, ...], list[Entry]]:
    """The volumes of each case, by the first of them: those of one mask, such as several channels."""
    cases: dict[tuple[object, ...], list[Entry]] = {}
    for entry in sorted(shown, key=lambda entry: entry.parts):
        mask = paired.mask_of.get(entry.parts)
        stem = _CHANNEL.sub("", _stem(entry.name)) if paired.channels else entry.name
        cases.setdefault(("mask", *mask.parts) if mask else (*entry.folder, stem), []).append(entry)
    return {entries[0].parts: entries for entries in cases.values()}


def _segmentation(folder: Folder, every: Sequence[Entry], paired: _Paired, listed: _Listed | None) -> Claim:
    cases = _cases(every, paired)
    shown = [entries[0] for entries in cases.values()]
    found = {entry.parts: _split(entry) for entry in shown}
    named = {split for split in found.values() if split}
    sure = "train" in named or len(named) > 1
    by_split: dict[str, list[Entry]] = {}
    for entry in sorted(shown, key=lambda entry: entry.parts):
        by_split.setdefault((found[entry.parts] or WHOLE) if sure else WHOLE, []).append(entry)
    splits = sorted(by_split, key=split_order)
    home = _home([*shown, *([listed.entry] if listed else [])])
    partitions = [part for split in splits for part in _with_masks(split, by_split[split], paired, cases, listed)]
    gaps = [Gap("orphan", splits[0], mask.shown, "a mask whose volume is not there") for mask in paired.orphans]
    masks = {mask.parts for mask in paired.mask_of.values()}
    note = f", listed in {listed.entry.name!r}" if listed else ""
    dataset = Dataset(
        name=folder.name(home),
        path=folder.path(home),
        layout="volumes with masks",
        modality="images",
        evidence=f"{counted(len(every), 'file')} of NIfTI, {counted(len(masks), 'mask')}{note}; each sample is shown by a slice of its middle",
        partitions=partitions,
        splits=tuple(Split(s, "names of folders" if s != WHOLE else "not split") for s in splits),
        label=None,
        problems=_absent(folder, listed),
        skipped_label="each volume has a mask, and no label of its own",
        storage=Storage.VOLUMES,
        task="segmentation",
        annotations=Annotations((), tuple(gaps), {split: len(by_split[split]) for split in splits}, {}),
    )
    files = [*every, *(e for e in folder.left if e.parts in paired.masks), *([listed.entry] if listed else [])]
    return Claim(files, Basis.STRUCTURE, dataset.evidence, dataset)


def _absent(folder: Folder, listed: _Listed | None) -> list[Problem]:
    """What a list names and is not there."""
    if listed is None:
        return []
    home = listed.entry.folder
    there = {entry.parts for entry in folder.entries}
    lost = []
    for name in listed.names:
        path = tuple(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})
        if (*home, *path) not in there:
            lost.append(name)
    if not lost or len(lost) == len(listed.names):
        return []  # names from another place
    text = f"lists {counted(len(lost), 'volume')} that {'is' if len(lost) == 1 else 'are'} not there, such as {printable(lost[0])!r}"
    return [Problem("absent", listed.entry.shown, text)]


def _with_masks(
    split: str,
    entries: list[Entry],
    paired: _Paired,
    cases: Mapping[tuple[str, ...], Sequence[Entry]],
    listed: _Listed | None,
) -> list[VolumePartition]:
    masks = {_path(entry): paired.mask_of.get(entry.parts) for entry in entries}
    others = {_path(entry): tuple(map(_path, cases[entry.parts][1:])) for entry in entries}
    found = []
    for part in _partitions(split, entries, None):
        own = [masks[name] for name in part.files]
        further = tuple(others[name] for name in part.files) if any(others.values()) else ()
        names = tuple("" if mask is None else _path(mask) for mask in own)
        weight = part.weight + sum(mask.size for mask in own if mask is not None)
        values = listed.values if listed else ()
        found.append(replace(part, weight=weight, masks=names, others=further, declared=values))
    return found


def _partitions(split: str, entries: list[Entry], classes: list[str] | None) -> list[VolumePartition]:
    return [
        VolumePartition(part.base, part.files, part.classes, split, part.weight)
        for part in image_partitions(split, entries, classes, 32)
    ]


def _path(entry: Entry) -> str:
    return entry.where.replace(os.sep, "/")


def _plain(folder: Folder, shown: Sequence[Entry], extra: Sequence[Entry], listed: _Listed | None) -> Claim:
    """Volumes without masks: their folders are classes where these are no persons, visits or kinds of pictures."""
    bare = {
        entry.where: replace(entry, parts=(*(p for p in entry.folder if not _names_one(p)), entry.name))
        for entry in shown
    }
    sets = arranged([*bare.values()], ())
    found = sets[0] if len(sets) == 1 else None
    by_where = {entry.where: entry for entry in shown}
    level = found.class_depth if found else None
    if found and level is not None:
        counts = Counter(e.parts[level] for e in found.entries if found.in_class(e))
        if len(counts) < 2 or min(counts.values()) < FEWEST_OF_CLASS:
            level = None
    by_split = found.by_split if found else {WHOLE: [*bare.values()]}
    why = found.why if found else {WHOLE: "not split"}
    partitions: list[VolumePartition] = []
    names: set[str] = set()
    loose: list[Entry] = []
    for split in sorted(by_split, key=split_order):
        entries = sorted(by_split[split], key=lambda e: e.parts)
        classes = None
        if level is not None:
            loose += [by_where[e.where] for e in entries if len(e.parts) <= level + 1]
            entries = sorted((e for e in entries if len(e.parts) > level + 1), key=lambda e: (e.parts[level], e.parts))
            classes = [printable(e.parts[level]) for e in entries]
            names |= set(classes)
        partitions += _partitions(split, entries, classes)
    home = _home(shown)
    shown_names = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
    kept = {entry.where for entries in by_split.values() for entry in entries}
    strayed = [*loose, *(entry for entry in shown if entry.where not in kept)]
    dataset = Dataset(
        name=folder.name(() if level is not None else home),
        path=folder.path(() if level is not None else home),
        layout="volumes in class folders" if level is not None else "volumes",
        modality="images",
        evidence=f"{counted(len(shown) - len(strayed), 'file')} of NIfTI; each is shown by a slice of its middle",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in sorted(by_split, key=split_order)),
        label=Label("class folder", f"{len(names)} folders: {shown_names}", "high") if level is not None else None,
        problems=[
            *strays(strayed, CLASSLESS),
            *strays(extra, "named as a mask, of no volume that is here"),
            *_absent(folder, listed),
        ],
        by_class=level is not None,
        skipped_label="the volumes lie in no class folders, so there are no labels",
        storage=Storage.VOLUMES,
    )
    files = [*shown, *extra, *([listed.entry] if listed else [])]
    return Claim(files, Basis.STRUCTURE, dataset.evidence, dataset, [*strayed, *extra])


def _names_one(part: str) -> bool:
    return bool(_SUBJECT.fullmatch(part) or _KINDS.fullmatch(part))
