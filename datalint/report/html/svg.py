"""Geometry of the page's pictures; the templates turn it into SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from datalint.core.wording import counted
from datalint.report.html.facts import ClassStrip, NumericStrip
from datalint.report.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEIGHT: Final = 200
"""Height of a strip's own coordinates; its width is one unit per stretch of the data."""

COLOURS: Final = 11
"""Colours for named classes; one more, grey, stands for all other classes."""

_PARTS: Final = 10  # rows of the table that says in words what a strip shows


@dataclass(frozen=True)
class Band:
    """One class of a strip: its colour's number, its share of all samples as text, and its area as an SVG path."""

    name: str
    colour: int
    share: str
    path: Markup


@dataclass(frozen=True)
class StripPicture:
    """The labels of one split in stored order."""

    split: str
    samples: int
    exact: bool
    width: int
    description: str
    bands: tuple[Band, ...] = ()
    line: Markup | None = None
    low: str = ""
    high: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def pictures(strips: Mapping[str, ClassStrip | NumericStrip], bins: int, splits: int) -> list[StripPicture]:
    """At most ``splits`` strips of at most ``bins`` stretches each; one colour stands for one class in all of them."""
    colours = colours_of(strips)
    drawn = []
    for split, strip in list(strips.items())[:splits]:
        if isinstance(strip, ClassStrip):
            picture = _classes(split, strip, bins, colours)
        else:
            picture = _numeric(split, strip, bins)
        if picture is not None:
            drawn.append(picture)
    return drawn


def colours_of(strips: Mapping[str, ClassStrip | NumericStrip]) -> dict[str, int]:
    """The number of the colour of each class that has its own."""
    colours: dict[str, int] = {}
    for strip in strips.values():
        if isinstance(strip, ClassStrip):
            for name in strip.classes:
                if name != "other" and len(colours) < COLOURS:
                    colours.setdefault(name, len(colours))
    return colours


def _classes(split: str, strip: ClassStrip, bins: int, colours: Mapping[str, int]) -> StripPicture | None:
    names = strip.classes[: COLOURS + 1]
    if not names or not strip.bins or any(len(row) != len(strip.classes) for row in strip.bins):
        return None
    rows = _merged([row[: len(names)] for row in strip.bins], bins)
    totals = [sum(row[k] for row in strip.bins) for k in range(len(names))]
    everything = sum(totals)
    if not everything:
        return None
    edges = [_edges(row) for row in rows]
    bands = tuple(
        Band(name, colours.get(name, COLOURS), percent(totals[k] / everything), _band(edges, k))
        for k, name in enumerate(names)
    )
    coarse = _merged([row[: len(names)] for row in strip.bins], _PARTS)
    table = tuple(
        (_part(i, len(coarse)), *(percent(c / sum(row)) if sum(row) else "none" for c in row))
        for i, row in enumerate(coarse)
    )
    most = [names[max(range(len(names)), key=row.__getitem__)] if sum(row) else "none" for row in coarse]
    said = f"The most frequent class in each of {counted(len(coarse), 'part')}, in stored order: {', '.join(most)}."
    return StripPicture(
        split, strip.samples, strip.exact, len(rows), said, bands, columns=("Part of the split", *names), rows=table
    )


def _numeric(split: str, strip: NumericStrip, bins: int) -> StripPicture | None:
    means = _means(strip.means, bins)
    if all(mean is None for mean in means) or strip.high < strip.low:
        return None
    span = (strip.high - strip.low) or 1.0
    path, pen = [], "M"
    for i, mean in enumerate(means):
        if mean is None:
            pen = "M"  # a gap stays a gap
            continue
        y = HEIGHT * (1 - min(max((mean - strip.low) / span, 0.0), 1.0))
        path.append(f"{pen}{i} {y:.0f}h1")
        pen = "L"
    coarse = _means(strip.means, _PARTS)
    values = ["none" if mean is None else number(mean) for mean in coarse]
    low, high = number(strip.low), number(strip.high)
    said = f"The mean in each of {counted(len(coarse), 'part')}, in stored order: {', '.join(values)}."
    rows = tuple((_part(i, len(coarse)), text) for i, text in enumerate(values))
    return StripPicture(
        split,
        strip.samples,
        strip.exact,
        len(means),
        said,
        line=Markup("".join(path)),
        low=low,
        high=high,
        columns=("Part of the split", "Mean"),
        rows=rows,
    )


def _merged(rows: Sequence[Sequence[float]], limit: int) -> list[list[float]]:
    """``rows`` added up to at most ``limit`` of them."""
    groups = _groups(len(rows), limit)
    return [[sum(column) for column in zip(*rows[start:stop], strict=True)] for start, stop in groups]


def _means(means: Sequence[float | None], limit: int) -> list[float | None]:
    merged: list[float | None] = []
    for start, stop in _groups(len(means), limit):
        known = [mean for mean in means[start:stop] if mean is not None]
        merged.append(sum(known) / len(known) if known else None)
    return merged


def _groups(length: int, limit: int) -> list[tuple[int, int]]:
    groups = min(length, limit)
    return [(length * i // groups, length * (i + 1) // groups) for i in range(groups)]


def _edges(row: Sequence[float]) -> list[int]:
    """Heights between the classes of one stretch; whole units keep the page small and the edges sharp."""
    total, reached, edges = sum(row), 0.0, [0]
    for amount in row:
        reached += amount
        edges.append(round(HEIGHT * reached / total) if total else 0)
    return edges


def _band(edges: Sequence[Sequence[int]], k: int) -> Markup:
    """The area of class ``k``: one rectangle for every run of equal stretches."""
    path, i = [], 0
    while i < len(edges):
        top, bottom = edges[i][k], edges[i][k + 1]
        start = i
        while i < len(edges) and (edges[i][k], edges[i][k + 1]) == (top, bottom):
            i += 1
        if bottom > top:
            path.append(f"M{start} {top}h{i - start}v{bottom - top}h-{i - start}z")
    return Markup("".join(path))


def _part(i: int, parts: int) -> str:
    return f"{i + 1} of {parts}"


def legend_note(strips: Sequence[StripPicture]) -> str:
    """What to look for, in one sentence."""
    if any(strip.bands for strip in strips) or not strips:
        return "Solid blocks of colour mean that the samples are sorted; an even mix from left to right is what training needs."
    return "A slope or steps mean that the samples are sorted; an even band from left to right is what training needs."
