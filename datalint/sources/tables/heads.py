"""Recognising tables: what columns a file has, of which kind, and which of them is the label."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from datalint.core.dataset import Dataset, Field, Label, Problem, Split, split_order
from datalint.core.errors import DatalintError
from datalint.core.missing import AMONG_VALUES, READ_AS_GAPS
from datalint.sources.files import HEAD_BYTES, JSON_LINES, arrow_file, head_of, is_gzip, printable, reason, spoken
from datalint.sources.tables.beside import NO_CUT, BesidePartition, OneFile
from datalint.sources.tables.convert import TablePlan, cells_of
from datalint.sources.tables.csvs import CsvPartition, csv_partitions, open_bytes, readable
from datalint.sources.tables.dialect import Dialect, NeedMoreBytes, NotATable, sniff, squeeze
from datalint.sources.tables.jsonlines import MAX_KEYS, JsonLinesPartition, head_rows, keys_of
from datalint.sources.tables.labels import (
    ColumnHead,
    LabelChoice,
    LabelNotFound,
    choose_label,
    find_split_column,
    roles,
)
from datalint.sources.tables.lending import lending
from datalint.sources.tables.parquets import Decoder, row_group_partitions
from datalint.sources.tables.unlike import known_kind, unlike

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from datalint.core.dataset import Kind, Partition, Role
    from datalint.core.roles import HeadKind

MAX_HEAD = 8 << 20
"""A table whose three first lines do not fit into this many bytes is refused."""

MAX_COLUMNS = 100_000
CELLS = 400_000
"""Cells looked at to recognise the columns of a file."""

GLANCE = 16 << 10
"""Bytes read of a file that begins like others of its series."""

AMONG_ROWS = ("the header is repeated", "quotes that are not closed", "ragged rows", "mixed line ends")
"""Beginnings of a dialect's remarks on single rows."""

CHUNKS = 8
"""Places of a file from which rows are taken, so that a sorted column does not look constant."""

PARTITION_ROWS = 1_000_000
UNPACK_LIMIT = 64 << 20
"""Decompressed bytes read of a compressed file to recognise it."""

_LONE = re.compile(rb"\r(?!\n)")
_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


@dataclass
class TableFile:
    """One table on disk as its head shows it."""

    path: Path
    shown: str
    name: str
    format: Literal["csv", "parquet", "jsonl"]
    columns: tuple[ColumnHead, ...]
    kinds: dict[str, Kind]
    dtypes: dict[str, str]
    dialect: Dialect | None = None
    declared: tuple[str, tuple[str, ...]] | None = None
    """Label column and class names that the file itself declares."""
    problems: list[Problem] = field(default_factory=list)
    empty: bool = False
    """Whether there are column names and no rows."""
    first_line: bytes = b""
    ascii: bool = True
    """Whether the head is plain ASCII, which is alike in every encoding."""
    beside: tuple[TableFile, ...] = ()
    """Files that hold further columns of the same rows, such as the label."""
    label: tuple[str, str] | None = None
    """Label column that one of those files holds, and why."""

    @property
    def header(self) -> bool:
        """Whether the columns have names of their own."""
        return self.dialect is None or self.dialect.named


def look(path: Path, shown: str, name: str, like: TableFile | None = None, *, column: bool = False) -> TableFile:
    """Recognise one file as a table; one of a series that begins ``like`` another is only glanced at.

    ``column``: the file may be a single column whatever its suffix.

    Raises:
        NotATable: it is something else; the message says what.
    """
    try:
        if like is not None and like.header and like.dialect is not None and like.dialect.compression is None:
            glance, complete = head_of(path, GLANCE)
            if glance.partition(b"\n")[0] == like.first_line and b"\n" in glance:
                # It is read in the same way; what was met among the rows of that file is not said of this one.
                own = tuple(text for text in like.dialect.problems if not text.startswith(AMONG_ROWS))
                return _described(path, shown, name, replace(like.dialect, problems=own), glance, complete, chunks=1)
        head, complete = head_of(path)
        if head.startswith(b"PAR1"):
            return _look_parquet(path, shown, name)
        if name.lower().removesuffix(".gz").endswith(tuple(JSON_LINES)):
            return _look_json(path, shown, name, head, complete)
        return _look_csv(path, shown, name, head, complete, "column.csv" if column else path.name)
    except NotATable:
        raise
    except OSError as error:
        raise NotATable(reason(error)) from error
    except Exception as error:  # whatever a library makes of bytes that nobody expected is the fault of this one file
        raise NotATable(f"cannot be read as a table: {spoken(error)}") from error


def _look_csv(path: Path, shown: str, name: str, head: bytes, complete: bool, called: str) -> TableFile:
    size = HEAD_BYTES
    while True:
        try:
            dialect = sniff(head, path_name=called, complete=complete)
            break
        except NeedMoreBytes as error:
            size, tried = min(size * 8, MAX_HEAD), size
            if tried == MAX_HEAD:
                raise NotATable(f"the lines are too long for a table: {error}") from error
            head, complete = head_of(path, size)
    dialect = replace(dialect, compression="gzip" if is_gzip(path) else None)
    return _described(path, shown, name, dialect, head, complete)


def _described(
    path: Path, shown: str, name: str, dialect: Dialect, head: bytes, complete: bool, chunks: int = CHUNKS
) -> TableFile:
    """The columns of a text table whose dialect is known."""
    if len(dialect.names) > MAX_COLUMNS:
        raise NotATable(f"{len(dialect.names):,} columns; at most {MAX_COLUMNS:,} are read")
    values = _spread(path, dialect, head, complete, chunks)
    columns, kinds, dtypes = [], {}, {}
    for column, cells in zip(dialect.names, values, strict=True):
        kind, dtype = kind_of(cells)
        kinds[column], dtypes[column] = kind, dtype
        columns.append(_head(column, kind, dtype, cells))
    problems = [Problem("dialect", shown, text) for text in dialect.problems]
    declared = (dialect.declared_label, ()) if dialect.declared_label else None
    empty = complete and not any(values) and not any(problem.startswith("ragged") for problem in dialect.problems)
    return TableFile(
        path=path,
        shown=shown,
        name=name,
        format="csv",
        columns=tuple(columns),
        kinds=kinds,
        dtypes=dtypes,
        dialect=dialect,
        declared=declared,
        problems=problems,
        empty=empty,
        first_line=head.partition(b"\n")[0],
        ascii=head.isascii(),
    )


def _head(name: str, kind: Kind, dtype: str, cells: list[str | None]) -> ColumnHead:
    shown: HeadKind = "number" if kind == "number" else "text"
    if dtype == "bool":
        shown = "bool"
    elif kind == "time":
        shown = "time"
    values: list[object] = list(cells) if kind != "number" else [_float(cell) for cell in cells]
    return ColumnHead(name, shown, values)


def _float(cell: str | None) -> float | None:
    try:
        return None if cell is None else float(cell)
    except ValueError:
        return None


def kind_of(cells: Sequence[str | None]) -> tuple[Kind, str]:
    """Kind and storage type of a column of text cells, missing ones being None."""
    present = [cell for cell in cells if cell is not None]
    if not present:
        return "text", "null"
    strange: set[str] = set()
    whole = True
    numbers = 0
    for cell in present:
        try:
            value = float(cell)
            numbers += 1
            whole = whole and math.isfinite(value) and value == int(value) and "." not in cell
        except ValueError:
            strange.add(cell)
            if len(strange) > 20:
                break
    if numbers and (not strange or _placeholders(strange) or (numbers >= 0.9 * len(present) and len(strange) <= 3)):
        return "number", "int64" if whole else "double"
    if {cell.casefold() for cell in present} <= {"true", "false"}:
        return "text", "bool"
    if len(strange) > 1 and all(_TIME.fullmatch(cell) for cell in present[:200]):
        return "time", "timestamp"
    return "text", "string"


def _placeholders(values: set[str]) -> bool:
    return all(value.casefold() in AMONG_VALUES for value in values)


def _spread(path: Path, dialect: Dialect, head: bytes, complete: bool, chunks: int) -> list[list[str | None]]:
    """Cells by column of rows from all over the file: from its head and from so many places behind it."""
    rows = max(50, min(5_000, CELLS // max(1, len(dialect.names))))
    wide = dialect.encoding == "utf-16"  # cannot be cut anywhere, so only the head is looked at
    if wide:
        head = head.decode("utf-16", "replace").encode()
    blocks = [_skip_lines(head, dialect.data_start)]
    if not complete and not wide:
        blocks = [
            blocks[0][: HEAD_BYTES // 2 if len(dialect.names) < 500 else None],
            *_chunks(path, dialect.compression, chunks, len(head) // 4),
        ]
    columns: list[list[str | None]] = [[] for _ in dialect.names]
    for k, block in enumerate(map(_unix, blocks)):
        whole = block if complete else block[: block.rfind(b"\n") + 1]
        # The first block may use what later ones leave: a short file is only its head.
        parsed = _parse(whole, dialect)
        quota = rows if len(blocks) == 1 else max(10, rows // len(blocks) * (2 if k == 0 else 1))
        for column, cells in zip(columns, parsed, strict=True):
            column.extend(cells[:quota])
    return columns


def _skip_lines(block: bytes, count: int) -> bytes:
    stream = io.BytesIO(_unix(block))
    for _ in range(count):
        stream.readline()
    return stream.read()


def _unix(block: bytes) -> bytes:
    """With line feeds where a file of old Macs has carriage returns alone, be it with a line feed at the very end."""
    alone = block.count(b"\r") - block.count(b"\r\n")
    return _LONE.sub(b"\n", block) if alone > block.count(b"\n") else block


def _chunks(path: Path, compression: str | None, count: int, length: int) -> list[bytes]:
    """Blocks of whole lines, of about ``length`` bytes, from evenly spread places after the head."""
    blocks = []
    with open_bytes(path, compression) as file:
        size = path.stat().st_size if compression is None else None
        if size is None:
            # A compressed file can only be read through: keep a block of every few.
            data = readable(file, UNPACK_LIMIT)
            places = [len(data) * k // count for k in range(1, count)] + [max(0, len(data) - length)]
            return [data[data.find(b"\n", place) + 1 : place + length] for place in places]
        for k in range(1, count + 1):
            file.seek(min(size * k // count, max(0, size - length)))
            file.readline(length)
            blocks.append(file.read(length))
    return blocks


def _parse(block: bytes, dialect: Dialect) -> list[list[str | None]]:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    empty: list[list[str | None]] = [[] for _ in dialect.names]
    if not block.strip():
        return empty
    if dialect.collapse:
        block = squeeze(block)
    encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-8"}.get(dialect.encoding, dialect.encoding)
    text = block.decode(encoding, "replace")
    try:
        with lending() as lend:
            table = pacsv.read_csv(
                pa.BufferReader(text.encode()),
                pacsv.ReadOptions(
                    column_names=list(dialect.names), use_threads=False, block_size=max(1 << 20, 2 * len(text))
                ),
                pacsv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote or False,
                    newlines_in_values=dialect.newlines_in_values,
                    invalid_row_handler=lend(lambda _: "skip"),
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(dialect.names, pa.string()),
                    null_values=READ_AS_GAPS,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
    except pa.ArrowInvalid:
        return empty
    columns = [[cell if cell is None else cell.strip() for cell in column.to_pylist()] for column in table.columns]
    if dialect.decimal == ",":
        columns = [[cell if cell is None else cell.replace(",", ".") for cell in column] for column in columns]
    return columns


def _look_parquet(path: Path, shown: str, name: str) -> TableFile:
    import pyarrow as pa

    try:
        with arrow_file(path) as raw:
            file = Decoder(raw, path.stat().st_size)
            shapes = {column: arrow_kind(kind) for column, kind in zip(file.names, file.schema.types, strict=True)}
            wanted = [column for column, (kind, _) in shapes.items() if kind != "other"]
            groups = sorted({len(file.groups) * k // CHUNKS for k in range(CHUNKS)}) if file.groups else []
            readable, _ = file.decodable(wanted, groups)
            rows = max(50, min(5_000, CELLS // max(1, len(file.names))) // CHUNKS)
            records = [next(file.records(readable, [group], rows), None) for group in groups] if readable else []
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotATable(f"a damaged Parquet file: {reason(error)}") from error
    schema, empty = file.schema, file.rows == 0
    columns = []
    kinds = {column: kind for column, (kind, _) in shapes.items()}
    dtypes = dict(zip(schema.names, map(str, schema.types), strict=True))
    read = [{column: r.column(j) for j, column in enumerate(r.schema.names)} for r in records if r is not None]
    for column, (_, shape) in shapes.items():
        cells = [value for of in read if column in of for value in cells_of(of[column])]
        columns.append(ColumnHead(column, shape, cells))
    declared = _hugging_face_label(schema.metadata or {})
    kept = tuple(head for head in columns if kinds[head.name] != "other")
    problems = [
        Problem("not-scanned", shown, f"column {column!r} holds {dtypes[column]} values, which are not looked into")
        for column, kind in kinds.items()
        if kind == "other"
    ]
    kinds = {column: kind for column, kind in kinds.items() if kind != "other"}
    return TableFile(path, shown, name, "parquet", kept, kinds, dtypes, None, declared, problems, empty)


def _look_json(path: Path, shown: str, name: str, head: bytes, complete: bool) -> TableFile:
    blocks = [head if complete else head[: head.rfind(b"\n") + 1]]
    packed = is_gzip(path)
    if not complete:
        blocks += _chunks(path, "gzip" if packed else None, CHUNKS, len(head) // 4)
        blocks[1:] = [block[: block.rfind(b"\n") + 1] for block in blocks[1:]]
    rows = head_rows(blocks)
    if not rows and head.strip():
        raise NotATable("no JSON lines, which are one object per line")
    columns, kinds, dtypes, problems = [], {}, {}, []
    keys = keys_of(rows, CELLS)
    if len(keys) > MAX_KEYS:
        text = f"its keys beyond the first {MAX_KEYS:,}: so many are values and no columns"
        problems.append(Problem("not-scanned", shown, text))
    for column, key in islice(keys.items(), MAX_KEYS):
        if 2 * key.nested > len(key.present):
            text = f"column {column!r} holds lists or objects, which are not looked into"
            problems.append(Problem("not-scanned", shown, text))
            continue
        kinds[column], dtypes[column] = kind_of(key.present)
        columns.append(_head(column, kinds[column], dtypes[column], key.cells))
    return TableFile(path, shown, name, "jsonl", tuple(columns), kinds, dtypes, problems=problems, empty=not columns)


def arrow_kind(kind: Any) -> tuple[Kind, HeadKind]:
    """How a column of an Arrow type is read, and the kind of its values."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "text", "bool"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number", "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text", "text"
    if pa.types.is_null(kind):
        return "text", "text"
    if pa.types.is_temporal(kind):
        return "time", "time"
    return "other", "text"


def _hugging_face_label(metadata: dict[bytes, bytes]) -> tuple[str, tuple[str, ...]] | None:
    """The label column and its class names as the metadata of Hugging Face has them; None where that is malformed."""
    try:
        found: Any = json.loads(metadata.get(b"huggingface", b"{}"))
    except (ValueError, RecursionError):
        return None
    for key in ("info", "features"):
        found = found.get(key) if isinstance(found, dict) else None
    for name, feature in found.items() if isinstance(found, dict) else ():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            names = feature.get("names") or []
            if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
                return None
            # Two classes of one name cannot be told apart: then the numbers say more.
            return name, tuple(map(printable, names)) if len(set(names)) == len(names) else ()
    return None


@dataclass(frozen=True)
class Member:
    """A table file and the split it belongs to."""

    file: TableFile
    split: str
    why: str


def table_dataset(
    name: str,
    path: str,
    layout: str,
    evidence: str,
    members: Sequence[Member],
    label: str | None = None,
    submission: Iterable[str] = (),
) -> Dataset:
    """One data set of one or several files.

    Raises:
        datalint.core.errors.DatalintError: the label column that the user named does not exist.
    """
    first = next((m.file for m in members if m.split == "train"), members[0].file)
    heads = {head.name: head for m in reversed([*members]) for head in m.file.columns} | {
        head.name: head for head in first.columns
    }
    order = list(dict.fromkeys(column for file in [first, *(m.file for m in members)] for column in file.kinds))
    columns = [heads[column] for column in order]
    kinds = {
        column: _joined_kind([m.file.kinds[column] for m in members if column in m.file.kinds]) for column in order
    }
    choice, class_names = _label(first, columns, members, label, submission)
    role_of: dict[str, Role] = {**roles(columns), **dict.fromkeys(choice.twins if choice else (), "ignored")}
    one_split = len({member.split for member in members}) == 1
    split_column, values = find_split_column(columns, role_of) if one_split else (None, {})
    fields = tuple(
        Field(
            column,
            kinds[column],
            "label" if choice and column == choice.name else "split" if column == split_column else role_of[column],
            first.dtypes.get(column, ""),
        )
        for column in order
    )
    kind: Literal["number", "text"] = "number" if choice and kinds[choice.name] == "number" else "text"
    partitions: list[Partition] = []
    problems = [problem for m in members for problem in m.file.problems] + unlike([(m.file, m.split) for m in members])
    for member in sorted(members, key=lambda m: (*split_order(m.split), m.file.shown)):
        plan = TablePlan(
            fields,
            choice.name if choice else None,
            kind,
            class_names,
            None if split_column else member.split,
            split_column,
            values,
        )
        partitions += _partitions(member.file, plan)
    if split_column:
        splits = [Split(split, f"values of the column {split_column!r}") for split in dict.fromkeys(values.values())]
    else:
        splits = [
            Split(
                m.split,
                m.why,
                columns=tuple((n, known_kind(m.file, n)) for n in m.file.kinds if role_of[n] != "ignored"),
            )
            for m in {m.split: m for m in reversed([*members])}.values()
        ]
    return Dataset(
        name=name,
        path=path,
        layout=layout,
        modality="table",
        evidence=evidence,
        partitions=partitions,
        splits=tuple(sorted(splits, key=lambda split: split_order(split.name))),
        label=None if choice is None else Label(choice.name, choice.evidence, choice.confidence),
        fields=fields,
        problems=problems,
    )


def _joined_kind(kinds: list[Kind]) -> Kind:
    found = set(kinds)
    return found.pop() if len(found) == 1 else "text"


def _label(
    first: TableFile,
    columns: list[ColumnHead],
    members: Sequence[Member],
    explicit: str | None,
    submission: Iterable[str],
) -> tuple[LabelChoice | None, tuple[str, ...]]:
    names = {head.name for head in columns}
    if explicit is None and first.declared is not None and first.declared[0] in names:
        return LabelChoice(first.declared[0], "declared by the file itself", "certain"), first.declared[1]
    if explicit is None and first.label is not None:
        twins = choose_label(columns, header=first.header, explicit=first.label[0])
        return LabelChoice(*first.label, "high", twins.twins if twins else ()), ()
    tests = [m.file for m in members if m.split == "test"]
    only_in_train = {column for column in first.kinds if tests and all(column not in file.kinds for file in tests)}
    try:
        chosen = choose_label(
            columns,
            header=first.header,
            explicit=explicit,
            only_in_train=only_in_train,
            submission=tuple(submission),
        )
    except LabelNotFound as error:
        raise DatalintError(f"{first.shown}: {error}") from error
    return chosen, first.declared[1] if first.declared and chosen and first.declared[0] == chosen.name else ()


def _partitions(file: TableFile, plan: TablePlan) -> list[Partition]:
    if file.beside:
        own = [name for name in file.kinds if all(name not in side.kinds for side in file.beside)]
        inputs, *sides = [_whole(part, _part_of(plan, names)) for part, names in [(file, own), *_held(file)]]
        return [BesidePartition(inputs, tuple(sides))]
    if file.format == "parquet":
        return list(row_group_partitions(file.path.absolute(), file.shown, plan, PARTITION_ROWS))
    if file.format == "jsonl":
        return [_json_lines(file, plan)]
    return [*csv_partitions(file.path.absolute(), file.shown, _dialect(file), plan)]


def _json_lines(file: TableFile, plan: TablePlan) -> JsonLinesPartition:
    flags = frozenset(name for name, dtype in file.dtypes.items() if dtype == "bool")
    packed = "gzip" if is_gzip(file.path) else None
    return JsonLinesPartition(file.path.absolute(), file.shown, packed, plan, flags)


def _held(file: TableFile) -> list[tuple[TableFile, list[str]]]:
    """The files beside one, with the columns that are taken of each."""
    return [(side, [name for name in side.kinds if name in file.kinds]) for side in file.beside]


def _part_of(plan: TablePlan, names: Collection[str]) -> TablePlan:
    """What to read of a file that holds but these columns of a table."""
    fields = tuple(f for f in plan.fields if f.name in names)
    return replace(plan, fields=fields, label=plan.label if plan.label in names else None)


def whole_partition(file: TableFile) -> OneFile:
    """All rows of a file in one piece, for one who counts them."""
    first = next(iter(file.kinds))
    return _whole(file, TablePlan((Field(first, file.kinds[first]),)))


def _whole(file: TableFile, plan: TablePlan) -> OneFile:
    if file.format == "parquet":
        (part,) = row_group_partitions(file.path.absolute(), file.shown, plan, NO_CUT)
        return part
    if file.format == "jsonl":
        return _json_lines(file, plan)
    return CsvPartition(file.path.absolute(), file.shown, _dialect(file), plan)


def _dialect(file: TableFile) -> Dialect:
    if file.dialect is None:
        raise ValueError("a text table has a dialect")
    return file.dialect
