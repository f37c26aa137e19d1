"""Which splits are compared with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.splits import SplitProfile

ASIDE = frozenset({"unlabeled", "unassigned", "trainval"})
"""Splits that are no part of the usual division."""


def against_train(splits: Sequence[SplitProfile]) -> tuple[SplitProfile, list[SplitProfile]] | None:
    """The split that models are trained on, which is the first, and the others; None where there are not two."""
    present = [split for split in splits if split.samples and split.name not in ASIDE]
    return (present[0], present[1:]) if len(present) > 1 else None


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in quotes, the first few of them."""
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")
