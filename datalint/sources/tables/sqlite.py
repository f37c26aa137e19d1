"""SQLite databases: each table a table, read only."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datalint.core.problem import Problem
from datalint.sources.files import printable, reason
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, CHUNKS, Candidate, TableFile, TableFormat
from datalint.sources.tables.rows import RowsPartition, table_of_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

CHECKED = 256 << 20
"""Bytes of a database that is checked page by page, since rows of damaged pages are read without a word."""

MAX_TABLES = 200
"""Tables of one database that are read."""


class SqliteFormat(TableFormat):
    """Databases of SQLite, whatever they are called."""

    title = "SQLite"
    suffixes = frozenset({".db", ".sqlite", ".sqlite3", ".db3"})
    sure = False
    magic = (b"SQLite format 3\0",)

    def look(self, file: Candidate) -> TableFile:
        """The first table."""
        return self.tables(file)[0]

    def tables(self, file: Candidate) -> Sequence[TableFile]:
        """Look at rows from all over each table."""
        import sqlite3

        try:
            with _opened(file.path) as base:
                names = _names(base)
                found = [table_of_rows(file, self, name, *_head(base, name)) for name in names[:MAX_TABLES]]
                damage = _damage(base, file.path)
                views = [str(row[0]) for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
        except (sqlite3.Error, OSError, ValueError) as error:
            raise NotATable(f"a damaged SQLite database: {reason(error)}") from error
        if not found:
            raise NotATable("an SQLite database without a table")
        if damage:
            found[0].problems.append(Problem("truncated", file.shown, damage))
        log = file.path.with_name(f"{file.path.name}-wal")
        if log.is_file() and log.stat().st_size:
            text = f"changes in {printable(log.name)} are not read: close the programs that use the database"
            found[0].problems.append(Problem("not-scanned", file.shown, text))
        for view in views:
            text = f"the view {printable(view)!r}: save it as a table"
            found[0].problems.append(Problem("not-scanned", file.shown, text))
        if len(names) > MAX_TABLES:
            text = f"{len(names) - MAX_TABLES:,} tables after the first {MAX_TABLES:,}"
            found[0].problems.append(Problem("not-scanned", file.shown, text))
        return found

    def whole(self, file: TableFile, plan: TablePlan) -> SqlitePartition:
        """All rows of a table."""
        return SqlitePartition(file.path.absolute(), file.shown, plan, file.inside)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, which nothing is written to or next to; its own functions and views are not trusted."""
    import sqlite3

    base = sqlite3.connect(f"file:{quote(os.fspath(path.absolute()))}?mode=ro&immutable=1", uri=True)
    try:
        base.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
        base.execute("PRAGMA trusted_schema = OFF")
        base.execute("PRAGMA query_only = ON")
        yield base
    finally:
        base.close()


def _damage(base: sqlite3.Connection, path: Path) -> str:
    """What is wrong with the pages of a database; empty if nothing."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(100)
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    if head[24:28] == head[92:96] and size < pages * (65_536 if page == 1 else page):
        return f"breaks off: it has {size:,} bytes, and {pages * (65_536 if page == 1 else page):,} by its header"
    if size <= CHECKED:
        (told,) = base.execute("PRAGMA quick_check(1)").fetchone()
        return "" if told == "ok" else f"damaged pages: {str(told).splitlines()[-1]}"
    return ""


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _names(base: sqlite3.Connection) -> list[str]:
    """The tables that hold rows of their own: no views, indexes, or what belongs to full-text search."""
    rows = base.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    tables = {str(name): str(sql or "").lstrip().upper() for name, sql in rows}
    virtual = [name for name, sql in tables.items() if sql.startswith("CREATE VIRTUAL")]
    return [
        name for name in tables if name not in virtual and not any(name.startswith(f"{outer}_") for outer in virtual)
    ]


def _head(base: sqlite3.Connection, table: str) -> tuple[list[str], list[Sequence[Any]]]:
    """The columns, and rows from all over the table."""
    import sqlite3

    names = [str(row[1]) for row in base.execute(f"PRAGMA table_info({_quoted(table)})")]
    if not names:
        raise ValueError(f"the table {table!r} has no columns")
    most = max(50, min(5_000, CELLS // len(names)))
    select = f"SELECT {', '.join(map(_quoted, names))} FROM {_quoted(table)}"  # noqa: S608 - quoted names of its own
    try:
        low, high = base.execute(f"SELECT min(rowid), max(rowid) FROM {_quoted(table)}").fetchone()  # noqa: S608
    except sqlite3.OperationalError:  # a table without row numbers
        return names, base.execute(f"{select} LIMIT ?", (most,)).fetchall()
    if low is None or high - low < most:
        return names, base.execute(f"{select} LIMIT ?", (most,)).fetchall()
    rows: list[Sequence[Any]] = []
    for k in range(CHUNKS):
        start, end = (low + (high - low + 1) * at // CHUNKS for at in (k, k + 1))
        where = f"{select} WHERE rowid >= ? AND rowid < ? ORDER BY rowid LIMIT ?"
        rows += base.execute(where, (start, end, most // CHUNKS)).fetchall()
    return names, rows


@dataclass(frozen=True)
class SqlitePartition(RowsPartition):
    """One table of a database, in the order in which it is stored."""

    def read(self, columns: Sequence[str], size: int) -> Generator[list[Sequence[Any]]]:
        """Row by row."""
        import sqlite3

        try:
            with _opened(self.path) as base:
                chosen = ", ".join(map(_quoted, columns)) or "NULL"
                rows = base.execute(f"SELECT {chosen} FROM {_quoted(self.inside)}")  # noqa: S608
                while block := rows.fetchmany(size):
                    yield block
        except sqlite3.Error as error:
            raise OSError(reason(error)) from error
