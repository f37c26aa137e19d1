"""The columns of a table side by side: what kind they are, how their values lie in each split, and which rules spoke of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.models import listed_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datalint.report.models import Finding
    from datalint.report.views import Column, Columns, ColumnValues

HEIGHT: Final = 24
"""Of a histogram, whose bars are as wide as its cell allows."""


@dataclass(frozen=True)
class Cell:
    """One column in one split."""

    path: str
    """The bars of the histogram; empty where there is none."""
    width: int
    top: tuple[tuple[str, str, float], ...]
    """The most frequent values: text, share, and the length of the bar in percent."""
    said: str
    """``18 to 89, half below 53; 3% gaps``."""


@dataclass(frozen=True)
class ColumnRow:
    """One column."""

    name: str
    kind: str
    flags: tuple[tuple[str, str, str], ...]
    """Severity, code and anchor of the findings about it."""
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class ColumnTable:
    """All of them."""

    splits: tuple[str, ...]
    rows: tuple[ColumnRow, ...]
    hidden: int
    note: str


def says_something(columns: Columns) -> bool:
    """Whether anything can be seen of the values; of one column of long texts nothing can."""
    told = [values for column in columns.columns for values in column.splits if values is not None]
    return len(columns.columns) > 1 or any(values.bins or values.top or values.missing for values in told)


def column_table(columns: Columns, flags: Mapping[str, Sequence[tuple[str, str, str]]], rows: int) -> ColumnTable:
    """At most ``rows`` columns, those that a finding speaks of in any case."""
    spoken = [column for column in columns.columns if column.name in flags]
    quiet = [column for column in columns.columns if column.name not in flags]
    chosen = {column.name for column in [*spoken, *quiet][:rows]}
    shown = [column for column in columns.columns if column.name in chosen]
    note = "" if columns.exact else "Histograms and medians are those of a sample of the rows."
    return ColumnTable(
        splits=columns.splits,
        rows=tuple(_row(column, columns.samples, tuple(flags.get(column.name, ()))[:4]) for column in shown),
        hidden=max(columns.total - len(shown), 0),
        note=note,
    )


def spoken_of(pairs: Iterable[tuple[Finding, str]]) -> dict[str, list[tuple[str, str, str]]]:
    """By column the findings about it, each with its anchor: by their place, or by the columns that their evidence lists."""
    flags: dict[str, list[tuple[str, str, str]]] = {}
    for finding, anchor in pairs:
        names = [finding.column] if finding.column is not None else listed_columns(finding.evidence)
        for name in dict.fromkeys(names):
            flags.setdefault(name, []).append((finding.severity, finding.code, anchor))
    return flags


def _row(column: Column, samples: Sequence[int], flags: tuple[tuple[str, str, str], ...]) -> ColumnRow:
    role = "" if column.role in {"feature", column.kind} else f", {column.role}"
    tallest = max((_peak(values, total) for values, total in zip(column.splits, samples, strict=False)), default=0.0)
    cells = tuple(
        None if values is None else _cell(values, total, tallest)
        for values, total in zip(column.splits, samples, strict=False)
    )
    return ColumnRow(column.name, f"{column.kind}{role}", flags, cells)


def _peak(values: ColumnValues | None, samples: int) -> float:
    """The tallest bar as a share of its split, so that splits of any size can be compared."""
    return max(values.bins) / (sum(values.bins) or 1) if values is not None and values.bins and samples else 0.0


def _cell(values: ColumnValues, samples: int, tallest: float) -> Cell:
    total = sum(values.bins) or 1
    heights = [round(HEIGHT * count / total / tallest, 1) if tallest else 0.0 for count in values.bins]
    path = "".join(
        f"M{k} {HEIGHT}v-{max(height, 0.8):g}h.9v{max(height, 0.8):g}z" for k, height in enumerate(heights) if height
    )
    present = max(samples - values.missing, 1)
    most = max((count for _, count in values.top), default=1)
    top = tuple((text, wording.percent(count / present), round(100 * count / most, 1)) for text, count in values.top)
    said = []
    if values.low is not None and values.high is not None:
        range_ = f"{wording.number(values.low)} to {wording.number(values.high)}"
        said.append(range_ + ("" if values.median is None else f", median {wording.number(values.median)}"))
    if values.distinct is not None:
        said.append(counted(values.distinct, "value"))
    elif values.low is None and values.missing < samples:
        said.append("more values than are counted")
    if values.missing:
        said.append(f"{wording.number(values.missing / max(samples, 1), share=True)} gaps")
    return Cell(path, max(len(values.bins), 1), top, "; ".join(said))
