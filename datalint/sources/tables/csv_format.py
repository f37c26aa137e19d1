"""Delimited text as a table format: recognised by its head and by rows from all over the file."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Problem
from datalint.core.missing import READ_AS_GAPS
from datalint.core.terms import Storage
from datalint.sources.files import HEAD_BYTES
from datalint.sources.packing import packing_of
from datalint.sources.tables.csvs import CsvPartition, csv_partitions, parsing
from datalint.sources.tables.dialect import Dialect, NeedMoreBytes, NotATable, sniff, squeeze
from datalint.sources.tables.format import CELLS, CHUNKS, Candidate, TableFile, TableFormat
from datalint.sources.tables.kinds import kind_of, text_head
from datalint.sources.tables.lending import lending
from datalint.sources.tables.packed import chunks

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

MAX_HEAD = 8 << 20
"""A table whose three first lines do not fit into this many bytes is refused."""

MAX_COLUMNS = 100_000

AMONG_ROWS = ("the header is repeated", "quotes that are not closed", "ragged rows", "mixed line ends")
"""Beginnings of a dialect's remarks on single rows."""

_GAPS = frozenset(READ_AS_GAPS)
_LONE = re.compile(rb"\r(?!\n)")


class CsvFormat(TableFormat):
    """Text whose values are set apart by commas, tabs, semicolons, bars or blanks."""

    title = "delimited text"
    storage = Storage.DELIMITED
    suffixes = frozenset({".csv", ".tsv", ".tab", ".data", ".dat", ".trn", ".tst", ".arff"})

    def look(self, file: Candidate) -> TableFile:
        """Sniff the dialect, or take that of a file that begins in the same way."""
        like = file.like
        if like is not None and like.header and like.dialect is not None and like.dialect.compression is None:
            start, complete = file.start
            if start.partition(b"\n")[0] == like.first_line and b"\n" in start:
                # It is read in the same way; what was met among the rows of that file is not said of this one.
                own = tuple(text for text in like.dialect.problems if not text.startswith(AMONG_ROWS))
                return self._described(
                    file,
                    replace(like.dialect, problems=own, compression=packing_of(file.path)),
                    start,
                    complete,
                    count=1,
                )
        size = HEAD_BYTES
        while True:
            head, complete = file.head(size)
            try:
                dialect = sniff(head, path_name="column.csv" if file.column else file.path.name, complete=complete)
                break
            except NeedMoreBytes as error:
                if size == MAX_HEAD:
                    raise NotATable(f"the lines are too long for a table: {error}") from error
                size = min(size * 8, MAX_HEAD)
        dialect = replace(dialect, compression=packing_of(file.path))
        return self._described(file, dialect, head, complete)

    def _described(
        self, file: Candidate, dialect: Dialect, head: bytes, complete: bool, count: int = CHUNKS
    ) -> TableFile:
        """The columns of a text table whose dialect is known."""
        if len(dialect.names) > MAX_COLUMNS:
            raise NotATable(f"{len(dialect.names):,} columns; at most {MAX_COLUMNS:,} are read")
        values = _spread(file.path, dialect, head, complete, count)
        kinds = {column: kind_of(cells) for column, cells in zip(dialect.names, values, strict=True)}
        ragged = any(problem.startswith("ragged") for problem in dialect.problems)
        return TableFile(
            path=file.path,
            shown=file.shown,
            name=file.name,
            format=self,
            columns=tuple(text_head(n, *kinds[n], cells) for n, cells in zip(dialect.names, values, strict=True)),
            kinds={name: kind for name, (kind, _) in kinds.items()},
            dtypes={name: dtype for name, (_, dtype) in kinds.items()},
            dialect=dialect,
            declared=(dialect.declared_label, ()) if dialect.declared_label else None,
            problems=[Problem("dialect", file.shown, text) for text in dialect.problems],
            empty=complete and not any(values) and not ragged,
            first_line=head.partition(b"\n")[0],
            ascii=head.isascii(),
        )

    def whole(self, file: TableFile, plan: TablePlan) -> CsvPartition:
        """All lines."""
        if file.dialect is None:
            raise ValueError("a text table has a dialect")
        return CsvPartition(file.path.absolute(), file.shown, file.dialect, plan)

    def partitions(self, file: TableFile, plan: TablePlan) -> list[CsvPartition]:
        """Cut a large file at line ends."""
        return csv_partitions(self.whole(file, plan))


def _spread(path: Path, dialect: Dialect, head: bytes, complete: bool, count: int) -> list[list[str | None]]:
    """Cells by column of rows from all over the file: from its head and from so many places behind it."""
    rows = max(50, min(5_000, CELLS // max(1, len(dialect.names))))
    wide = dialect.encoding == "utf-16"  # cannot be cut anywhere, so only the head is looked at
    if wide:
        head = head.decode("utf-16", "replace").encode()
    blocks = [_skip_lines(head, dialect.data_start)]
    if not complete and not wide:
        used = min(len(head), HEAD_BYTES // 2) if len(dialect.names) < 500 else len(head)
        blocks = [blocks[0][:used], *chunks(path, dialect.compression, count, used, len(head) // 4)]
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
    """Convert lone CR line endings to LF."""
    alone = block.count(b"\r") - block.count(b"\r\n")
    return _LONE.sub(b"\n", block) if alone > block.count(b"\n") else block


def _parse(block: bytes, dialect: Dialect) -> list[list[str | None]]:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    empty: list[list[str | None]] = [[] for _ in dialect.names]
    if not block.strip():
        return empty
    if dialect.collapse:
        block = squeeze(block)
    encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-8"}.get(dialect.encoding, dialect.encoding)
    text = block.decode(encoding, "replace").encode()
    types = dict.fromkeys(dialect.names, pa.string())
    try:
        with lending() as lend:
            table: Any = pacsv.read_csv(
                pa.BufferReader(text),
                *parsing(dialect, types, lend(lambda _: "skip"), block=max(1 << 20, 2 * len(text)), nulls=()),
            )
    except pa.ArrowInvalid:
        return empty
    # pyarrow would keep the words for gaps once for each column, which takes most of the memory of a wide table.
    columns = [[None if cell in _GAPS else cell.strip() for cell in column.to_pylist()] for column in table.columns]
    if dialect.decimal == ",":
        columns = [[cell if cell is None else cell.replace(",", ".") for cell in column] for column in columns]
    return columns
