"""From Arrow record batches to the blocks that measurements read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core import vocabulary
from datalint.core.dataset import HASHED_ROLES, Batch, Categories, Field, LabelBlock, TableBlock, split_order
from datalint.core.dialogues import TURNS
from datalint.core.hashing import TextHasher, salt_of, scramble, text_hashes
from datalint.core.problem import Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources.tables.buffers import nulls, numbers_of
from datalint.sources.tables.conversations import as_texts
from datalint.sources.tables.unseen import cell_hashes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from datalint.core.dialogues import Conversation
    from datalint.sources.tables.several_labels import SeveralLabels

MAX_BATCH_CLASSES = 4_096
"""A numeric label with more distinct values than this in one batch is read as a number, not as classes."""

MAX_CELL = 1_000_000
"""Characters of a text that are looked at: more than most books have."""

UNASSIGNED = "unassigned"
"""Split of the rows whose split column is empty or names no split."""


@dataclass(frozen=True)
class TablePlan:
    """What to read of a table, and as what."""

    fields: tuple[Field, ...]
    label: str | None = None
    label_kind: Literal["number", "text"] = "text"
    class_names: tuple[str, ...] = ()
    """Declared names of the classes 0..C-1."""
    split: str | None = None
    """The split of all rows; None where ``split_column`` says it."""
    split_column: str | None = None
    split_values: Mapping[str, str] = field(default_factory=dict)
    several: SeveralLabels | None = None
    """Where the labels stand if a sample may have several; ``label`` is None then."""
    unseen: tuple[str, ...] = ()
    """Columns that nobody looks into: they only tell samples apart."""
    conversation: Conversation | None = None
    """The columns that make up a conversation; they alone are the sample's content then."""

    def of_split(self, split: str) -> TablePlan:
        """What to read of the rows of one split; the same where a column says the split."""
        return self if self.split_column else replace(self, split=split)

    def part(self, names: Collection[str]) -> TablePlan:
        """What to read of files that hold but these columns of the table."""
        several = self.several if self.several and set(self.several.columns) <= set(names) else None
        return replace(
            self,
            fields=tuple(f for f in self.fields if f.name in names),
            label=self.label if self.label in names else None,
            several=several,
            split_column=self.split_column if self.split_column in names else None,
        )

    @property
    def numeric(self) -> tuple[str, ...]:
        """Numeric columns without the label."""
        return tuple(f.name for f in self.fields if f.kind == "number" and f.role != "label")

    @property
    def textual(self) -> tuple[str, ...]:
        """Text and time columns without the label."""
        return tuple(
            f.name
            for f in self.fields
            if f.kind in {"text", "time"} and f.role not in {"label", "ignored"} and f.name != self.split_column
        )

    @property
    def hashed(self) -> frozenset[str]:
        """Columns that make up a sample's content."""
        if self.conversation is not None:
            return frozenset(self.conversation.columns)
        return frozenset(f.name for f in self.fields if f.role in HASHED_ROLES)


def texts_of(name: str, array: Any) -> Categories:
    """The values of an Arrow array as codes into its distinct strings, surrounding blanks removed."""
    import pyarrow as pa

    dictionary = None
    if pa.types.is_dictionary(array.type):
        # Never unfolded: one long text that fills a column of a small file would fill the memory.
        dictionary, array = _strings(array.dictionary), array.indices
    encoded = (_strings(array) if dictionary is None else array).dictionary_encode()
    codes = np.frombuffer(encoded.indices.buffers()[1], np.int32, len(array) + encoded.indices.offset)
    codes = codes[encoded.indices.offset :]
    if encoded.null_count:
        codes = np.where(nulls(encoded.indices), np.int32(-1), codes)
    distinct = encoded.dictionary if dictionary is None else dictionary.take(encoded.dictionary)
    try:
        values = distinct.to_pylist()
    except UnicodeDecodeError:  # Parquet does not check that its texts are UTF-8
        values = [
            value and value.decode("utf-8", "backslashreplace") for value in distinct.cast(pa.binary()).to_pylist()
        ]
    if dictionary is not None and distinct.null_count:
        values = [value or "" for value in values]
    bare = list(map(str.strip, values))
    # Unchanged texts are the same objects, so this comparison costs next to nothing.
    padded = {} if bare == values else _padded(codes, values, bare)
    return _merge_equal(name, codes, bare, padded)


def _strings(array: Any) -> Any:
    """An Arrow array of any type as one of texts."""
    import pyarrow as pa

    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return array
    if pa.types.is_nested(array.type):
        return pa.array(cells_of(array), pa.string())
    try:
        return array.cast(pa.string())
    except pa.ArrowException:
        if pa.types.is_timestamp(array.type):  # of a time zone that this machine does not know: as UTC
            return array.cast(pa.timestamp(array.type.unit)).cast(pa.string())
        # What Arrow has no words for, such as an interval of months.
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def _padded(codes: NDArray[np.int32], values: list[str], bare: list[str]) -> dict[str, int]:
    """Rows per value that have blanks around it."""
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    found: dict[str, int] = {}
    for k, (value, stripped) in enumerate(zip(values, bare, strict=True)):
        if stripped and len(stripped) < len(value) and counts[k]:
            found[stripped] = found.get(stripped, 0) + int(counts[k])
    return found


def _merge_equal(name: str, codes: NDArray[np.int32], values: list[str], padded: dict[str, int]) -> Categories:
    """Give values that became equal one code; an empty text is a missing one."""
    distinct = dict.fromkeys(values)
    if len(distinct) == len(values) and "" not in distinct:
        return Categories(name, codes, values, padded=padded)
    unique = {value: k for k, value in enumerate(value for value in distinct if value)}
    table = np.array([*(unique.get(value, -1) for value in values), -1], np.int32)
    codes = table[codes]
    return Categories(name, codes, list(unique), padded=padded)


def cells_of(array: Any) -> list[Any]:
    """The values of an Arrow array as Python objects; as texts where Python has no such value (the year 20,000)."""
    import pyarrow as pa

    if pa.types.is_nested(array.type):
        return [
            None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in array.to_pylist()
        ]
    if pa.types.is_dictionary(array.type):
        values = [*cells_of(array.dictionary), None]
        return [values[-1 if index is None else index] for index in array.indices.to_pylist()]
    try:
        cells: list[Any] = array.to_pylist()
    except (ValueError, OverflowError, LookupError):  # a LookupError is an unknown time zone
        column = texts_of("", array)
        cells = [column.values[code] if code >= 0 else None for code in column.codes]
    return cells


def mixed_numbers(name: str, array: Any) -> tuple[NDArray[np.float64], dict[str, int]]:
    """The numbers in a column of strings, NaN elsewhere, and the texts that are no numbers with their counts."""
    column = texts_of(name, array)
    table = np.full(len(column.values) + 1, np.nan)
    strange = np.zeros(len(column.values) + 1, np.bool_)
    for k, value in enumerate(column.values):
        try:
            table[k] = float(value)
        except ValueError:
            strange[k] = True
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    return table[column.codes], {column.values[k]: int(counts[k]) for k in np.flatnonzero(strange[:-1])}


def number_classes(values: NDArray[np.float64], class_names: tuple[str, ...] = ()) -> LabelBlock:
    """Labels that are numbers: as classes too, while there are few distinct ones."""
    present = ~np.isnan(values)
    distinct, inverse = np.unique(values[present], return_inverse=True)
    if len(distinct) > MAX_BATCH_CLASSES:
        return LabelBlock(None, [], values)
    codes = np.full(len(values), -1, np.int32)
    codes[present] = inverse
    return LabelBlock(codes, [class_name(value, class_names) for value in distinct], values)


def class_name(value: float, names: tuple[str, ...] = ()) -> str:
    """How a numeric class is called: its declared name, or the number without a needless fraction."""
    if np.isfinite(value) and value == round(value):
        whole = int(value)
        return names[whole] if 0 <= whole < len(names) else str(whole)
    return repr(float(value))


class TableReader:
    """Turns record batches of one partition into batches of samples, split by split."""

    def __init__(self, plan: TablePlan, labels_only: bool) -> None:
        self.plan = plan
        self.labels_only = labels_only
        self.line = 0
        """Rows read so far."""
        self._cut: Counter[str] = Counter()
        """Texts per column that were too long."""
        self._started: dict[str, int] = {}
        self._hasher = TextHasher()
        features = [f for f in plan.fields if f.kind == "number" and f.role != "label"]
        self._features = np.array([f.role == "feature" for f in features], np.bool_)
        self._turns = frozenset(f.name for f in plan.fields if f.dtype == TURNS)
        self._text_features = frozenset(f.name for f in plan.fields if f.role in {"feature", "text"})

    @property
    def home(self) -> str:
        """A split that has or should have samples, for a problem that belongs to none of them."""
        if self.plan.split_column is None:
            return self.plan.split or WHOLE
        return min(self._started or self.plan.split_values.values(), key=split_order, default=WHOLE)

    @property
    def columns(self) -> list[str]:
        """The columns that must be read."""
        wanted = [self.plan.label, self.plan.split_column, *(self.plan.several.columns if self.plan.several else ())]
        if not self.labels_only:
            wanted += [*self.plan.numeric, *self.plan.textual, *self.plan.unseen]
        kept = [name for name in dict.fromkeys(wanted) if name is not None]
        return kept or [f.name for f in self.plan.fields[:1]]

    def read(self, record: Any) -> Iterator[Batch]:
        """The samples of one record batch (or of an equal mapping of column names to Arrow arrays)."""
        size, start = record.num_rows, self.line
        self.line += size
        if size == 0:
            return
        columns = {name: record.column(j) for j, name in enumerate(record.schema.names)}
        labels = self._labels(columns)
        table = None if self.labels_only else self._table(columns, size)
        yield from self.route(size, start, labels, table, columns)

    def route(
        self, size: int, start: int, labels: LabelBlock | None, table: TableBlock | None, columns: Mapping[str, Any]
    ) -> Iterator[Batch]:
        """Give each row to its split."""
        column = self.plan.split_column
        if column is None:
            yield self._batch(self.plan.split or WHOLE, size, None, labels, table)
            return
        routes = texts_of(column, columns[column])
        values = self.plan.split_values
        # A value that was not seen when the column was recognised must not make a split of its own: there may be many.
        names = [values.get(value) or vocabulary.split_of(value) or UNASSIGNED for value in routes.values]
        names.append(UNASSIGNED)  # of missing values, whose code is -1
        for split in sorted(set(names)):
            mine = np.array([name == split for name in names], np.bool_)
            rows = np.flatnonzero(mine[routes.codes])
            if len(rows):
                part = None if table is None else take_rows(table, rows)
                yield self._batch(split, len(rows), rows + start, labels and labels.take(rows), part)

    def _batch(
        self,
        split: str,
        size: int,
        lines: NDArray[np.int64] | None,
        labels: LabelBlock | None,
        table: TableBlock | None,
    ) -> Batch:
        start = self._started.get(split, 0)
        self._started[split] = start + size
        return Batch(split, start, size, lines=lines, labels=labels, table=table)

    def _labels(self, columns: Mapping[str, Any]) -> LabelBlock | None:
        name, several = self.plan.label, self.plan.several
        if several is not None:
            return self._several(several, columns)
        if name is None or name not in columns:
            return None
        if self.plan.label_kind == "number":
            numbers = self._numbers(name, columns[name])[0]
            if self.plan.class_names:  # declared ones, next to which -1 stands for a class that is not known
                numbers = np.where(numbers < 0, np.nan, numbers)
            return number_classes(numbers, self.plan.class_names)
        texts = self._bounded(texts_of(name, columns[name]))
        return LabelBlock(texts.codes, texts.values, padded=texts.padded)

    def _several(self, several: SeveralLabels, columns: Mapping[str, Any]) -> LabelBlock | None:
        arrays = [columns.get(name) for name in several.columns]
        size = max((len(array) for array in arrays if array is not None), default=None)
        if size is None:
            return None
        if several.joint:
            return several.of_texts(self._bounded(texts_of(several.name, arrays[0])))
        gaps = np.full(size, np.nan)
        return several.of_flags(np.column_stack([gaps if a is None else self._flags(a) for a in arrays]))

    def _flags(self, array: Any) -> NDArray[np.float64]:
        import pyarrow as pa

        if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_null(array.type):
            return self._numbers("", array)[0]
        texts = texts_of("", array)
        known = {"true": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
        return np.array([*(known.get(value.casefold(), 2.0) for value in texts.values), np.nan])[texts.codes]

    def _table(self, columns: Mapping[str, Any], size: int) -> TableBlock:
        names = self.plan.numeric
        # Column-major: every later step works on one column at a time.
        numbers = np.empty((size, len(names)), order="F")
        tokens = {}
        for j, name in enumerate(names):
            if name not in columns:
                numbers[:, j] = np.nan
                continue
            numbers[:, j], strange = self._numbers(name, columns[name])
            if strange:
                tokens[name] = strange
        texts = tuple(
            self._hashed(self._bounded(texts_of(name, self._readable(name, columns[name]))))
            for name in self.plan.textual
            if name in columns
        )
        block = TableBlock(names, numbers, texts, self._features, self._text_features, self.plan.hashed, tokens)
        block.unseen = self._unseen(columns, size)
        return block

    def _unseen(self, columns: Mapping[str, Any], size: int) -> NDArray[np.uint64] | None:
        held = [name for name in self.plan.unseen if name in columns]
        total = np.zeros(size, np.uint64)
        for name in held:
            total += scramble(cell_hashes(columns[name]), salt_of(name))
        return total if held else None

    def _readable(self, name: str, array: Any) -> Any:
        """Turns as texts; what is none as it is."""
        return as_texts(array) if name in self._turns else array

    def _bounded(self, column: Categories) -> Categories:
        """With texts that are too long cut; their hash at the end keeps different ones different."""
        if max(map(len, column.values), default=0) <= MAX_CELL:
            return column
        long = [k for k, value in enumerate(column.values) if len(value) > MAX_CELL]
        self._cut[column.name] += int(np.isin(column.codes, long).sum())
        values = list(column.values)
        for k, code in zip(long, text_hashes([values[k] for k in long]), strict=True):
            values[k] = f"{values[k][:MAX_CELL]} [{len(values[k]):,} characters, {code:016x}]"
        return replace(column, values=values)

    def remarks(self, shown: str) -> list[Problem]:
        """What was left out of the rows that were read."""
        return [
            Problem(
                "not-scanned",
                shown,
                f"what lies beyond the first {MAX_CELL:,} characters of {count:,} {'values' if count > 1 else 'value'} in "
                f"column {name!r}",
            )
            for name, count in self._cut.items()
        ]

    def _hashed(self, column: Categories) -> Categories:
        return Categories(column.name, column.codes, column.values, self._hasher(column.values), column.padded)

    def _numbers(self, name: str, array: Any) -> tuple[NDArray[np.float64], dict[str, int]]:
        import pyarrow as pa

        kind = array.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
            return mixed_numbers(name, array)
        if pa.types.is_null(kind):
            return np.full(len(array), np.nan), {}
        return numbers_of(array), {}


def take_rows(table: TableBlock, rows: NDArray[np.int64]) -> TableBlock:
    """Some rows; stray texts and padded ones are counted per batch, so their split is not known."""
    texts = tuple(
        Categories(column.name, column.codes[rows], column.values, column.hashes) for column in table.categories
    )
    return TableBlock(
        table.names,
        np.asfortranarray(table.numbers[rows]),
        texts,
        table.features,
        table.text_features,
        table.hashed,
        unseen=None if table.unseen is None else table.unseen[rows],
    )
