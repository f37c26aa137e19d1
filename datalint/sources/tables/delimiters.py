"""Where the fields of a text table end: the delimiter and quote that give the steadiest field count."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.header import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DELIMITERS = (",", "\t", ";", "|")
TABLE_SUFFIXES = ("csv", "tsv", "tab")
RAW_SUFFIXES = ("data", "dat", "trn", "tst")

_MAX_RECORDS = 2_000
_MAX_CELLS = 200_000  # keeps a table of 50,000 columns as quick to judge as a narrow one
_TOKEN = re.compile(r'"[^"]*"|\S+')
_SPACED_NUMBERS = re.compile(r"\s*[-+.\d][-+.\deE]*(?:\s+[-+.\d][-+.\deE]*){2,}\s*")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Record:
    """One record and where it lies."""

    line: int  # 1-based number of the line it starts on
    end: int
    fields: list[str]


@dataclass(frozen=True)
class Reading:
    """The records under one delimiter and quote; `first` is where records of the usual width begin."""

    delimiter: str
    quote: str
    records: list[Record]
    width: int
    share: float
    first: int

    @property
    def body(self) -> list[list[str]]:
        """Fields of the records of the usual width."""
        return [record.fields for record in self.records[self.first :] if len(record.fields) == self.width]


def read_records(
    text: str, delimiter: str, quote: str, *, collapse: bool = False, keep_space: bool = False, strict: bool = False
) -> Iterator[Record]:
    """Non-empty records of the text; `collapse`: runs of blanks divide.

    Raises `csv.Error` on endless fields and, if `strict`, on text after a closing quote.
    """
    # newline="" keeps the line ends inside quotes and does not split at the exotic ones of str.splitlines.
    lines = io.StringIO(text, newline="")
    if collapse:
        for number, line in enumerate(lines, start=1):
            if tokens := _TOKEN.findall(line):
                yield Record(number, number, [token.strip('"') for token in tokens])
        return
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=delimiter != " " and not keep_space,
        strict=strict,
    )
    before = 0
    for fields in reader:
        if len(fields) > 1 or (fields and fields[0].strip()):
            yield Record(before + 1, reader.line_num, fields)
        before = reader.line_num


def _read(text: str, delimiter: str, quote: str, *, complete: bool) -> Reading:
    records: list[Record] = []
    cells = 0
    try:
        for record in read_records(text, delimiter, quote, collapse=delimiter == " "):
            records.append(record)
            cells += len(record.fields)
            if len(records) >= _MAX_RECORDS or (cells >= _MAX_CELLS and len(records) >= 3):
                break
    except csv.Error:  # a field beyond 128 kB: a quote that never closes
        return Reading(delimiter, quote, [], 0, 0.0, 0)
    if not complete and len(records) > 3:
        records.pop()  # its quotes may close after the end of the head
    widths = Counter(len(record.fields) for record in records)
    width = max(widths, key=lambda w: (widths[w], w), default=0)
    first = next((i for i, record in enumerate(records[:30]) if len(record.fields) == width), 0)
    share = widths[width] / (len(records) - first) if records else 0.0
    return Reading(delimiter, quote, records, width, share, first)


def choose(text: str, suffix: str, forced: str | None, *, complete: bool) -> Reading:
    """The reading with the steadiest field count. Raises `NotATable` where none is steady enough for the suffix."""
    if forced:
        return _read(text, forced, '"', complete=complete)
    quotes = _quotes(text)
    present = [delimiter for delimiter in DELIMITERS if delimiter in text] or [","]
    readings = [_with_quotes(text, delimiter, quotes, complete) for delimiter in present]
    good = [r for r in readings if r.width > 1 and r.share >= 0.9]
    good = [r for r in good if not (r.delimiter == "," and any(map(_has_decimal_commas, good)))]
    # A comma belongs to sentences, a tab to no text; other ties go to the earlier delimiter.
    tabs = suffix in {".tsv", ".tab"}
    best = max(
        good,
        key=lambda r: (_grade(r), tabs and r.delimiter == "\t", r.width, r.delimiter == "\t"),
        default=None,
    )
    if best is None or _holds_spaced_numbers(best):
        blank = _read(text, " ", '"', complete=complete)
        # The header of a comma table with a column of such lists is no line of a blank table.
        if _is_blank_table(blank) and (best is None or best.first >= blank.first):
            return blank
    if best is None:
        single = _read(text, ",", '"', complete=complete)
        best = _lenient(readings, single) if suffix in TABLE_SUFFIXES else None
        if best is None:
            raise NotATable(_prose(single, complete))
    _refuse_prose(best, suffix, complete)
    return best


def _with_quotes(text: str, delimiter: str, quotes: Sequence[str], complete: bool) -> Reading:
    """The reading under the first quote that divides the lines evenly and closes where a field ends."""
    readings = [_read(text, delimiter, quote, complete=complete) for quote in quotes]
    steady = [r for r in readings if r.width > 1 and r.share >= 0.9]
    right = next((r for r in steady if _well_quoted(text, r)), max(readings, key=lambda r: r.share))
    quoted = next((r for r in steady if r.quote), None)
    if right.quote or quoted is None:
        return right
    # A few quotes that are left open make none of the others plain text.
    torn = len(quoted.records) - quoted.first - len(quoted.body)
    opened = sum(any(map(opens, row)) for row in right.body)
    return quoted if opened > 10 * max(torn, 1) else right


def opens(cell: str) -> bool:
    """Whether a cell begins with a quote that it does not close, so that other readers go on to the next one."""
    return cell[:1] == '"' and cell.count('"') % 2 == 1


def _well_quoted(text: str, reading: Reading) -> bool:
    """Whether no text follows a closing quote: in ``5" disk`` the quote is an inch, and others may pair up by chance."""
    if not reading.quote or reading.quote not in text:
        return True
    try:
        for _ in read_records(text, reading.delimiter, reading.quote, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)  # the head may end within quotes
    return True


def _grade(reading: Reading) -> int:
    """Share of rows with the usual width in steps of 2 %; lines above the first of them count a little against it."""
    return round(reading.share * 50) - (2 if reading.first else 0)


def _quotes(text: str) -> tuple[str, ...]:
    # Blanks within the line: a run of line ends would be gone through from each of them.
    if re.search(r"(^|[,;\t|])[ \r]*'[^'\n]*'[ \r]*([,;\t|]|$)", text, re.MULTILINE) and '"' not in text:
        return ("'", '"')
    return ('"', "") if '"' in text else ('"',)


def _has_decimal_commas(reading: Reading) -> bool:
    if reading.delimiter == ",":
        return False
    with_comma = [cell for row in reading.body[:200] for cell in row if "," in cell]
    return sum(_DECIMAL_COMMA.fullmatch(cell.strip()) is not None for cell in with_comma) > len(with_comma) / 2


def _is_blank_table(reading: Reading) -> bool:
    """Words divide at blanks in every text; a table has the same number in each line, and numbers among them."""
    if reading.width < 2 or reading.share < 0.95 or len(reading.records) < 2:
        return False
    return _typed_columns(reading) > 0


def _typed_columns(reading: Reading) -> int:
    rows = reading.body[1:201] or reading.body
    typed = 0
    for values in zip(*rows, strict=True):
        shapes = Counter(map(shape_of, values))
        present = len(values) - shapes["missing"]
        typed += present > 0 and shapes["text"] <= 0.1 * present
    return typed


def _holds_spaced_numbers(reading: Reading) -> bool:
    """A column whose cells are lists of numbers: the true delimiter is the blank between those."""
    rows = reading.body[1:201]
    columns = zip(*rows, strict=True)
    return any(sum(_SPACED_NUMBERS.fullmatch(v) is not None for v in values) > len(values) / 2 for values in columns)


def _lenient(readings: Sequence[Reading], single: Reading) -> Reading | None:
    """For files that call themselves tables: one column, or rows of uneven length under most delimiters."""
    if single.width == 1 and single.share >= 0.9:
        return single
    uneven = [r for r in readings if r.width > 1 and r.share >= 0.5]
    return max(uneven, key=lambda r: r.share, default=None)


def _prose(single: Reading, complete: bool) -> str:
    if len(single.records) <= 1 and complete:
        return "one line of text"
    if single.width == 1 and single.share >= 0.9:
        return "lines of text without a delimiter"
    return "text whose lines do not divide into a steady number of fields"


def _refuse_prose(reading: Reading, suffix: str, complete: bool) -> None:
    records = reading.records
    if len(records) == 1 and complete and suffix not in RAW_SUFFIXES:
        longest = max(len(cell.split()) for cell in records[0].fields)
        if longest > (2 if reading.width == 1 else 6) or (suffix not in TABLE_SUFFIXES and reading.width < 3):
            raise NotATable("one line of text")
    if suffix in TABLE_SUFFIXES:
        return
    # Under other names two or three lines of prose may hold a comma each: ask for numbers, or for many steady lines.
    if not _typed_columns(reading) and (len(records) < 10 or reading.share < 0.98):
        raise NotATable(_prose(reading, complete))
