"""Quotes that are not closed, in a partition of delimited text that was read to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.tables.packed import open_bytes
from datalint.sources.tables.unlike import SWALLOWED

if TYPE_CHECKING:
    from datalint.sources.tables.csvs import CsvPartition

LAST = 64 << 10
"""Bytes that hold the last line of a file."""


def ends_open(part: CsvPartition, spans: bool, may_span: bool) -> bool:
    """Whether the file may end within quotes: an answer from its last line, for most files.

    ``spans``: whether the last row has several lines, so that its last one begins within quotes; ``may_span``: whether
    one that was left out may.
    """
    plain = _plain(part)
    if part.stop is not None or plain is None:
        return False
    if part.dialect.compression:
        return may_span
    with part.path.open("rb") as file:
        file.seek(max(part.starts[-1], part.path.stat().st_size - LAST))
        line = file.read().rstrip(b"\r\n").rpartition(b"\n")[2]
    return _after(line, spans, *plain) or (may_span and _after(line, True, *plain))


def _plain(part: CsvPartition) -> tuple[bytes, bytes] | None:
    """Delimiter and quote as they are in the file; None where lines cannot be cut at the bytes of line ends."""
    dialect = part.dialect
    if not dialect.quote or dialect.collapse or dialect.encoding == "utf-16":
        return None
    return dialect.delimiter.encode(), dialect.quote.encode()


def unclosed(part: CsvPartition) -> list[Problem]:  # noqa: C901 - one pass over the lines with its state
    """The value with the most lines that are rows, or that the end of the file cuts short, and where it begins."""
    plain = _plain(part)
    if plain is None:
        return [Problem("quote", part.shown, "a quote that is not closed draws other lines into its row")]
    delimiter, quote = plain
    first = best = start = lines = rows = 0
    opened = False
    commas = len(part.dialect.names) - 1
    with open_bytes(part.path, part.dialect.compression) as file:
        if part.starts[-1]:
            file.seek(part.starts[-1])
        else:
            for _ in range(part.dialect.data_start):
                file.readline()
        for number, line in enumerate(file, start=1 + part.lines_above):
            if part.stop is not None and file.tell() > part.stop:
                break
            if opened:
                lines += 1
                rows += line.count(delimiter) == commas
            before, opened = opened, _after(line.rstrip(b"\r\n"), opened, delimiter, quote)
            if opened and not before:
                start, lines, rows = number, 0, 0
            elif before and not opened and lines >= SWALLOWED and rows > 0.8 * lines and lines > best:
                first, best = start, lines
    if opened:
        drawn = f", and draws {_counted(lines)} after it into one row" if lines else ""
        text = f"a quote that opens in line {start:,} is not closed before the end{drawn}"
    elif best:
        text = f"a quote that opens in line {first:,} draws {_counted(best)} into one row"
    else:
        return []
    return [Problem("quote", part.shown, text)]


def _counted(lines: int) -> str:
    return f"{lines:,} {'lines' if lines > 1 else 'line'}"


def _after(line: bytes, opened: bool, delimiter: bytes, quote: bytes) -> bool:
    """Whether a quoted value is open after a line, as pyarrow reads it: quotes within a plain value are its text."""
    at = 0
    while True:
        if not opened:
            if line[at : at + 1] != quote:
                at = line.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            at += 1
        end = line.find(quote, at)
        if end < 0:
            return True
        opened = line[end + 1 : end + 2] == quote
        at = end + 2 if opened else line.find(delimiter, end + 1) + 1
        if not opened and not at:
            return False
