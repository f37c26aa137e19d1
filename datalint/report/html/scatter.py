"""Geometry of the scatter of image sizes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.core.wording import are, counted

if TYPE_CHECKING:
    from datalint.report.views import Sizes


@dataclass(frozen=True)
class Point:
    """Images of one size, in pixels of the drawing."""

    x: float
    y: float
    r: float
    mark: str
    title: str


@dataclass(frozen=True)
class Scatter:
    """Width against height."""

    width: int
    height: int
    left: int
    bottom: int
    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    square: tuple[float, float, float, float]
    """Line of equal sides."""
    described: str
    legend: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int


MARKS: Final = {
    "swapped": "the other way round from a more frequent size",
    "tagged": "turned by an EXIF tag",
    "": "other images",
}
_SIDE: Final = (640, 380)
_MARGIN: Final = (64, 30, 14, 44)  # left, top, right, bottom


def scatter(sizes: Sizes, rows: int) -> Scatter | None:
    """None where there is nothing to compare."""
    points = [p for p in sizes.points if p.width > 0 and p.height > 0]
    if len(points) < 2:
        return None
    (wide, high), (left, top, right, bottom) = _SIDE, _MARGIN
    sides = [side for p in points for side in (p.width, p.height)]
    logarithmic = max(sides) > 10 * min(sides)
    xs, x_ticks = _positions([p.width for p in points], left, wide - right, logarithmic)
    ys, y_ticks = _positions([p.height for p in points], high - bottom, top, logarithmic)
    most = max(p.images for p in points)
    drawn = [
        Point(
            round(x, 1),
            round(y, 1),
            round(5 + 9 * math.sqrt(p.images / most), 1),
            p.mark,
            f"{p.width:,} x {p.height:,}: {counted(p.images, 'image')}" + (f", {MARKS[p.mark]}" if p.mark else ""),
        )
        for p, x, y in zip(points, map(xs, (p.width for p in points)), map(ys, (p.height for p in points)), strict=True)
    ]
    order = sorted(range(len(drawn)), key=lambda k: (drawn[k].mark != "", -drawn[k].r))  # marked ones lie on top
    amounts = {mark: sum(p.images for p in points if p.mark == mark) for mark in MARKS}
    by_size: Counter[tuple[int, int]] = Counter()
    for p in points:
        by_size[p.width, p.height] += p.images
    said = [f"{width:,} x {height:,} ({images:,})" for (width, height), images in by_size.most_common(3)]
    marked = [f"{counted(n, 'image')} {are(n)} {MARKS[m]}" for m, n in amounts.items() if m and n]
    listed = points[:rows]
    start = max(min(p.width for p in points), min(p.height for p in points))
    end = min(max(p.width for p in points), max(p.height for p in points))
    return Scatter(
        wide,
        high,
        left,
        bottom,
        tuple(drawn[k] for k in order),
        x_ticks,
        y_ticks,
        (xs(start), ys(start), xs(end), ys(end)) if start < end else (0.0, 0.0, 0.0, 0.0),
        f"{counted(sizes.distinct, 'size')}; most frequent: {'; '.join([', '.join(said), *marked])}.",
        tuple((mark, f"{text} ({amounts[mark]:,})") for mark, text in MARKS.items() if amounts[mark]),
        ("Width", "Height", "Images", "Mark"),
        tuple((f"{p.width:,}", f"{p.height:,}", f"{p.images:,}", MARKS[p.mark] if p.mark else "") for p in listed),
        max(sizes.distinct - len({(p.width, p.height) for p in listed}), 0),
    )


class _Scale:
    def __init__(self, low: float, high: float, start: float, stop: float, logarithmic: bool) -> None:
        self.low, self.span, self.start, self.stop = low, (high - low) or 1.0, start, stop
        self.logarithmic = logarithmic

    def __call__(self, value: float) -> float:
        value = math.log10(value) if self.logarithmic else value
        return round(self.start + (self.stop - self.start) * (value - self.low) / self.span, 1)


def _positions(
    values: list[int], start: float, stop: float, logarithmic: bool
) -> tuple[_Scale, tuple[tuple[float, str], ...]]:
    """From pixels of images to pixels of the drawing, and the ticks."""
    low, high = float(min(values)), float(max(values))
    if logarithmic:
        pad = max(0.06 * math.log10(high / low), 0.03)
        scale = _Scale(math.log10(low) - pad, math.log10(high) + pad, start, stop, True)
        candidates = [base * 10**power for power in range(8) for base in (1, 2, 5)]
    else:
        pad = max(0.06 * (high - low), 0.03 * high, 1.0)
        scale = _Scale(low - pad, high + pad, start, stop, False)
        step = _nice((high - low + 2 * pad) / 5)
        first = math.ceil((low - pad) / step)
        candidates = [k * step for k in range(first, first + 12)]
    shown = [(scale(v), f"{v:,}") for v in candidates if v > 0 and min(start, stop) <= scale(v) <= max(start, stop)]
    return scale, tuple(shown[:: max(1, math.ceil(len(shown) / 7))])


def _nice(step: float) -> int:
    power = 10 ** math.floor(math.log10(max(step, 1.0)))
    return next(int(power * m) for m in (1, 2, 5, 10) if power * m >= max(step, 1.0))
