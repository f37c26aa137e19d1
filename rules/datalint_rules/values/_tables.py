"""What several rules of table values share: the sampled rows of all splits column by column, and words for columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Cases, NumberStats, Places, Profile, Skip, SplitProfile, TextStats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from pydantic import JsonValue


@dataclass(frozen=True)
class Pool:
    """The sampled rows of some splits, one after the other."""

    splits: Sequence[SplitProfile]

    @classmethod
    def of(cls, profile: Profile) -> Pool:
        """All splits with samples."""
        return cls([split for split in profile.splits if split.samples])

    @cached_property
    def samples(self) -> int:
        """Samples in the splits, sampled or not."""
        return sum(split.samples for split in self.splits)

    @cached_property
    def size(self) -> int:
        """Rows in the pool."""
        return sum(len(split.rows) for split in self.splits)

    @cached_property
    def complete(self) -> bool:
        """Whether the pool holds all samples."""
        return all(split.rows.complete for split in self.splits)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric column, NaN where missing."""
        return np.concatenate([split.rows.column(name) for split in self.splits] or [np.zeros(0)])

    def texts(self, name: str) -> NDArray[np.object_]:
        """A text column, None where missing."""
        parts = [split.rows.texts.get(name, np.full(len(split.rows), None, dtype=object)) for split in self.splits]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=object)

    def labels(self) -> NDArray[np.object_]:
        """Class names, None where there is none."""
        return np.concatenate([split.rows.label for split in self.splits] or [np.zeros(0, dtype=object)])

    def names(self, rows: NDArray[np.int64]) -> dict[str, int]:
        """How many of some rows lie in which split."""
        owner = np.repeat(np.arange(len(self.splits)), [len(split.rows) for split in self.splits])[rows]
        counts = np.bincount(owner, minlength=len(self.splits))
        return {split.name: int(count) for split, count in zip(self.splits, counts, strict=True) if count}

    def cases(self, rows: NDArray[np.int64], details: Mapping[str, Sequence[JsonValue]] | None = None) -> Cases:
        """Some rows by their places."""
        rows = np.asarray(rows, np.int64)
        starts = np.cumsum([0, *(len(split.rows) for split in self.splits)])
        places, owners, order = Places.none(), [], []
        for k, split in enumerate(self.splits):
            mine = np.flatnonzero((rows >= starts[k]) & (rows < starts[k + 1]))
            places = places.then(split.rows.places.take(rows[mine] - starts[k]))
            owners += [split.name] * len(mine)
            order.append(mine)
        back = np.argsort(np.concatenate(order) if order else np.zeros(0, np.int64), kind="stable")
        return Cases([owners[k] for k in back], places.take(back), dict(details or {}))


def text_names(profile: Profile, *roles: str) -> tuple[str, ...]:
    """Text columns of some roles (features unless said otherwise), times left out."""
    wanted = set(roles or ("feature",))
    return tuple(sorted(f.name for f in profile.dataset.fields if f.kind == "text" and f.role in wanted))


def need_tables(profile: Profile, *, texts: bool = True) -> None:
    """Skip where there is no feature to judge."""
    if not profile.feature_names and not (texts and text_names(profile, "feature", "text")):
        raise Skip(
            "the table has no feature column" if texts else "the table has no numeric feature column", applies=False
        )
    if not any(split.samples for split in profile.splits):
        raise Skip("there are no samples")


def training_split(profile: Profile) -> SplitProfile:
    """The split that is trained on: ``train``, or the first with samples."""
    held = [split for split in profile.splits if split.samples]
    return next((split for split in held if split.name == "train"), held[0])


def only_split(shares: Mapping[str, int]) -> str | None:
    """The one split in which something lies; None where it lies in several, or where there is only one split."""
    held = [name for name, count in shares.items() if count]
    return held[0] if len(held) == 1 else None


def tokens_of(split: SplitProfile, name: str) -> dict[str, int]:
    """Texts in a numeric column with their counts."""
    return split[NumberStats].tokens.get(name) or {}


def value_counts(splits: Iterable[SplitProfile], name: str) -> dict[str, int] | None:
    """Rows per distinct value of a text column; None where there are too many."""
    total: dict[str, int] = {}
    for split in splits:
        counts = split[TextStats].values.get(name, {})
        if counts is None:
            return None
        for value, count in counts.items():
            total[value] = total.get(value, 0) + count
    return total


def plain(value: float) -> str:
    """A number without a needless fraction."""
    return f"{int(value):,}".replace(",", "") if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
