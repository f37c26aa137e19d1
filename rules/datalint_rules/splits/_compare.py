"""Which splits are compared with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from datalint.author import FILE_NAMES, Dataset, SplitProfile, group_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ASIDE = frozenset({"unlabeled", "unassigned", "trainval"})
"""Splits that are no part of the usual division."""


WHOLE = 0.9
"""Share of the sources of several rows that lie in one split, from which on the splits were drawn by source."""


def units_of(dataset: Dataset, train: SplitProfile, other: SplitProfile) -> NDArray[np.int64] | None:
    """What was drawn when the splits were, if it was not the rows: their sources, such as patients.

    Rows of one patient are similar, so that two sets of patients differ by more than as many rows drawn one by one would.

    Returns:
        The source of each sampled row, those of ``train`` first, -1 where unknown; None where rows were drawn.
    """
    second = np.arange(len(train.rows) + len(other.rows)) >= len(train.rows)
    for key in group_keys(dataset, (train, other)):
        if not key.named and key.name != FILE_NAMES:
            continue
        known = key.codes >= 0
        there = np.bincount(key.codes[known & second], minlength=len(key.values))
        several = key.counts > 1
        if ((there == 0) | (there == key.counts))[several].mean() >= WHOLE:
            return key.codes
    return None


def against_train(splits: Sequence[SplitProfile]) -> tuple[SplitProfile, list[SplitProfile]] | None:
    """The split that models are trained on, which is the first, and the others; None where there are not two."""
    present = [split for split in splits if split.samples and split.name not in ASIDE]
    return (present[0], present[1:]) if len(present) > 1 else None
