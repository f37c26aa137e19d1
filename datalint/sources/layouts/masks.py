"""Pictures with masks: ``images/`` next to ``masks/``, ``train`` next to ``trainannot``, ``a.jpg`` next to ``a_mask.png``."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core.annotations import PER_PIXEL, Annotations, Gap
from datalint.core.dataset import Dataset, Problem
from datalint.core.terms import Storage
from datalint.core.wording import counted
from datalint.sources.annotations.masks import MaskedImages
from datalint.sources.images.files import ImagePartition
from datalint.sources.images.masks import PICTURE
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import mask_folders, picture_dataset, pictures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.images.masks import MaskFolder
    from datalint.sources.layouts.class_folders import Pictures

SECOND = re.compile(r"instance|object|colou?r", re.IGNORECASE)
"""Masks that tell single objects, or are for people to look at, where there are others of classes."""


class Masks(Layout):
    """Pictures with masks, which lie in no class folders."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures of which half, in any split, have a mask."""
        groups = [g for g in mask_folders(folder) if not any(e.parts in folder.claimed for e in g.of)]
        taken: set[tuple[str, ...]] = set()
        for found in pictures_of(folder) if groups else []:
            own = {entry.parts for entry in found.entries}
            mine = [g for g in groups if any(p is not None and p.parts in own for p in g.of.values())]
            mine = [g for g in mine if g.place not in taken]
            masks = _chosen(mine, own)
            halves = [2 * sum(e.parts in masks for e in inside) >= len(inside) for inside in found.by_split.values()]
            # Names such as aachen_000_leftImg8bit.png tell kinds of pictures of one scene: the folders are places, no classes.
            scenes = all(PICTURE.search(entry.name.rpartition(".")[0]) for entry in found.entries)
            if (found.class_depth is None or scenes) and masks and any(halves):
                taken |= {group.place for group in mine}
                yield _claim(folder, replace(found, class_depth=None), mine, masks)


def _chosen(groups: Sequence[MaskFolder], own: set[tuple[str, ...]]) -> dict[tuple[str, ...], Entry]:
    """The mask of each picture; of several the one of classes."""
    several: defaultdict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for group in groups:
        for mask, picture in group.of.items():
            if picture is not None and picture.parts in own:
                several[picture.parts].append(mask)
    return {
        parts: min(masks, key=lambda e: (SECOND.search("/".join(e.parts)) is not None, e.parts))
        for parts, masks in several.items()
    }


def _claim(folder: Folder, found: Pictures, groups: Sequence[MaskFolder], masks: dict[tuple[str, ...], Entry]) -> Claim:
    plain = picture_dataset(folder, found)
    by_path = {_path(entry): masks.get(entry.parts) for entry in found.entries}
    partitions = [_masked(part, by_path) for part in plain.partitions if isinstance(part, ImagePartition)]
    split_of = {entry.parts: split for split, inside in found.by_split.items() for entry in inside}
    read = {entry.parts for entry in masks.values()}
    gaps, idle = [], []
    for group in groups:
        splits = Counter(split_of[p.parts] for p in group.of.values() if p is not None and p.parts in split_of)
        split = splits.most_common(1)[0][0]
        lost = [mask for mask, picture in group.of.items() if picture is None]
        gaps += [Gap("orphan", split, mask.shown, "a mask whose picture is not there") for mask in lost]
        idle += [mask for mask, picture in group.of.items() if picture is not None and mask.parts not in read]
    problems = list(plain.problems)
    if idle:
        text = f"{counted(len(idle), 'mask')} of pictures that have another: left out, this the first"
        problems.append(Problem("not-scanned", idle[0].shown, text))
    dataset: Dataset = replace(
        plain,
        layout="pictures with masks",
        evidence=f"{counted(len(found.entries), 'picture')}, {counted(len(masks), 'mask')}",
        partitions=partitions,
        problems=problems,
        skipped_label=PER_PIXEL,
        storage=Storage.OTHER,
        task="segmentation",
        annotations=Annotations((), tuple(gaps), dict(Counter(split_of.values())), {}),
    )
    every = [*found.entries, *found.strays, *(mask for group in groups for mask in group.of)]
    return Claim(every, Basis.NAMES, dataset.evidence, dataset, [*found.left_out, *idle])


def _masked(part: ImagePartition, by_path: dict[str, Entry | None]) -> MaskedImages:
    own = [by_path[name] for name in part.files]
    masks = tuple(_path(mask) if mask is not None else "" for mask in own)
    weight = part.weight + sum(mask.size for mask in own if mask is not None)
    return MaskedImages(part.base, part.files, None, part.split, weight, masks)


def _path(entry: Entry) -> str:
    return entry.where.replace(os.sep, "/")
