"""Data frames in memory, read through Arrow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Batch, Dataset, Label, Split, split_order
from datalint.core.dialogues import TURNS
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import printable
from datalint.sources.sounds.columns import recordings_of
from datalint.sources.tables.build import plan_of
from datalint.sources.tables.conversations import NO_LABEL, are_turns, conversation_of, task_of, written_turns
from datalint.sources.tables.convert import TableReader, cells_of
from datalint.sources.tables.labels import ColumnHead, LabelNotFound
from datalint.sources.tables.several_labels import choose_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    import pyarrow as pa

    from datalint.core.dataset import Aspect, Kind
    from datalint.core.roles import HeadKind
    from datalint.sources.tables.convert import TablePlan

HEAD_ROWS = 5_000
ROWS = 65_536


@dataclass(frozen=True)
class FramePartition:
    """Rows of a data frame that was converted to Arrow."""

    table: pa.Table
    plan: TablePlan
    index: Any
    """The frame's index, which is how its owner finds a row; None where it only counts."""
    name: str

    @property
    def split(self) -> str | None:
        """The split of all rows, if they share one."""
        return self.plan.split

    @property
    def files_read(self) -> tuple[str, ...]:
        """None: the data lies in memory."""
        return ()

    @property
    def weight(self) -> int:
        """Nothing has to be read."""
        return 0

    def sample_id(self, line: int) -> str:
        """Name of the frame and the row's index value."""
        if self.index is None:
            return f"{self.name}.iloc[{line}]"
        return f"{self.name}.loc[{_key(self.index[line])!r}]"

    def picture(self, line: int) -> bytes | None:  # noqa: ARG002 - as Partition has it
        """Rows are no pictures."""
        return None

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows, converted batch by batch."""
        reader = TableReader(self.plan, labels_only="table" not in aspects)
        names = set(self.table.column_names)  # a new list each time that it is asked for
        table = self.table.select([name for name in reader.columns if name in names])
        for start in range(0, table.num_rows, ROWS):  # a table may lie in a mapped file: only a part becomes a copy
            for record in table.slice(start, ROWS).combine_chunks().to_batches():
                yield from reader.read(record)


def is_frame(value: Any) -> bool:
    """Whether this is a table: a pandas frame, or what gives its columns to Arrow, such as a polars frame."""
    return hasattr(value, "columns") and (hasattr(value, "iloc") or hasattr(value, "__arrow_c_stream__"))


def frame_dataset(
    parts: Mapping[str, Any],
    label: str | None,
    given: bool = False,
    *,
    declared: str | None = None,
    class_names: Mapping[str, tuple[str, ...]] | None = None,
) -> Dataset:
    """One data set of one or several frames, by split.

    Args:
        parts: frames as :func:`is_frame` knows them.
        label: the label column; recognised if None.
        given: whether the labels came next to the frames and ``label`` is but the name they got.
        declared: why ``label`` is the label, where the frames themselves say so.
        class_names: columns that hold the numbers of classes, and the names of these.

    Raises:
        DatalintError: a frame has no rows, or the label column does not exist.
    """
    tables = {split: arrow_table(frame) for split, frame in parts.items()}
    for split, table in tables.items():
        if table.num_rows == 0 or table.num_columns == 0:
            which = "the data frame" if len(tables) == 1 else f"the data frame of {split}"
            raise DatalintError(f"{which} is empty: {table.num_rows} rows, {table.num_columns} columns")
    first = tables.get("train") or next(iter(tables.values()))
    kinds: dict[str, Kind] = {}
    for table in tables.values():
        for name, kind in zip(table.column_names, table.schema.types, strict=True):
            found = _kind(kind)
            kinds[name] = found if kinds.setdefault(name, found) == found else "text"
    heads = [ColumnHead(name, _shape(kinds[name]), _head(table, name)) for name, table in _first_with(tables, kinds)]
    tests = [table for split, table in tables.items() if split == "test"]
    missing = set(first.column_names).difference(*(table.column_names for table in tests)) if tests else set[str]()
    typed = [
        (name, kind)
        for table in tables.values()
        for name, kind in zip(table.column_names, table.schema.types, strict=True)
    ]
    dtypes = {name: TURNS for name, kind in typed if are_turns(kind)}
    dtypes |= written_turns(heads)
    conversation, candidates = conversation_of(heads, dtypes, label)
    try:
        choice, several = choose_target(candidates, header=True, explicit=label, only_in_train=missing)
    except LabelNotFound as error:
        raise DatalintError(str(error)) from error
    if choice and given:
        choice = replace(choice, evidence="given with the inputs")
    if choice and label and declared:
        choice = replace(choice, evidence=declared)
    named = class_names or {}
    plan = plan_of(
        heads,
        kinds,
        choice,
        several,
        dtypes=dtypes,
        ignored=named,
        conversation=conversation,
        one_split=len(tables) == 1 and class_names is None,
    )
    plan = replace(plan, class_names=named.get(choice.name, ()) if choice else ())
    partitions = [
        FramePartition(tables[split], plan.of_split(split), _index(parts[split]), "df" if split == WHOLE else split)
        for split in sorted(tables, key=split_order)
    ]
    names = dict.fromkeys(plan.split_values.values() if plan.split_column else tables)
    why = f"values of the column {plan.split_column!r}" if plan.split_column else "given"
    return Dataset(
        name="data",
        path="memory",
        layout="data frame" if len(tables) == 1 else "data frames, one per split",
        modality="table",
        evidence=counted(len(kinds), "column") + (f"; {conversation.evidence}" if conversation else ""),
        partitions=partitions,
        splits=tuple(
            Split(split, why, columns=_columns(tables.get(split))) for split in sorted(names, key=split_order)
        ),
        label=None if choice is None else Label(choice.name, choice.evidence, choice.confidence),
        fields=plan.fields,
        skipped_label=NO_LABEL if conversation else "no label column found; name it with label=",
        task="multi-label" if several else task_of(conversation, choice),
        conversation=conversation,
        storage=Storage.MEMORY,
        recordings=recordings_of(heads),
    )


def _columns(table: pa.Table | None) -> tuple[tuple[str, Kind | None], ...]:
    """The columns of one split's own frame."""
    if table is None:
        return ()
    return tuple(
        (name, None if column.null_count == len(column) else _kind(column.type))
        for name, column in zip(table.column_names, table.columns, strict=True)
    )


def _first_with(tables: Mapping[str, pa.Table], names: Mapping[str, Any]) -> Iterator[tuple[str, pa.Table]]:
    order = [(tables[split], set(tables[split].column_names)) for split in sorted(tables, key=split_order)]
    for name in names:
        yield name, next(table for table, own in order if name in own)


def _key(value: Any) -> Any:
    """An index value as people type it."""
    if isinstance(value, tuple):
        return tuple(map(_key, value))
    return value.item() if isinstance(value, np.generic) else value


def _index(frame: Any) -> Any:
    """What finds a row in its owner's frame; None where the position does."""
    index = getattr(frame, "index", None)
    if index is None or callable(index) or not index.is_unique:
        return None
    counts = index.dtype.kind in "iu" and bool((np.asarray(index) == np.arange(len(index))).all())
    return None if counts else index


def arrow_table(frame: Any) -> pa.Table:
    """The frame as an Arrow table with unique names; what no rule can judge (lists, bytes, objects) becomes text."""
    import pyarrow as pa

    if hasattr(frame, "iloc"):
        names, columns = list(frame.columns), [_column(frame.iloc[:, j]) for j in range(frame.shape[1])]
    else:
        table = pa.table(frame)
        names, columns = table.column_names, list(map(_judged, table.columns))
    named: dict[str, Any] = {}
    for position, (raw, column) in enumerate(zip(names, columns, strict=True)):
        name = printable(str(raw))
        named[name if name not in named else f"{name}.{position}"] = column
    return pa.table(named)


def _column(series: pd.Series[Any]) -> pa.Array:
    import pandas as pd
    import pyarrow as pa

    try:
        column = pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # Objects of several types, texts that are not Unicode, numbers beyond 64 bits.
        missing = pd.isna(series).to_numpy()
        texts = [None if gone else text_of(value) for value, gone in zip(series, missing, strict=True)]
        return pa.array(texts, pa.string())
    return _judged(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)


def _judged(column: Any) -> Any:
    import pyarrow as pa

    from datalint.sources.tables.kinds import arrow_kind

    if not isinstance(column.type, pa.BaseExtensionType) and arrow_kind(column.type)[0] != "other":
        # A view cannot be taken by rows, and polars has no other texts.
        if pa.types.is_string_view(column.type):
            return column.cast(pa.large_string())
        if pa.types.is_dictionary(column.type) and pa.types.is_string_view(column.type.value_type):
            return pa.array(column.to_pylist(), pa.large_string())
        return column
    return pa.array([None if value is None else text_of(value) for value in column.to_pylist()], pa.string())


def text_of(value: Any) -> str:
    """An object as text, whatever it is."""
    try:
        return printable(str(value))
    except Exception:  # its class decides what it raises
        return f"<{type(value).__name__}>"


def _kind(kind: Any) -> Kind:
    from datalint.sources.tables.kinds import arrow_kind

    return arrow_kind(kind)[0]


def _shape(kind: Kind) -> HeadKind:
    return "number" if kind == "number" else "time" if kind == "time" else "text"


def _head(table: pa.Table, name: str) -> list[object]:
    import pyarrow as pa

    rows = table.num_rows
    step = max(1, rows // HEAD_ROWS)
    return cells_of(table.column(name).take(pa.array(range(0, rows, step), pa.int64())).combine_chunks())
