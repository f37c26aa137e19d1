"""How a text table is written: encoding, delimiter, quotes, header and column names, from its first bytes."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core.wording import counted
from datalint.sources.packing import without_packing
from datalint.sources.tables.delimiters import TABLE_SUFFIXES, Reading, Record, choose, opens, read_records
from datalint.sources.tables.encoding import NeedMoreBytes, NotATable, decode
from datalint.sources.tables.header import final_names, header_odds, is_missing, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.sources.packing import Packing

__all__ = ["Dialect", "NeedMoreBytes", "NotATable", "ragged", "sniff", "squeeze"]

_SEP_LINE = re.compile(r'("?)sep=([^\r\n])\2*\1[ \t]*(?:[\r\n]|$)', re.IGNORECASE)
"""A spreadsheet pads the line with the delimiter when it saves the file again."""

_DIVIDES = frozenset("\t !#$%&()*,/:;<=>?@[]^`{|}~")
"""What may set values apart: not what values, numbers and quotes are made of."""
_ATTRIBUTE = re.compile(r"""@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|([^\s{\[]+))""", re.IGNORECASE)
_OUTPUT = re.compile(r"@outputs?\s+(\S+)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """What a reader must know; `names` are final, whatever the file says: pass them, and skip `data_start` lines.

    encoding: "utf-8", "utf-8-sig", "utf-16", "cp1252" or "latin-1". delimiter: "," tab ";" "|" or " ".
    quote: '"', "'" or "" (quote characters are ordinary text). skip_rows: lines before the header; data_start: lines
    before the first row of data. decimal: "." or ",". collapse: runs of blanks are one delimiter and those at the ends
    of a line none, which pyarrow cannot read: pass each block of lines through `squeeze` first.
    skip_initial_space: values follow the delimiter after a space, so text values must be stripped.
    newlines_in_values: a quoted value spans lines. declared_label: the output that the file itself declares.
    """

    encoding: str
    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...]
    skip_initial_space: bool = False
    skip_rows: int = 0
    compression: Packing | None = None
    problems: tuple[str, ...] = ()
    data_start: int = 0
    decimal: str = "."
    collapse: bool = False
    newlines_in_values: bool = False
    declared_label: str | None = None

    @property
    def named(self) -> bool:
        """Whether the columns have names of their own, from a header or declared above the rows."""
        return self.header or self.names != tuple(f"column_{i + 1}" for i in range(len(self.names)))


def sniff(head: bytes, *, path_name: str, complete: bool) -> Dialect:
    """Recognise the table whose first bytes (decompressed) are `head`.

    `path_name` gives the suffix, which is evidence only. `complete`: the head is the whole file. Raises `NotATable`,
    whose message says what the file is instead, and its subclass `NeedMoreBytes` when fewer than three lines fit into
    an incomplete head (very wide tables): call again with more.
    """
    suffix = _suffix(path_name)
    text, encoding, problems = decode(head, complete=complete)
    if not complete:
        text = _whole_lines(text, len(head))
    declared = _declaration(text)
    body = text if not declared.start else "".join(list(io.StringIO(text, newline=""))[declared.start :])
    if not body.strip() and declared.names:
        reading = Reading(declared.delimiter or ",", '"', [], len(declared.names), 1.0, 0)
    else:
        reading = choose(body, suffix, declared.delimiter, complete=complete)
    start, header, names, found = _titled(reading, declared, suffix)
    records = reading.records[start:]
    rows = [record.fields for record in records[1 if header else 0 :]]
    above = records[0].line - 1 if records else 0
    if above and not declared.start:
        found.append(f"{counted(above, 'line')} above the {'header' if header else 'rows'} skipped")
    collapse = reading.delimiter == " " and _irregular_blanks(body)
    spaced = reading.delimiter != " " and _initial_space(body, reading)
    decimal = (
        "," if reading.delimiter != "," and _decimal_comma([r for r in rows[:500] if len(r) == reading.width]) else "."
    )
    if not _same_ends(body, records):
        found.append("mixed line ends: some lines end in CR LF and some in LF alone")
    if not reading.quote and (opened := sum(any(map(opens, row)) for row in rows)):
        found.append(f"quotes that are not closed in {opened} of the first {len(rows):,} rows: read as plain text")
    if header and records[0].fields in rows:
        found.append("the header is repeated among the rows")
    return Dialect(
        encoding=encoding,
        delimiter=reading.delimiter,
        quote=reading.quote,
        header=header,
        names=names,
        skip_initial_space=spaced,
        skip_rows=declared.start + above,
        problems=(*problems, *found, *_oddities(names, rows, decimal, collapse, spaced)),
        data_start=declared.start + (records[0].end if header else above),
        decimal=decimal,
        collapse=collapse,
        newlines_in_values=any(record.end > record.line for record in records),
        declared_label=declared.label,
    )


def ragged(head: bytes, dialect: Dialect, *, complete: bool = True, limit: int = 10) -> list[tuple[int, int]]:
    """Up to `limit` pairs (1-based line number, fields) of rows whose field count is not that of the names."""
    text = head.decode(dialect.encoding, errors="replace")
    delimiter = " " if dialect.collapse else dialect.delimiter
    records: list[Record] = []
    # A quote that never closes ends the search, not the program.
    with contextlib.suppress(csv.Error):
        records.extend(read_records(text, delimiter, dialect.quote, collapse=dialect.collapse))
    if not complete:
        records = records[:-1]
    wrong = [(r.line, len(r.fields)) for r in records if r.line > dialect.data_start]
    return [pair for pair in wrong if pair[1] != len(dialect.names)][:limit]


def _same_ends(text: str, records: Sequence[Record]) -> bool:
    """Whether all lines end in the same way; where quoted values span lines, which may end otherwise, that is not asked."""
    windows = text.count("\r\n")
    return not windows or windows == text.count("\n") or any(record.end > record.line for record in records)


def squeeze(block: bytes) -> bytes:
    """Whole lines with runs of blanks made one space and blanks at both ends removed, for `Dialect.collapse`."""
    lines = [b" ".join(re.findall(rb'"[^"]*"|\S+', line)) for line in block.splitlines()]
    return b"\n".join(lines) + b"\n" if lines else b""


@dataclass(frozen=True)
class _Declared:
    """What lines above the table say of it: `start` lines of them, names, output and delimiter."""

    start: int = 0
    names: tuple[str, ...] = ()
    label: str | None = None
    delimiter: str | None = None


def _declaration(text: str) -> _Declared:
    """The @relation / @attribute / @data head of KEEL and ARFF files, or Excel's sep= line, if there is one."""
    if match := _SEP_LINE.match(text):
        if match[2] not in _DIVIDES:
            raise NotATable(
                f"its first line says that {match[2]!r} sets the values apart, which is no delimiter; use a comma"
            )
        return _Declared(start=1, delimiter=match[2])
    names: list[str] = []
    label = None
    for number, raw in enumerate(io.StringIO(text, newline=""), start=1):
        line = raw.strip()
        if line.lower().startswith("@data"):
            final, _ = final_names(names)
            return _Declared(number, final, label if label in final else None)
        if line and line[0] not in "@%#":
            break
        if match := _ATTRIBUTE.match(line):
            names.append(next(group for group in match.groups() if group is not None))
        elif match := _OUTPUT.match(line):
            label = match[1]
    return _Declared()


def _suffix(path_name: str) -> str:
    return without_packing(path_name).lower().replace("\\", "/").rpartition("/")[2].partition(".")[2].rpartition(".")[2]


def _whole_lines(text: str, size: int) -> str:
    whole = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    lines = sum(1 for _ in itertools.islice(io.StringIO(whole, newline=""), 3))
    if lines < 3:  # a header and a row or two are too little to judge by, and the caller can read on
        raise NeedMoreBytes(f"fewer than three lines in the first {size:,} bytes")
    return whole


def _titled(reading: Reading, declared: _Declared, suffix: str) -> tuple[int, bool, tuple[str, ...], list[str]]:
    """Index of the record where the table starts, whether that is a header, the names, and what is odd about them."""
    if not reading.records:
        return 0, False, declared.names, []
    start, header, cells = _header(reading, suffix)
    if len(declared.names) == reading.width:
        return reading.first, False, declared.names, []
    if header:
        return start, True, *final_names(cells)
    return start, False, tuple(f"column_{i + 1}" for i in range(reading.width)), []


def _oddities(
    names: Sequence[str], rows: Sequence[Sequence[str]], decimal: str, collapse: bool, spaced: bool
) -> tuple[str, ...]:
    width = len(names)
    uneven = sum(len(row) != width for row in rows)
    closed = width > 1 and len(rows) > 1 and all(not row[-1].strip() for row in rows if len(row) == width)
    closed = closed and names[-1] in (f"Unnamed: {width - 1}", f"column_{width}")
    notes = (
        ("decimal comma", decimal == ","),
        ("spaces after the delimiter", spaced),
        ("runs of blanks, or blanks at the ends of lines, between values", collapse),
        (f"ragged rows: {uneven} of the first {len(rows):,} do not have {width:,} fields", uneven > 0),
        ("every line ends with a delimiter", closed),
    )
    return tuple(note for note, found in notes if found)


def _irregular_blanks(text: str) -> bool:
    outside_quotes = re.sub(r'"[^"\n]*"', "q", text)
    return re.search(r"^[ \t]+\S|[ \t]{2,}|\t|[ \t]$", outside_quotes.replace("\r", ""), re.MULTILINE) is not None


def _header(reading: Reading, suffix: str) -> tuple[int, bool, list[str]]:
    """Index of the record where the table starts, whether that is a header, and its cells."""
    records, start = reading.records, reading.first
    rows = reading.body
    above = records[start - 1].fields if start else []
    raw_suffix = suffix not in (*TABLE_SUFFIXES, "txt", "")
    if above and above[0] == "#" and len(above) == reading.width + 1:  # numpy.savetxt(header="x y z")
        return start - 1, True, above[1:]
    if len(above) == reading.width - 1 > 1 and header_odds(above, [r[1:] for r in rows], raw_suffix=raw_suffix) > 0:
        return start - 1, True, ["", *above]  # R's write.table: no name above the row names
    if (
        len(above) == reading.width + 1
        and not above[-1].strip()
        and header_odds(above[:-1], rows, raw_suffix=False) > 0
    ):
        return start - 1, True, above[:-1]  # a delimiter at the end of the header alone
    first = list(rows[0])
    if _counts_line(first, reading.width):
        return start + 1, False, []
    commented = first[0].lstrip().startswith("#")
    if commented:
        first[0] = first[0].lstrip("# ")
    header = commented or header_odds(first, rows[1:], raw_suffix=raw_suffix) > 0
    return start, header, first


def _counts_line(cells: Sequence[str], width: int) -> bool:
    """Whether a line says "150 rows, 4 columns, names of the classes", as above scikit-learn's iris table."""
    counts = [cell.strip() for cell in cells[:2]]
    return (
        len(cells) > 3
        and all(cell.isdigit() for cell in counts)
        and int(counts[1]) == width - 1
        and all(shape_of(cell) == "text" for cell in cells[2:])
    )


def _decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    """Some column holds numbers with a comma, and they are no thousands (1,234)."""
    for values in zip(*rows, strict=True):
        present = [value.strip() for value in values if not is_missing(value)]
        with_comma = [value for value in present if "," in value]
        if not with_comma or len(with_comma) < len(present) / 2:
            continue
        if all(shape_of(v) in ("integer", "number") and v.count(",") == 1 for v in with_comma) and not all(
            re.fullmatch(r"[-+]?\d{1,3},\d{3}", v) for v in with_comma
        ):
            return True
    return False


def _initial_space(text: str, reading: Reading) -> bool:
    """Whether some column's values mostly follow a space that is no part of them."""
    few = max(3, 20_000 // reading.width)
    records = read_records(text, reading.delimiter, reading.quote, keep_space=True)
    read = [record.fields for record in itertools.islice(records, few)]
    rows = [fields for fields in read if len(fields) == reading.width][1:]
    if len(rows) < len(read) / 4:  # quotes that open after a space are quotes only if the space is skipped
        return len(read) > 3
    columns = itertools.islice(zip(*rows, strict=True), 1, None)
    return any(sum(v[:1] == " " and v.strip() != "" for v in values) > len(values) / 2 for values in columns)
