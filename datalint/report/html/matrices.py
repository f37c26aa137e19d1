"""Tables with shaded cells: how the splits overlap, and which labels are mistaken for which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.report.wording import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from datalint.report.views import Overlap

LEVELS: Final = 5
"""Shades of a matrix' cells above the empty one."""

CLASSES: Final = 12
"""Classes of a confusion matrix; more would not fit a page."""


@dataclass(frozen=True)
class Cell:
    """One cell of a matrix; ``shade`` 0 is empty, and -1 marks the diagonal."""

    text: str
    note: str
    shade: int


@dataclass(frozen=True)
class Matrix:
    """A table with shaded cells."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    note: str


def overlap_matrix(overlap: Overlap) -> Matrix | None:
    """Which samples of a split are also in another; None where the record does not fit together."""
    size = len(overlap.splits)
    if size < 2 or len(overlap.samples) != size or [len(row) for row in overlap.shared] != [size] * size:
        return None
    about = "" if overlap.exact else "about "
    rows = []
    for i, (name, samples) in enumerate(zip(overlap.splits, overlap.samples, strict=True)):
        cells = []
        for j, shared in enumerate(overlap.shared[i]):
            share = shared / samples if samples else 0.0
            cells.append(
                Cell(
                    f"{about if shared else ''}{shared:,}",
                    percent(share) if shared else "",
                    -1 if i == j else _shade(math.sqrt(min(share, 1.0))),
                )
            )
        rows.append((name, tuple(cells)))
    return Matrix(
        "Samples of the row's split that the column's split holds as well",
        "Split",
        tuple(f"also in {name}" for name in overlap.splits),
        tuple(rows),
        "Off the diagonal everything should be 0: what a model has seen in training is no test. On the diagonal: duplicates "
        "within the split, beyond the first of each.",
    )


def _shade(share: float) -> int:
    return 0 if share <= 0 else min(LEVELS, 1 + int(share * LEVELS))


def confusion(records: Sequence[Mapping[str, JsonValue]], limit: int) -> Matrix | None:
    """Given against suggested labels for at most ``limit`` classes, from records of ``given``, ``suggested``, ``samples``."""
    amounts: dict[tuple[str, str], int] = {}
    for record in records:
        given, suggested, samples = record.get("given"), record.get("suggested"), record.get("samples")
        if set(record) != {"given", "suggested", "samples"} or not isinstance(samples, int) or samples < 0:
            return None
        key = str(given), str(suggested)
        amounts[key] = amounts.get(key, 0) + samples
    weight: dict[str, int] = {}
    for pair, samples in amounts.items():
        for name in pair:
            weight[name] = weight.get(name, 0) + samples
    largest = max(amounts.values(), default=0)
    if not largest:
        return None
    names = sorted(sorted(weight, key=lambda name: (-weight[name], name))[: min(limit, CLASSES)], key=_class_order)
    rows = []
    for given in names:
        cells = []
        for suggested in names:
            samples = amounts.get((given, suggested), 0)
            shade = -1 if given == suggested and not samples else _shade(samples / largest)
            cells.append(Cell(f"{samples:,}" if samples else "", "", shade))
        rows.append((given, tuple(cells)))
    shown = sum(amounts.get((a, b), 0) for a in names for b in names)
    total = sum(amounts.values())
    note = f"The {len(names)} classes most involved: {shown:,} of {total:,} samples." if shown < total else ""
    return Matrix("Given and suggested labels", "Given", tuple(f"→ {name}" for name in names), tuple(rows), note)


def _class_order(name: str) -> tuple[int, float, str]:
    try:
        value = float(name)
    except ValueError:
        value = math.nan
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)
