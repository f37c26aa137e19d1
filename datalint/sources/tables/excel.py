"""Workbooks of Excel and LibreOffice: each sheet a table. Needs the extra ``excel``."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint.core.project import install
from datalint.sources.packing import unpacked_limit
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.rows import RowsPartition, table_of_rows, unique_names

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from datalint.sources.tables.convert import TablePlan

ABOVE = 20
"""Rows above the header, such as a title, that are passed over."""


class ExcelFormat(TableFormat):
    """Sheets whose first full row is a header."""

    title = "Excel"
    suffixes = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
    sure = False

    def look(self, file: Candidate) -> TableFile:
        """The first sheet."""
        return self.tables(file)[0]

    def tables(self, file: Candidate) -> Sequence[TableFile]:
        """Look at the rows of each sheet."""
        try:
            found = []
            book = _opened(file.path)
            for sheet in book.sheet_names:
                rows = _rows(book, sheet)
                top = _header(rows)
                if top is None:
                    continue
                body = rows[top + 1 :]
                step = max(1, len(body) * len(rows[top]) // CELLS)
                names = unique_names(rows[top])
                table = table_of_rows(
                    file, self, sheet, names, [[_value(value) for value in row] for row in body[::step]]
                )
                table.about = (top, tuple(names))
                found.append(table)
        except NotATable:
            raise
        except Exception as error:  # calamine's errors have no class in common
            raise NotATable(f"a damaged workbook: {_said(error)}") from error
        if not found:
            raise NotATable("a workbook without a table: no sheet has a row of column names")
        return found

    def whole(self, file: TableFile, plan: TablePlan) -> ExcelPartition:
        """All rows of a sheet."""
        top, names = file.about
        return ExcelPartition(file.path.absolute(), file.shown, plan, file.inside, top, names)


def _opened(path: Path) -> Any:
    """The workbook.

    Raises:
        NotJudged: the reader is not installed.
        NotATable: it unpacks to far more than a workbook does.
    """
    try:
        import python_calamine
    except ImportError as error:
        raise NotJudged(f"an Excel workbook: {install('excel')} reads it, or save the sheet as CSV") from error
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > unpacked_limit(path.stat().st_size):
                raise NotATable("unpacks to far more than a workbook of its size does: not opened")
    return python_calamine.load_workbook(os.fspath(path))


def _rows(book: Any, sheet: str) -> list[list[Any]]:
    rows: list[list[Any]] = book.get_sheet_by_name(sheet).to_python(skip_empty_area=True)
    return rows


def _header(rows: Sequence[Sequence[Any]]) -> int | None:
    """The row of column names: the first that is full of texts, with something below it."""
    for k, row in enumerate(rows[:ABOVE]):
        texts = [value for value in row if isinstance(value, str) and value.strip()]
        if k + 1 < len(rows) and len(row) > 1 and len(texts) >= 0.8 * len(row):
            return k
    return None


def _said(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@dataclass(frozen=True)
class ExcelPartition(RowsPartition):
    """One sheet."""

    top: int
    """The row of column names."""
    columns: tuple[str, ...]

    def read(self, columns: Sequence[str], size: int) -> Generator[list[Sequence[Any]]]:
        """Of a sheet that is read at once."""
        try:
            rows = _rows(_opened(self.path), self.inside)[self.top + 1 :]
        except NotATable as error:
            raise OSError(str(error)) from error
        except Exception as error:  # calamine's errors have no class in common
            raise OSError(_said(error)) from error
        places = [self.columns.index(name) for name in columns if name in self.columns]
        for start in range(0, len(rows), size):
            yield [[_value(row[j]) for j in places] for row in rows[start : start + size]]


def _value(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value
