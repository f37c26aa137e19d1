"""The first batches as the page shows them: what each is made of, and its samples as pictures or rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.html.svg import COLOURS
from datalint.report.html.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from datalint.report.html.cards import Album
    from datalint.report.views import FirstBatches, HeadBatch

OPEN_ROWS: Final = 8
"""Rows that lie open; the rest of the batch folds away."""


@dataclass(frozen=True)
class Part:
    """One class of a batch: where its stretch of the bar starts and ends, in percent."""

    name: str
    text: str
    colour: int
    start: float
    width: float


@dataclass(frozen=True)
class Tile:
    """One sample with its picture."""

    source: Markup
    id: str
    label: str


@dataclass(frozen=True)
class BatchPicture:
    """One batch."""

    title: str
    said: str
    single: bool
    """Whether all labels are one."""
    parts: tuple[Part, ...]
    tiles: tuple[Tile, ...]
    rows: Table | None
    more: Table | None
    note: str


@dataclass(frozen=True)
class BatchesPicture:
    """The first batches of one split."""

    split: str
    said: str
    batches: tuple[BatchPicture, ...]


def batches_picture(
    first: FirstBatches, colours: Mapping[str, int], album: Album, label: str, rows: int
) -> BatchesPicture | None:
    """The batches with at most ``rows`` samples each; ``label`` is the name of the label, empty if there is none."""
    made = tuple(
        _batch(k, batch, first, colours, album, label, rows) for k, batch in enumerate(first.batches) if batch.samples
    )
    if not any(batch.parts or batch.tiles or batch.rows for batch in made):
        return None
    said = f"The first samples in stored order ({first.split}), in batches of {first.batch_size:,}: what training sees first if nothing shuffles."
    return BatchesPicture(first.split, said, made)


def _batch(
    number: int,
    batch: HeadBatch,
    first: FirstBatches,
    colours: Mapping[str, int],
    album: Album,
    label: str,
    rows: int,
) -> BatchPicture:
    shown = batch.shown[:rows]
    sources = [(sample, album.source(sample.id)) for sample in shown]
    tiles = tuple(Tile(source, sample.id, _text(sample.label)) for sample, source in sources if source is not None)
    table = None if tiles else _table(batch, first, label, rows)
    missing = f", {batch.missing:,} without a label" if batch.missing and (batch.labels or label) else ""
    size = counted(batch.samples, "sample")
    said = f"{size}{missing}"
    if len(batch.labels) == 1 and sum(batch.labels.values()) == batch.samples:
        said = f"all {size} are {next(iter(batch.labels))}"
    elif batch.labels:
        said = f"{size} of {counted(len(batch.labels), 'class').replace('classs', 'classes')}{missing}"
    return BatchPicture(
        title=f"Batch {number + 1}",
        said=said,
        single=batch.samples > 1 and len(batch.labels) == 1 and batch.missing == 0,
        parts=_parts(batch, colours),
        tiles=tiles,
        rows=None if table is None else _cut(table, 0, OPEN_ROWS),
        more=None if table is None or len(table.rows) <= OPEN_ROWS else _cut(table, OPEN_ROWS, len(table.rows)),
        note=_note(batch, len(tiles) or (len(table.rows) if table else 0), first),
    )


def _note(batch: HeadBatch, shown: int, first: FirstBatches) -> str:
    said = []
    if 0 < shown < batch.samples:
        said.append(f"the first {shown:,} of {batch.samples:,} samples")
    if first.hidden_columns and shown:
        said.append(f"{len(first.columns):,} of {len(first.columns) + first.hidden_columns:,} columns")
    return f"Showing {' and '.join(said)}." if said else ""


def _parts(batch: HeadBatch, colours: Mapping[str, int]) -> tuple[Part, ...]:
    parts, start = [], 0.0
    listed = sum(batch.labels.values())
    # In the colours' order, so that the same classes stand in the same places in both batches.
    names = sorted(batch.labels, key=lambda name: colours.get(name, COLOURS))
    amounts = [(name, batch.labels[name], colours.get(name, COLOURS)) for name in names]
    rest = batch.samples - batch.missing - listed
    if batch.labels and rest > 0:
        amounts.append(("other classes", rest, COLOURS))
    if batch.labels and batch.missing:
        amounts.append(("no label", batch.missing, COLOURS))
    for name, amount, colour in amounts:
        width = 100 * amount / batch.samples
        parts.append(Part(name, f"{amount:,}", colour, round(start, 2), round(width, 2)))
        start += width
    return tuple(parts)


def _table(batch: HeadBatch, first: FirstBatches, label: str, rows: int) -> Table | None:
    shown = batch.shown[:rows]
    if not shown:
        return None
    columns = ("Index", *([label] if label else []), *(first.columns or ("Sample",)))
    cells = tuple(
        (
            str(sample.index),
            *([_text(sample.label)] if label else []),
            *([wording.value("", value) if value is not None else "" for value in sample.values] or [sample.id]),
        )
        for sample in shown
    )
    numbers = [isinstance(sample.label, float) for sample in shown]
    numeric = (
        True,
        *([all(numbers)] if label else []),
        *(
            all(isinstance(s.values[k], int | float | None) for s in shown if k < len(s.values))
            for k in range(len(first.columns))
        ),
        *(() if first.columns else (False,)),
    )
    return Table("Rows", columns, cells, numeric)


def _cut(table: Table, start: int, stop: int) -> Table:
    return Table(table.caption, table.columns, table.rows[start:stop], table.numeric)


def _text(label: str | float | None) -> str:
    return "none" if label is None else label if isinstance(label, str) else wording.number(label)
