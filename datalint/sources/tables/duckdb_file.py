"""DuckDB databases: each table a table, read only. Needs the extra ``duckdb``."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.core.project import install
from datalint.sources.files import printable, reason
from datalint.sources.remote.url import is_url
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.kinds import arrow_table_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

ROWS = 20_000
"""Rows of a batch, at most."""

MAX_TABLES = 200
"""Tables of one database that are read."""

MARK = slice(8, 12)
"""Where files begin with DUCK."""


class DuckDbFormat(TableFormat):
    """Databases of DuckDB, whatever they are called."""

    title = "DuckDB"
    suffixes = frozenset({".duckdb", ".ddb", ".db"})
    sure = False

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as all formats have it
        """By the mark behind its checksum."""
        return start[MARK] == b"DUCK"

    def look(self, file: Candidate) -> TableFile:
        """The first table."""
        return self.tables(file)[0]

    def tables(self, file: Candidate) -> Sequence[TableFile]:
        """Look at rows from all over each table."""
        try:
            with _opened(file.path) as base:
                names, views = _names(base)
                found = [self._table(file, base, name) for name in names[:MAX_TABLES]]
        except NotJudged:
            raise
        except Exception as error:  # the errors of the library have no class in common before it is loaded
            raise NotATable(f"a damaged DuckDB database, or one in use: {reason(error)}") from error
        if not found:
            raise NotATable("a DuckDB database without a table")
        more = [f"the view {name!r}: save it as a table" for name in views]
        more += [f"{len(names) - MAX_TABLES:,} tables after the first {MAX_TABLES:,}"] if names[MAX_TABLES:] else []
        found[0].problems += [Problem("not-scanned", file.shown, printable(text)) for text in more]
        return found

    def _table(self, file: Candidate, base: Any, name: str) -> TableFile:
        (count,) = base.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()  # noqa: S608 - a quoted name of its own
        width = len(base.execute(f"SELECT * FROM {_quoted(name)} LIMIT 0").description)  # noqa: S608
        most = max(50, min(5_000, CELLS // max(1, width)))
        # Every so many rows, so that a sorted column does not look constant.
        where = f"WHERE rowid % {max(1, count // most)} = 0 LIMIT {most}"
        head = base.sql(f"SELECT * FROM {_quoted(name)} {where}").to_arrow_table()  # noqa: S608
        shown = f"{file.shown}/{printable(name)}"
        inside = replace(file, shown=shown, name=name)
        return replace(arrow_table_file(inside, self, head.schema, head.to_batches(), count > 0), inside=name)

    def whole(self, file: TableFile, plan: TablePlan) -> DuckDbPartition:
        """All rows of a table."""
        return DuckDbPartition(file.path.absolute(), file.shown, plan, file.inside)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The database, which can be read and reaches nothing besides.

    Raises:
        NotJudged: its library is not installed, or it lies on a server.
    """
    if is_url(str(path)):
        raise NotJudged("a DuckDB database on a server: copy it to this machine")
    try:
        import duckdb
    except ImportError as error:
        raise NotJudged(f"a DuckDB database: {install('duckdb')} reads it, or save its tables as Parquet") from error
    safe: dict[str, Any] = {"enable_external_access": "false", "threads": "1"}
    base = duckdb.connect(os.fspath(path.absolute()), read_only=True, config=safe)
    try:
        yield base
    finally:
        base.close()


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _names(base: Any) -> tuple[list[str], list[str]]:
    """The tables and the views of the main schema."""
    tables = base.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal ORDER BY 1"
    )
    names = [str(row[0]) for row in tables.fetchall()]
    views = base.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal ORDER BY 1")
    return names, [str(row[0]) for row in views.fetchall()]


@dataclass(frozen=True)
class DuckDbPartition(TablePartition):
    """One table of a database, in the order in which it is stored."""

    path: Path
    shown: str
    plan: TablePlan
    inside: str

    def sample_id(self, line: int) -> str:
        """File, table and 0-based row."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """As they are stored."""
        try:
            with _opened(self.path) as base:
                present = _schema(base, self.inside).names
                wanted = [name for name in columns or present if name in present] or present[:1]
                chosen = ", ".join(map(_quoted, wanted))
                rows = base.sql(f"SELECT {chosen} FROM {_quoted(self.inside)} ORDER BY rowid")  # noqa: S608
                yield from rows.to_arrow_reader(ROWS)
        except GeneratorExit:
            raise
        except Exception as error:  # as above
            problems.append(self.broken(error, cells))

    @property
    def schema(self) -> Any:
        """As stored."""
        try:
            with _opened(self.path) as base:
                return _schema(base, self.inside)
        except Exception as error:  # as above
            raise DatalintError(f"{self.shown} cannot be read: {reason(error)}") from error

    def write(self, path: Path, batches: Iterable[Any]) -> DuckDbPartition:  # noqa: ARG002
        """Not written: what else the file holds would be lost.

        Raises:
            DatalintError: always.
        """
        raise DatalintError(f"{self.shown}: such files are not written again; save the table as CSV or Parquet")


def _schema(base: Any, table: str) -> Any:
    return base.sql(f"SELECT * FROM {_quoted(table)} LIMIT 0").to_arrow_table().schema  # noqa: S608
