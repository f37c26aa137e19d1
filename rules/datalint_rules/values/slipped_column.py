"""VAL112 slipped-column."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    plural,
    training,
)
from datalint_rules.values._slips import BLOCK, LEAST, Slip, broken, ranks, slip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FEWEST = BLOCK * (LEAST + 1)
"""Rows of a split that is judged."""

NUMBERS, TEXTS = 200, 6
"""Columns that are compared with each other."""

DIFFERENT = 20
"""Different values of a column that can tell rows apart."""


class SlippedColumn(Rule):
    """Columns whose values stand some rows further on than those of the columns that they go with.

    Numbers that go together in one part of a file, and in another only with the row before or after. Texts that are as
    long or short as their counterparts, such as sentences and their translations, only if these are moved by some rows.

    ## Why it hurts

    Every row from there on is put together of two: nothing can be learnt from it, and no value looks wrong by itself. It
    happens where a line is lost or doubled in one of two files, a cell is deleted in a spreadsheet, or tables are joined by
    position.

    ## How to fix it

    Find the row where it begins, and what was lost or doubled there; join by a key instead of by position.

    ## When it is wrong

    Where a column is meant to hold what another one held some rows before, in a part of the file alone.

    ## Reference

    37 reasons, item 4. facebookresearch/fairseq#4146 (sentences of IWSLT that lie beside the translations of others);
    labels that slipped are LBL107's.
    """

    code = "VAL112"
    name = "slipped-column"
    severity: ClassVar[Severity] = "error"
    item = "4"
    modalities = frozenset({"table"})
    public = frozenset({"lag", "rows", "here", "there"})
    measures = (Sample,)

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.02, ge=0, le=1, description="Share of a split's rows in a slipped part from which it is reported."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split that is sampled whole."""
        splits = [split for split in profile.splits if split.rows.complete and len(split.rows) >= FEWEST]
        if not splits:
            raise Skip(f"no split of {FEWEST} rows or more whose rows are all at hand", applies=False)
        judged = False
        for split in splits:
            order = np.argsort(split.rows.places.row, kind="stable")
            numbers = _numbers(profile, split, order)
            texts = _lengths(profile, split, order)
            judged |= len(numbers) > 1 or len(texts) > 1
            pairs = _slips(numbers, halves=False) + _slips(texts, halves=True)
            pairs = [pair for pair in pairs if pair[2].end - pair[2].start >= self.params.share * len(order)]
            if pairs:
                yield _found(split, order, pairs, set(texts))
        if not judged:
            raise Skip("no two columns that could belong together", applies=False)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move a column down by one to three rows in the last 40 % of the training split, in 80 % at full strength."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        names = [c for c in table.columns if c != clean.label and table[c].dtype.kind in "if"][:NUMBERS]
        names = [c for c in names if table[c].nunique() >= DIFFERENT]
        size = len(table)
        if len(names) < 2 or size < 2 * FEWEST:
            return None
        held = np.column_stack([ranks(table[c].to_numpy(dtype=float)) for c in names])
        close = np.abs(np.corrcoef(held.T)) - np.eye(len(names))
        i, j = (int(k) for k in np.unravel_index(int(close.argmax()), close.shape))
        apart = max(abs(float(np.corrcoef(held[:-lag, k], held[lag:, k])[0, 1])) for k in (i, j) for lag in (1, 2, 3))
        if close[i, j] < 0.9 or apart > 0.2:
            return None
        lag, start = int(rng.integers(1, 4)), BLOCK * round(size / BLOCK * (0.6 - 0.4 * strength))
        values = table[names[i]].to_numpy(copy=True)
        values[start + lag :] = values[start : size - lag].copy()
        table[names[i]] = values
        rows = {split: frozenset(range(start, size))}
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, rows=rows)


def _numbers(profile: Profile, split: SplitProfile, order: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    found = {}
    for name in profile.feature_names[:NUMBERS]:
        values = split.rows.column(name)[order]
        if len(np.unique(values[np.isfinite(values)])) >= DIFFERENT:
            found[name] = ranks(values)
    return found


def _lengths(profile: Profile, split: SplitProfile, order: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """How long the texts of each column are that hold sentences."""
    found: dict[str, NDArray[np.float64]] = {}
    for field in profile.dataset.fields:
        cells = split.rows.texts.get(field.name)
        if cells is None or field.kind != "text" or field.role not in {"text", "feature"} or len(found) == TEXTS:
            continue
        lengths = np.array([np.nan if cell is None else float(len(cell)) for cell in cells.tolist()])[order]
        if len(np.unique(lengths[np.isfinite(lengths)])) >= DIFFERENT:
            found[field.name] = ranks(lengths)
    return found


def _slips(columns: dict[str, NDArray[np.float64]], *, halves: bool) -> list[tuple[str, str, Slip]]:
    """Pairs of columns that slipped; ``halves``: also those that nowhere go together row by row."""
    if len(columns) < 2:
        return []
    names = [*columns]
    pairs = list(combinations(range(len(names)), 2)) if halves else broken(np.column_stack([*columns.values()]))
    found = []
    for i, j in pairs:
        one = slip(columns[names[i]], columns[names[j]])
        if one is not None:
            found.append((names[i], names[j], one))
    return found


def _found(split: SplitProfile, order: NDArray[np.int64], pairs: list[tuple[str, str, Slip]], texts: set[str]) -> Found:
    often = Counter(name for first, second, _ in pairs for name in (first, second))
    # Of two columns nobody knows which one slipped: the second is as good as the first.
    first, second, one = max(pairs, key=lambda pair: (often[pair[0]] + often[pair[1]], pair[2].end - pair[2].start))
    moved, other, lag = (second, first, one.lag) if often[second] >= often[first] else (first, second, -one.lag)
    rows = order[one.start : one.end]
    step = f"{abs(lag)} {plural('row', abs(lag))} {'down' if lag > 0 else 'up'}"
    what = "lengths correlate" if moved in texts else "values correlate"
    return Found(
        message=(
            f"{moved!r} is moved {step} against {other!r} in about {len(rows):,} rows of {split.name}, from about row "
            f"{one.start + 1:,} on: their {what} by {one.there:.2f} with it moved back, and by {one.here:.2f} row by row"
        ),
        consequence="Each of these rows is put together of two, and nothing can be learnt from it.",
        remedy="Find out what was lost or doubled where it begins, and join the columns by a key instead of by position.",
        confidence=0.97,
        split=split.name,
        column=moved,
        evidence={"lag": lag, "rows": len(rows), "here": digits(one.here, 3), "there": digits(one.there, 3)},
        cases=Cases(split.name, split.rows.places.take(rows)),
        count=len(rows),
    )
