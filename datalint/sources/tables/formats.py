"""Which table formats there are, and which of them a file has."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from datalint.core.dataset import Field
from datalint.sources.files import TEXTS, reason, spoken
from datalint.sources.packing import without_packing
from datalint.sources.plugins import FORMATS, loaded
from datalint.sources.tables.arrow import ArrowFormat
from datalint.sources.tables.avro import AvroFormat
from datalint.sources.tables.conll import ConllFormat
from datalint.sources.tables.convert import TablePlan
from datalint.sources.tables.csv_format import CsvFormat
from datalint.sources.tables.double_colons import DoubleColonFormat
from datalint.sources.tables.duckdb_file import DuckDbFormat
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.excel import ExcelFormat
from datalint.sources.tables.fasttext import FastTextFormat
from datalint.sources.tables.format import Candidate, TableFormat
from datalint.sources.tables.json_document import JsonFormat
from datalint.sources.tables.jsonlines import JsonLinesFormat
from datalint.sources.tables.orc import OrcFormat
from datalint.sources.tables.parquets import ParquetFormat
from datalint.sources.tables.sqlite import SqliteFormat
from datalint.sources.tables.svmlight import SvmlightFormat
from datalint.sources.tables.tfrecord import TfRecordFormat
from datalint.sources.tables.time_series import TimeSeriesFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.sources.tables.format import TableFile, TablePartition

BUILT_IN: tuple[type[TableFormat], ...] = (
    ParquetFormat,
    ArrowFormat,
    OrcFormat,
    AvroFormat,
    SqliteFormat,
    DuckDbFormat,
    TfRecordFormat,
    TimeSeriesFormat,
    ExcelFormat,
    FastTextFormat,
    SvmlightFormat,
    DoubleColonFormat,
    ConllFormat,
    JsonLinesFormat,
    JsonFormat,
    CsvFormat,
)
"""The last reads what no other claims."""


@cache
def installed_formats() -> tuple[dict[TableFormat, str], list[str]]:
    """All formats with what messages call those of other distributions, and what is wrong with those that are not used."""
    others, wrong = loaded(FORMATS, TableFormat)
    *own, text = (make() for make in BUILT_IN)
    return {**dict.fromkeys(own, ""), **dict(others), text: ""}, wrong


def formats() -> tuple[TableFormat, ...]:
    """All of them."""
    return tuple(installed_formats()[0])


@cache
def suffixes() -> frozenset[str]:
    """Of files that are tables."""
    return frozenset().union(*(known.suffixes for known in formats() if known.sure))


@cache
def unsure_suffixes() -> frozenset[str]:
    """Of files that are tables if their content says so."""
    return frozenset().union(*(known.suffixes for known in formats() if not known.sure)) - suffixes()


@cache
def known_suffixes() -> frozenset[str]:
    """Of all formats."""
    return suffixes() | unsure_suffixes() | TEXTS


def look(path: Path, shown: str, name: str, like: TableFile | None = None, *, column: bool = False) -> TableFile:
    """Recognise one file as a table; see :class:`Candidate` for the arguments.

    Raises:
        NotATable: it is something else, or several tables; the message says what.
    """
    tables = tables_of(path, shown, name, like, column=column)
    if len(tables) != 1:
        raise NotATable(f"{len(tables):,} tables")
    return tables[0]


def tables_of(
    path: Path, shown: str, name: str, like: TableFile | None = None, *, column: bool = False
) -> Sequence[TableFile]:
    """Recognise the tables of one file.

    Raises:
        NotATable: it is something else; the message says what.
    """
    file = Candidate(path, shown, name, like, column)
    by = ""
    try:
        known = _format_of(file)
        by = f" by {plugin}" if (plugin := installed_formats()[0][known]) else ""
        return known.tables(file)
    except NotATable:
        raise
    except OSError as error:
        raise NotATable(reason(error)) from error
    except Exception as error:  # whatever a library makes of bytes that nobody expected is the fault of this one file
        raise NotATable(f"cannot be read as a table{by}: {spoken(error)}") from error


def _format_of(file: Candidate) -> TableFormat:
    start, _ = file.start
    name = without_packing(file.name.lower())
    *others, text = formats()
    for known in others:
        if known.recognises(start, name):
            return known
    return text


def whole_partition(file: TableFile) -> TablePartition:
    """All rows of a file in one piece."""
    fields = tuple(Field(name, kind) for name, kind in file.kinds.items())
    return file.format.whole(file, TablePlan(fields))
