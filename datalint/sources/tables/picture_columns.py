"""Pictures in a column of a table, as the bytes of their files: what data sets of the Hugging Face hub are stored as."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Batch, Problem
from datalint.core.terms import Storage
from datalint.core.wording import are
from datalint.sources.files import printable
from datalint.sources.images import decode as pictures
from datalint.sources.images.files import BATCH, DRAWN_SIDE, Stored, read_pictures
from datalint.sources.tables.convert import TableReader
from datalint.sources.tables.features import features_of
from datalint.sources.tables.rows_with import RowsWith

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from datalint.core.dataset import Aspect, Dataset
    from datalint.sources.tables.drawn_columns import DrawnColumns
    from datalint.sources.tables.format import TableFile

PREFERRED = ("image", "img", "picture", "photo", "pixel_values")
"""Of several columns of pictures the first of these is the input; else the first of the table."""

PEEK = 4
"""Cells of a column that are looked at."""

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"P4", b"P5", b"P6")
"""How files of pictures begin."""

NOT_HELD = "holds the path of a file and no picture: store the pictures themselves in the column"


@dataclass(frozen=True)
class PictureRows(RowsWith):
    """The pictures in one column of some rows."""

    follow: bool = False
    """Whether a path is opened where there are no bytes: of data in memory, whose owner put it there."""
    drawn: DrawnColumns | None = None

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns of what is drawn."""
        return self.drawn.columns if self.drawn else ()

    def shown(self, row: Mapping[str, Any], line: int) -> bytes | None:
        """The picture, small, and what is drawn in it."""
        stored = self._stored(row[self.column], line)
        if stored.missing:
            return None
        try:
            data = pictures.content(stored.path or "") if stored.data is None else stored.data
        except OSError:
            return None
        pen = self.drawn.pen(row) if self.drawn else None
        return pictures.report_picture(data) if pen is None else pictures.report_picture(data, DRAWN_SIDE, pen)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows with their labels; pictures are decoded a hundred at a time."""
        reader = TableReader(self.rows.plan, labels_only=True)
        problems: list[Problem] = []
        aspects = self.drawn.aspects(aspects) if self.drawn else aspects
        shown = bool(aspects & {"header", "pixels"})
        beside = self.drawn.wanted(aspects) if self.drawn else ()
        wanted = [*reader.columns, *beside, *([self.column] if shown else [])]
        columns = list(dict.fromkeys(wanted)) or [self.column]
        start = 0
        for record in self.rows.records(columns, problems, "wanted"):
            for at in range(0, record.num_rows, BATCH):
                some = record.slice(at, BATCH)
                for batch in reader.read(some):
                    if shown:
                        self._look(batch, some, start + at, "pixels" in aspects)
                    if self.drawn and beside:
                        lines = batch.where.tolist()
                        rows = some.select(beside).take([line - start - at for line in lines]).to_pylist()
                        self.drawn.put(batch, rows, [self.sample_id(line) for line in lines], aspects)
                    yield batch
            start += record.num_rows
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)

    def _look(self, batch: Batch, record: Any, start: int, pixels: bool) -> None:
        lines = batch.where.tolist()
        if self.column in record.schema.names:
            column = record.column(record.schema.get_field_index(self.column))
            stored = [self._stored(column[line - start].as_py(), line) for line in lines]
        else:
            stored = [Stored(self.sample_id(line), None, None, "", missing="cannot be read") for line in lines]
        batch.images = read_pictures(stored, batch.start, batch.problems, pixels)

    def _stored(self, item: Any, line: int) -> Stored:
        shown = self.sample_id(line)
        held = item if isinstance(item, dict) else {"bytes": item}
        data, path = held.get("bytes"), held.get("path")
        if data is None and path and self.follow:
            return Stored(shown, None, path, "")
        if data is None:
            return Stored(shown, None, None, "", missing=NOT_HELD if path else "holds no picture")
        return Stored(shown, data, None, os.path.splitext(path)[1].lower() if path else "")  # noqa: PTH122


def picture_columns(schema: Any, head: Callable[[list[str]], Any]) -> tuple[str, ...]:
    """The columns of pictures, the likeliest input first.

    Args:
        schema: of the table.
        head: gives the first rows of some columns as an Arrow record batch, or None.
    """
    features = declared_features(schema.metadata)
    typed = zip(schema.names, schema.types, strict=True)
    maybe = [name for name, kind in typed if _may_hold(kind) and features.get(name, "Image") in {"Image", "Value"}]
    first = head(maybe) if maybe else None
    found = [name for name in maybe if first is not None and name in first.schema.names and _holds(first, name)]
    order = {name: k for k, name in enumerate(PREFERRED)}
    return tuple(sorted(found, key=lambda name: order.get(name.casefold(), len(order))))


def sound_columns(schema: Any, head: Callable[[list[str]], Any]) -> tuple[str, ...]:
    """The columns of recordings, as those of pictures are found."""
    import pyarrow as pa

    features = declared_features(schema.metadata)
    typed = zip(schema.names, schema.types, strict=True)
    maybe = [name for name, kind in typed if pa.types.is_struct(kind) and _may_hold(kind)]
    first = head(maybe) if maybe else None
    held = set() if first is None else set(first.schema.names)
    return tuple(n for n in maybe if n in held and (features.get(n) == "Audio" or _holds(first, n, is_sound)))


def declared_features(metadata: Any) -> dict[str, str]:
    """What each column is, as the metadata of Hugging Face have it: ``Image``, ``Audio``, ``ClassLabel`` ..."""
    return {name: str(one.get("_type", "")) for name, one in features_of(metadata).items() if isinstance(one, dict)}


def _may_hold(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        names = {kind.field(j).name: kind.field(j).type for j in range(kind.num_fields)}
        return names.keys() == {"bytes", "path"} and _is_bytes(names["bytes"])
    return _is_bytes(kind)


def _is_bytes(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds(record: Any, name: str, one: Callable[[bytes], bool] | None = None) -> bool:
    """Whether the first cells hold pictures, or what else one is: most of those that hold anything."""
    cells = record.column(record.schema.get_field_index(name)).slice(0, PEEK).to_pylist()
    held = [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells if cell is not None]
    held = [data for data in held if data]
    return bool(held) and 2 * sum(map(one or is_picture, held)) > len(held)


def is_picture(data: bytes) -> bool:
    """Whether bytes begin as the file of a picture does."""
    return data.startswith(MAGIC) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def is_sound(data: bytes) -> bool:
    """Whether bytes begin as the file of a recording does."""
    return data.startswith((b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3")) or data[8:12] == b"WAVE"


def pictured(dataset: Dataset, members: Sequence[TableFile], asked: bool) -> Dataset:
    """The data set as one of pictures, if all of its tables hold some in the same column.

    Args:
        dataset: of the tables.
        members: these.
        asked: whether the user named the label, which then is judged, whatever is drawn in the pictures.
    """
    column = picture_column(members)
    if column is None:
        return dataset
    first = members[0].drawn
    drawn = (
        first if first and not asked and all(m.drawn and m.drawn.columns == first.columns for m in members) else None
    )
    label = None if drawn else dataset.label
    used = {column, *(drawn.columns if drawn else ()), *([label.name] if label is not None else [])}
    others = [field.name for field in dataset.fields if field.name not in used and (field.role != "label" or drawn)]
    listed = ", ".join(map(printable, others[:6])) + (", ..." if len(others) > 6 else "")
    note = f"; {listed} {are(len(others))} not looked at" if others else ""
    moot = tuple(f"column {name!r} holds " for name in used)
    return replace(
        dataset,
        layout=" of pictures,".join(dataset.layout.split(",", 1))
        if "," in dataset.layout
        else f"{dataset.layout} of pictures",
        modality="images",
        evidence=f"{dataset.evidence}; pictures in the column {column!r}{f', {drawn.evidence}' if drawn else ''}{note}",
        partitions=[PictureRows(_plain(rows) if drawn else rows, column, drawn=drawn) for rows in dataset.partitions],  # type: ignore[arg-type]
        fields=(),
        problems=[problem for problem in dataset.problems if not problem.message.startswith(moot)],
        splits=tuple(replace(split, columns=()) for split in dataset.splits),
        label=label,
        skipped_label=drawn.unlabelled if drawn else dataset.skipped_label,
        storage=Storage.OTHER,
        conversation=None,
        task=drawn.task if drawn else dataset.task if dataset.task == "multi-label" else None,
        annotations=drawn.annotations if drawn else None,
    )


def _plain(rows: Any) -> Any:
    """The rows without a label."""
    return replace(rows, plan=replace(rows.plan, label=None, several=None))


def picture_column(members: Sequence[TableFile]) -> str | None:
    """The column of pictures that all tables have."""
    first = members[0].pictures
    return next((name for name in first if all(name in member.pictures for member in members)), None)
