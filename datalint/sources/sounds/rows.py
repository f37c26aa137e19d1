"""Recordings in a column of a table, as the bytes of their files: what data sets of the Hugging Face hub are stored as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Batch
from datalint.core.terms import Storage
from datalint.sources.sounds.columns import recordings_of
from datalint.sources.sounds.files import spectrogram
from datalint.sources.sounds.listed import sounding
from datalint.sources.tables.convert import TableReader
from datalint.sources.tables.rows_with import RowsWith

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.dataset import Aspect, Dataset
    from datalint.core.problem import Problem
    from datalint.sources.tables.format import TableFile


@dataclass(frozen=True)
class SoundRows(RowsWith):
    """Some rows with the recordings in one of their columns."""

    def shown(self, row: Mapping[str, Any], line: int) -> bytes | None:  # noqa: ARG002 - as RowsWith has it
        """The spectrogram."""
        data = _held(row[self.column]).get("bytes")
        return None if data is None else spectrogram(data)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows as samples with their recordings."""
        plan = replace(self.rows.plan, unseen=tuple(name for name in self.rows.plan.unseen if name != self.column))
        reader = TableReader(plan, labels_only="table" not in aspects)
        problems: list[Problem] = []
        heard = [self.column] if aspects & {"header", "pixels"} else []
        start = 0
        for record in self.rows.records([*reader.columns, *heard], problems, "wanted"):
            sounds = record.column(record.schema.get_field_index(self.column)) if heard else None

            def stored(line: int, sounds: Any = sounds, start: int = start) -> tuple[bytes | None, str]:
                item = _held(sounds[line - start].as_py())
                return item.get("bytes"), f"{self.sample_id(line)}{_suffix_of(item)}"

            for batch in reader.read(record):
                yield from sounding(batch, aspects, stored)
            start += record.num_rows
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)


def _held(item: Any) -> dict[str, Any]:
    """The bytes of a recording and its path: shards hold no more than the bytes."""
    return {"bytes": item} if isinstance(item, bytes) else item or {}


def _suffix_of(item: dict[str, Any]) -> str:
    path = item.get("path") or ""
    return path[path.rfind(".") :] if "." in path.rpartition("/")[2] else ""


def sounded(dataset: Dataset, members: Sequence[TableFile]) -> Dataset:
    """The data set as one of recordings, if all of its tables hold some in the same column."""
    column = next((name for name in members[0].sounds if all(name in member.sounds for member in members)), None)
    if column is None:
        return dataset
    moot = f"column {column!r} holds "
    kind, _, how = dataset.layout.partition(",")
    heads = members[0].columns
    return replace(
        dataset,
        layout=f"{kind} of recordings{f',{how}' if how else ''}",
        modality="audio",
        evidence=f"{dataset.evidence}; recordings in the column {column!r}",
        partitions=[SoundRows(rows, column) for rows in dataset.partitions],  # type: ignore[arg-type]
        fields=tuple(field for field in dataset.fields if field.name != column),
        problems=[problem for problem in dataset.problems if not problem.message.startswith(moot)],
        storage=Storage.OTHER,
        conversation=None,
        recordings=recordings_of(heads, column),
    )
