"""Which splits are compared with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datalint.author import FILE_NAMES, Dataset, SplitProfile, codes_of, group_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ASIDE = frozenset({"unlabeled", "unassigned", "trainval"})
"""Splits that are no part of the usual division."""


WHOLE = 0.9
"""Share of the sources of several rows that lie in one split, from which on the splits were drawn by source."""

PASSAGES = 5
"""Texts of several rows in each split that show that texts were drawn: a row may well stand twice."""


def units_of(dataset: Dataset, train: SplitProfile, other: SplitProfile) -> NDArray[np.int64] | None:
    """What was drawn when the splits were, if it was not the rows: their sources, such as patients, or passages asked about.

    Rows of one patient are similar, so that two sets of patients differ by more than as many rows drawn one by one would.

    Returns:
        The source of each sampled row, those of ``train`` first, -1 where unknown; None where rows were drawn.
    """
    second = np.arange(len(train.rows) + len(other.rows)) >= len(train.rows)
    for key in group_keys(dataset, (train, other)):
        if not key.named and key.name != FILE_NAMES:
            continue
        if _undivided(key.codes, second):
            return key.codes
    for field in dataset.fields:
        held = [s.rows.texts[field.name] for s in (train, other) if field.name in s.rows.texts]
        if field.role == "text" and len(held) == 2:
            codes, _ = codes_of(np.concatenate(held))
            if _undivided(codes, second, PASSAGES):
                return codes
    return None


def _undivided(codes: NDArray[np.int64], second: NDArray[np.bool_], least: int = 0) -> bool:
    """Whether sources of several rows, and so many of them in each split, lie in one split for the most part."""
    known = codes >= 0
    counts = np.bincount(codes[known])
    there = np.bincount(codes[known & second], minlength=len(counts))
    several = counts > 1
    sides = (there == 0)[several].sum(), (there == counts)[several].sum()
    return bool(several.any()) and min(sides) >= least and sum(sides) >= WHOLE * several.sum()


def against_train(splits: Sequence[SplitProfile]) -> tuple[SplitProfile, list[SplitProfile]] | None:
    """The split that models are trained on, which is the first, and the others; None where there are not two."""
    present = [split for split in splits if split.samples and split.name not in ASIDE]
    return (present[0], present[1:]) if len(present) > 1 else None
