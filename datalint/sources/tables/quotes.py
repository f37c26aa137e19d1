"""Quotes that are not closed, in a partition of delimited text that was read to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.tables.packed import open_bytes
from datalint.sources.tables.unlike import SWALLOWED

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.sources.tables.dialect import Dialect

LAST = 64 << 10
"""Bytes that hold the last line of a file."""


def ends_open(path: Path, dialect: Dialect, start: int, spans: bool, may_span: bool) -> bool:
    """Whether the file may end within quotes: an answer from its last line, for most files.

    Args:
        path: of the file.
        dialect: how it is written.
        start: byte at which the rows begin.
        spans: whether the last row has several lines, so that its last one begins within quotes.
        may_span: whether one that was left out may.
    """
    plain = _plain(dialect)
    if plain is None:
        return False
    if dialect.compression:
        return may_span
    with path.open("rb") as file:
        file.seek(max(start, path.stat().st_size - LAST))
        line = file.read().rstrip(b"\r\n").rpartition(b"\n")[2]
    return _after(line, spans, *plain) or (may_span and _after(line, True, *plain))


def _plain(dialect: Dialect) -> tuple[bytes, bytes] | None:
    """Delimiter and quote as they are in the file; None where lines cannot be cut at the bytes of line ends."""
    if not dialect.quote or dialect.collapse or dialect.encoding == "utf-16":
        return None
    return dialect.delimiter.encode(), dialect.quote.encode()


def unclosed(path: Path, shown: str, dialect: Dialect, start: int, stop: int | None, above: int) -> list[Problem]:  # noqa: C901 - one pass over the lines with its state
    """The value with the most lines that are rows, or that the end of the file cuts short, and where it begins.

    Args:
        path: of the file.
        shown: what it is called.
        dialect: how it is written.
        start: byte at which the partition starts.
        stop: byte before which it ends; None for the end of the file.
        above: lines of the file above its first row.
    """
    plain = _plain(dialect)
    if plain is None:
        return [Problem("quote", shown, "a quote that is not closed draws other lines into its row")]
    delimiter, quote = plain
    first = best = began = lines = rows = 0
    opened = False
    commas = len(dialect.names) - 1
    with open_bytes(path, dialect.compression) as file:
        if start:
            file.seek(start)
        else:
            for _ in range(dialect.data_start):
                file.readline()
        for number, line in enumerate(file, start=1 + above):
            if stop is not None and file.tell() > stop:
                break
            if opened:
                lines += 1
                rows += line.count(delimiter) == commas
            before, opened = opened, _after(line.rstrip(b"\r\n"), opened, delimiter, quote)
            if opened and not before:
                began, lines, rows = number, 0, 0
            elif before and not opened and lines >= SWALLOWED and rows > 0.8 * lines and lines > best:
                first, best = began, lines
    if opened:
        drawn = f", and draws {_counted(lines)} after it into one row" if lines else ""
        text = f"a quote that opens in line {began:,} is not closed before the end{drawn}"
    elif best:
        text = f"a quote that opens in line {first:,} draws {_counted(best)} into one row"
    else:
        return []
    return [Problem("quote", shown, text)]


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
