"""VAL107 identifier-column."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    TextStats,
    are,
    is_amount,
    is_day,
    more_of,
    quoted,
)
from datalint_rules.values._tables import Pool, text_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SMALLEST = 30
"""Rows below which chance makes anything unique."""


class IdentifierColumn(Rule):
    """A key or a row index among the features.

    A number that counts the rows, whole numbers of which none repeats though chance would repeat many, or texts that
    differ in nearly every row and are not sentences. Columns that datalint recognises as keys or indexes by their names
    are excluded from all rules and reported as info, and so are keys next to documents without labels, where models read
    the documents alone.

    ## Why it hurts

    A flexible model learns the samples by heart by their key. Where keys were dealt out in the order of the labels or of
    time they even look predictive, until the first new sample comes.

    ## How to fix it

    Leave the column out of the features; keep it to join and to split by.

    ## When it is wrong

    A count of whole units that never repeats by nature (seconds since the start, exact amounts of money) can look like a
    key. Keys of many digits dealt out at random cannot be distinguished from numbers.

    ## Reference

    37 reasons, item 5. Cleanlab Datalab (identifier column: consecutive whole numbers), Deepchecks (identifier-label
    correlation), ydata (unique). Unlike the last it is silent on continuous numbers, which are unique by nature: it
    compares with the repeats that whole numbers of such a spread would have.
    """

    code = "VAL107"
    name = "identifier-column"
    severity: ClassVar[Severity] = "warning"
    item = "5"
    modalities = frozenset({"table"})
    public = frozenset({"role"})
    measures = (NumberStats, Sample, TextStats)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        repeats: float = Field(15.0, gt=1, description="Expected repeats from which having none is no chance.")
        unique: float = Field(0.95, gt=0.5, le=1, description="Share of distinct texts from which they are keys.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the columns of all splits together."""
        if profile.dataset.conversation is not None:
            raise Skip("a model reads conversations, and no columns next to them", applies=False)
        pool = Pool.of(profile)
        keys = [f for f in profile.dataset.fields if f.role in {"id", "index", "group"} and f.kind != "other"]
        if not keys and pool.size < SMALLEST:
            raise Skip(f"fewer than {SMALLEST} samples")
        told = self._features(profile, pool) if pool.size >= SMALLEST else []
        if told:
            names = [name for name, _ in told]
            texts = "; ".join(f"{name!r} {why}" for name, why in told[:3])
            documents = profile.dataset.label is None and any(f.role == "text" for f in profile.dataset.fields)
            more = f"; and {more_of(len(told) - 3, 'column')}" if len(told) > 3 else ""
            yield Found(
                message=f"{texts}{more}: {'a key rather than a feature' if len(told) == 1 else 'keys rather than features'}",
                consequence="A model can learn the samples by heart by it, and fails on new ones.",
                remedy="Leave it out of the features; keep it to join and to split by.",
                severity="info" if documents else None,
                confidence=0.9,
                column=names[0] if len(names) == 1 else None,
                evidence={"columns": [{"column": name, "why": why} for name, why in told[:100]]},
            )
        if keys:
            names = [f.name for f in keys]
            yield Found(
                message=(
                    f"{quoted(names)} {are(len(names))} left out by datalint as "
                    f"{' or '.join(sorted({'key' if f.role != 'index' else 'row index' for f in keys}))}"
                ),
                consequence="As a feature it would let a model learn the samples by heart.",
                remedy="Leave it out of the features; keep it to join and to split by.",
                severity="info",
                confidence=0.9,
                column=names[0] if len(names) == 1 else None,
                subject="recognised",
                evidence={"columns": [{"column": f.name, "role": f.role} for f in keys[:100]]},
            )

    def _features(self, profile: Profile, pool: Pool) -> list[tuple[str, str]]:
        found = []
        for name in profile.feature_names:
            why = _counts_rows(pool, name) or self._never_repeats(pool.numbers(name))
            if why:
                found.append((name, why))
        for name in text_names(profile):
            why = self._text_key(pool.texts(name))
            if why:
                found.append((name, why))
        return found

    def _never_repeats(self, values: NDArray[np.float64]) -> str | None:
        """Whole numbers that are all different where chance would repeat some."""
        present = values[~np.isnan(values)]
        head = present[:64]
        if len(present) < max(SMALLEST, 0.99 * len(values)) or (head != np.rint(head)).any():
            return None
        if not np.isfinite(present).all() or np.abs(present).max() >= 2**53 or (present != np.rint(present)).any():
            return None
        ordered = np.sort(present)
        if (np.diff(ordered) == 0).any():
            return None
        expected = _expected_repeats(ordered)
        if expected < self.params.repeats:
            return None
        # Numbers of a coarser unit (multiples of 100) repeat more, never less; so this is on the safe side.
        return f"holds {len(present):,} whole numbers without a repeat where chance would give about {expected:,.0f}"

    def _text_key(self, cells: NDArray[np.object_]) -> str | None:
        """Texts that nearly all differ and are no sentences."""
        present = [cell for cell in cells.tolist() if cell is not None]
        if len(present) < max(SMALLEST, 0.5 * len(cells)):
            return None
        distinct = set(present)
        if len(distinct) < self.params.unique * len(present):
            return None
        head = sorted(distinct)[:: max(1, len(distinct) // 500)]
        # Sentences and lists differ by nature; names and keys have few words. Numbers stored as text are VAL106's.
        if sum(len(text.split()) >= 4 or text.count(",") >= 3 for text in head) > 0.2 * len(head):
            return None
        if sum(is_amount(text) or is_day(text) for text in head) > 0.5 * len(head):
            return None
        return f"holds {len(distinct):,} different texts in {len(present):,} samples, such as {head[0][:40]!r}"

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add whole numbers that never repeat, drawn from twice as many; all of 1 to n at full strength."""
        if clean.files:
            return None
        total = sum(len(table) for table in clean.tables.values())
        if total < 150:
            return None
        keys = 1 + rng.choice(round(total * (2 - strength)), total, replace=False)
        tables, start = {}, 0
        for split, table in clean.tables.items():
            tables[split] = table.copy()
            tables[split].insert(1, "reference", keys[start : start + len(table)])
            start += len(table)
        return Planted(Clean(clean.name, tables, clean.label), column="reference")


def _counts_rows(pool: Pool, name: str) -> str | None:
    """Whether a column is a linear function of the position in every split that is long enough."""
    judged = 0
    for split in pool.splits:
        rows = split.rows
        if len(rows) < SMALLEST or name not in rows.at:
            continue
        values, position = rows.column(name), rows.places.row.astype(np.float64)
        span = position[-1] - position[0]
        if not np.isfinite(values).all() or values[0] == values[-1] or span == 0:
            return None
        with np.errstate(over="ignore"):
            step = (values[-1] - values[0]) / span
        if not np.isfinite(step):
            return None
        # A counter misses the line by rounding only; one step of a hundred is far from any chance.
        if (np.abs(values - values[0] - step * (position - position[0])) > 0.01 * abs(step)).any():
            return None
        judged += 1
    return "counts the rows in equal steps" if judged else None


def _expected_repeats(ordered: NDArray[np.float64]) -> float:
    """Pairs of equal values that independent whole numbers of this distribution would have.

    The distribution is taken as flat within cells of equal counts, which underestimates the repeats.
    """
    n = len(ordered)
    size = max(10, n // 50)
    edges = np.append(np.arange(0, n - size + 1, size), n - 1)
    low, high = ordered[edges[:-1]], ordered[edges[1:]]
    counts = np.diff(edges)
    width = np.maximum(high - low, 1.0)
    return float((counts * np.maximum(counts - 1, 0) / 2 / width).sum())
