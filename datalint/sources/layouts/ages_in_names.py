"""Faces whose names tell their age: ``26_1_0_20170116184024662.jpg`` of UTKFace, with gender and ethnicity after it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core.dataset import Label, split_order
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.class_folders import picture_dataset, pictures_of
from datalint.sources.layouts.listed_pictures import listed_partitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.folder import Folder

NAME = re.compile(r"(\d{1,3})_[01]_[0-4]_\d{8,20}\..+")

LEAST, MOST_LIKELY = 20, 0.95
"""Pictures, and the share of them that must be called so: a few names of UTKFace itself lack a part."""


class AgesInNames(Layout):
    """Pictures called by age, gender, ethnicity and time."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures in no class folders of which nearly all are called so."""
        for found in pictures_of(folder):
            ages = {entry.parts: match[1] for entry in found.entries if (match := NAME.fullmatch(entry.name))}
            count = len(found.entries)
            if found.class_depth is not None or count < LEAST or len(ages) < MOST_LIKELY * count:
                continue
            plain = picture_dataset(folder, found)
            splits = sorted(found.by_split, key=split_order)
            rows = {
                split: [(e, ages.get(e.parts, "")) for e in sorted(found.by_split[split], key=lambda e: e.parts)]
                for split in splits
            }
            dataset = replace(
                plain,
                partitions=[part for split in splits for part in listed_partitions(split, rows[split], numeric=True)],
                label=Label("age", "the first number in the names, before gender, ethnicity and time", "high"),
                task="regression",
                by_class=True,
            )
            yield Claim([*found.entries, *found.strays], Basis.STRUCTURE, dataset.evidence, dataset, found.left_out)
