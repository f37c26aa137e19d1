"""Geometry of charts that lie in tables: one row per column of the data on one common axis."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.report.wording import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from datalint.report.views import ColumnScale, Scales

WIDTH: Final = 1000
"""Width of a row's own coordinates; it is stretched to its cell."""


@dataclass(frozen=True)
class Axis:
    """Ticks at equal distances from the first pixel to the last: their texts, and where lines are drawn."""

    ticks: tuple[str, ...]
    lines: tuple[float, ...]
    home: float | None
    """Where the mark is from which everything is measured."""


@dataclass(frozen=True)
class ScaleRow:
    """One column: its bar from a deviation of 1, and the whisker up to its largest magnitude; widths in ``WIDTH``."""

    name: str
    start: float
    length: float
    reach: tuple[float, float] | None
    far: bool
    deviation: str
    mean: str
    low: str
    high: str


@dataclass(frozen=True)
class ScaleChart:
    """The scales of one split's columns on one logarithmic axis."""

    split: str
    axis: Axis
    rows: tuple[ScaleRow, ...]
    hidden: int
    spread: str
    """The largest against the smallest deviation, in words."""


def scale_chart(scales: Scales, rows: int) -> ScaleChart | None:
    """At most ``rows`` columns, as they come; None where nothing varies."""
    columns = scales.columns[:rows]
    logs = [math.log10(c.deviation) for c in columns if c.deviation > 0]
    if not logs:
        return None
    tops = [math.log10(_magnitude(c)) for c in columns if c.deviation > 0 and _magnitude(c) > 0]
    axis, low, high = _decades(min(0.0, *logs, *tops), max(0.0, *logs, *tops))

    def at(log: float) -> float:
        return round(WIDTH * (log - low) / (high - low), 1)

    drawn = []
    for column in columns:
        start = length = 0.0
        reach = None
        if column.deviation > 0:
            end = math.log10(column.deviation)
            start, length = at(min(0.0, end)), round(at(max(0.0, end)) - at(min(0.0, end)), 1)
            top = math.log10(_magnitude(column)) if _magnitude(column) > 0 else end
            reach = (at(min(end, top)), at(max(end, top)))
        drawn.append(
            ScaleRow(
                name=column.name,
                start=start,
                length=length,
                reach=reach,
                # Two decades from unit scale: a step that suits a scaled column is off by that factor.
                far=column.deviation > 0 and abs(math.log10(column.deviation)) >= 2,
                deviation=number(column.deviation) if column.deviation > 0 else "constant",
                mean=number(column.mean),
                low=number(column.low),
                high=number(column.high),
            )
        )
    ratio = scales.ratio  # of all columns, of which these are a part
    if ratio is None and len(logs) > 1 and scales.features == len(columns):
        ratio = 10 ** min(max(logs) - min(logs), 300)
    spread = (
        ""
        if ratio is None
        else f"The widest column spreads {number(float(f'{ratio:.3g}'))} times as far as the narrowest."
    )
    return ScaleChart(scales.split, axis, tuple(drawn), max(scales.features - len(drawn), 0), spread)


def _magnitude(column: ColumnScale) -> float:
    return max(abs(column.low), abs(column.high))


def _decades(low: float, high: float) -> tuple[Axis, int, int]:
    """An axis of whole decades with at most six equal steps between ``low`` and ``high``."""
    first, last = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    step = max(1, math.ceil((last - first) / 6))
    # Zero must be a tick.
    first = -step * math.ceil(-first / step)
    last = step * math.ceil(last / step)
    decades = range(first, last + 1, step)
    lines = tuple(round(WIDTH * (d - first) / (last - first), 1) for d in decades)
    return Axis(tuple(_power(d) for d in decades), lines, lines[-first // step]), first, last


def _power(decade: int) -> str:
    if -3 <= decade <= 4:
        return f"{10.0**decade:,.0f}" if decade >= 0 else f"{10.0**decade:.{-decade}f}"
    return f"1e{decade}"


@dataclass(frozen=True)
class Panel:
    """One statistic of a chart of statistics."""

    statistic: str
    axis: Axis


@dataclass(frozen=True)
class PooledChart:
    """Statistics of columns on several sets of rows, side by side: where the marks of one set all lie on the line."""

    wheres: tuple[str, ...]
    panels: tuple[Panel, ...]
    rows: tuple[tuple[str, tuple[tuple[tuple[int, float], ...], ...]], ...]
    """Per column and panel the number of each set of rows and its place."""
    note: str


_STATISTIC: Final = re.compile(r"^(?P<statistic>.+) \((?P<where>[^()]+)\)$")


def pooled_chart(records: Sequence[Mapping[str, JsonValue]], rows: int) -> PooledChart | None:
    """From records of ``column`` and values named like ``mean (train)``; None for any others."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    names = []
    for record in records[:rows]:
        names.append(str(record.get("column")))
        for key, item in record.items():
            found = _STATISTIC.match(key)
            if key == "column":
                continue
            if found is None or isinstance(item, bool) or not isinstance(item, int | float) or not math.isfinite(item):
                return None
            table.setdefault(found["statistic"], {}).setdefault(found["where"], {})[names[-1]] = float(item)
    wheres = list(dict.fromkeys(where for by_where in table.values() for where in by_where))
    if not names or len(set(names)) < len(names) or not 2 <= len(wheres) <= 4:
        return None
    if any(set(v) != set(names) for by_where in table.values() for v in by_where.values()):
        return None
    panels, places = [], []
    for statistic, by_where in table.items():
        axis, low, high = _around(by_where)
        panels.append(Panel(statistic, axis))
        places.append(
            {
                name: tuple(
                    (wheres.index(where), round(WIDTH * (values[name] - low) / (high - low), 1))
                    for where, values in by_where.items()
                )
                for name in names
            }
        )
    drawn = tuple((name, tuple(panel[name] for panel in places)) for name in names)
    first = wheres[0]
    note = f"Marks of one colour that all lie on the line: the scaler was fitted there. Line: what {first!r} has most often."
    return PooledChart(tuple(wheres), tuple(panels), drawn, note)


def _around(by_where: Mapping[str, Mapping[str, float]]) -> tuple[Axis, float, float]:
    """An axis with the middle of the first set's values in its middle."""
    values = sorted(next(iter(by_where.values())).values())
    home = values[len(values) // 2]
    far = max((abs(v - home) for group in by_where.values() for v in group.values()), default=0.0)
    far = far * 1.08 or 1.0
    low, high = home - far, home + far
    ticks = tuple(number(float(f"{v:.2g}")) if abs(v) > 1e-6 * far else "0" for v in (low, home, high))
    return Axis(ticks, (WIDTH / 2,), WIDTH / 2), low, high
