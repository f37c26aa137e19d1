"""Hostile text tables: delimited text in every dialect, JSON lines, and both of them packed."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.fuzz.case import Case
from tests.fuzz.damage import damaged

if TYPE_CHECKING:
    from random import Random

NAMES = ("a", "b", "note", "when", "label", "id", "split", "x1", "target", "group")
WORDS = ("cat", "dog", "bird", "yes", "no", "0", "1", "true", "")
ODD_TEXTS = (
    *("", " ", "\t", "nan", "NaN", "-nan", "inf", "-Infinity", "NULL", "None", "N/A", "?", "-", "#", "'", '"', '""'),
    *("9" * 400, "1" * 40, "1e999", "-1e-999", "0x1p5", "1_000", "1,5", "1.5.2", "+", "-0", "00012", "٣", "¹"),
    *("0000-00-00", "9999-99-99", "2020-02-30T25:61:61", "1e3-01-01", "12:00", "2020-01-01T00:00:00+99:99"),
    *("$1e400", "50%", "€ 1.000,00", "true", "TRUE", "1.0", "=cmd|' /C calc'!A0", "@SUM(1)", "\x1b[31mred", "\x9b2J"),
    *("<script>alert(1)</script>", "{{7*7}}", "%s%n", "../../etc/passwd", "::error::x", "##vso[x]", "\ufeff", "\u202e"),
    *(
        "\U0001f4a9" * 3,
        "e\u0301",
        "ß",
        "İ",
        "\u2028",
        "\x85",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x00",
        "a\nb",
        "a\r\nb",
        "\ufffe",
    ),
    *("x" * 300, "word " * 80, "(" * 200, "[" * 50, "\\", "\\N", "\\x00", "NaT", "1970-01-01", "253402300800"),
)
ODD_DELIMITERS = (*"'\"\\ax1.0-# \0", "€", "::", "\u2063", "\t\t", "")
ENCODINGS = (
    *("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"),
    *("shift_jis", "utf-7", "cp037", "gb18030"),
)


def cell(r: Random, column: int) -> str:
    """One that an honest table could hold."""
    kind = column % 5
    if kind == 0:
        return f"{r.gauss(0, 1):.3f}"
    if kind == 1:
        return str(r.randrange(1000))
    if kind == 2:
        return " ".join(r.choice(("some", "text", "with", "words", "naïve", "日本")) for _ in range(r.randint(1, 6)))
    if kind == 3:
        return f"20{r.randrange(10, 30)}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}"
    return r.choice(WORDS[:5])


def odd_text(r: Random) -> str:
    """A cell, a name or a label that trips somebody."""
    if r.random() < 0.05:
        return r.choice(("x", "9", "é", "\U0001f600", '"')) * r.choice((1_000, 5_000, 20_000))
    return r.choice(ODD_TEXTS)


def csv(r: Random) -> bytes:
    """A table in one of many dialects, then spoilt: cells, rows, header, delimiter, line ends, encoding, bytes."""
    columns = r.choice((1, 2, 3, 5, 5, 8, 12, 60))
    rows = r.choice((0, 1, 2, 12, 40, 40, 40, 90, 300))
    names = [NAMES[k] if k < len(NAMES) else f"f{k}" for k in range(columns)]
    grid = [[cell(r, k) for k in range(columns)] for _ in range(rows)]
    for _ in range(r.choice((0, 1, 1, 3, 12))):
        _spoil(r, names, grid)
    delimiter = r.choice((*",,,,;\t|", " ")) if r.random() < 0.85 else r.choice(ODD_DELIMITERS)
    quote = r.choice(('"', '"', '"', "'", "", "`"))
    lines = [delimiter.join(_quoted(r, text, delimiter, quote) for text in row) for row in grid]
    if r.random() < 0.85:
        lines.insert(0, delimiter.join(_quoted(r, text, delimiter, quote) for text in names))
    if r.random() < 0.12:
        said = delimiter if r.random() < 0.5 else r.choice(ODD_DELIMITERS)
        lines.insert(0, r.choice(("sep=", "sep=", "SEP=", "#", '"sep=')) + said)
    if r.random() < 0.1:
        lines[:0] = ["# a comment"] * r.choice((1, 3, 200))
    for _ in range(r.choice((0, 0, 0, 1, 4))):
        lines.insert(
            r.randrange(len(lines) + 1), r.choice(("", '"', ",,,,", "@relation x", "\x1a", "a,b,label", "'" * 9))
        )
    ends = r.choice((("\n",), ("\n",), ("\r\n",), ("\r",), ("\n", "\r\n", "\r"), ("\u2028",), ("\n\n",)))
    text = "".join(line + r.choice(ends) for line in lines)
    if r.random() < 0.2:
        text = text[: r.randrange(len(text) + 1)]
    data = text.encode(r.choice(ENCODINGS), errors="replace")
    if r.random() < 0.3:
        data = damaged(r, data)
    return data


def _spoil(r: Random, names: list[str], grid: list[list[str]]) -> None:
    kind = r.randrange(8)
    if kind == 0:
        names[r.randrange(len(names))] = odd_text(r)
    elif kind == 1:
        names[r.randrange(len(names))] = r.choice(names)
    elif not grid:
        return
    elif kind == 2:
        grid[r.randrange(len(grid))] = [odd_text(r) for _ in range(r.choice((0, 1, len(names), len(names) + 2, 400)))]
    elif kind == 3:
        grid[r.randrange(len(grid)) :] = []
    elif kind == 4:  # a whole column
        k = r.randrange(len(names))
        texts = [odd_text(r) for _ in range(r.choice((1, 2, 9)))]
        for row in grid:
            if k < len(row) and r.random() < 0.9:
                row[k] = r.choice(texts)
    elif kind == 5:
        row = r.choice(grid)
        del row[r.randrange(len(row) + 1) :]
    else:
        row = r.choice(grid)
        if row:
            row[r.randrange(len(row))] = odd_text(r)


def _quoted(r: Random, text: str, delimiter: str, quote: str) -> str:
    needed = (delimiter and delimiter in text) or "\n" in text or '"' in text
    if quote and (needed or r.random() < 0.03) and r.random() < 0.95:
        return quote + text.replace(quote, quote * 2) + (quote if r.random() < 0.98 else "")
    return text


def odd_value(r: Random, depth: int = 0) -> Any:
    """Any value of JSON, and some that only Python writes."""
    kind = r.randrange(12)
    if kind == 0:
        return r.choice((None, True, False, [], {}, "", 0, -0.0))
    if kind == 1:
        return r.choice((float("nan"), float("inf"), -float("inf"), 1e308, 5e-324, 10**30, -(10**400), 2**63, 2**64))
    if kind == 2 and depth < 4:
        return [odd_value(r, depth + 1) for _ in range(r.choice((0, 1, 3, 30)))]
    if kind == 3 and depth < 4:
        return {odd_key(r): odd_value(r, depth + 1) for _ in range(r.choice((0, 1, 4)))}
    if kind == 4:
        return r.choice(("\ud800", "\udfff", "a\udc80b", "\u0000", "\ud83d\ude00"))
    if kind < 8:
        return odd_text(r)
    return r.choice((r.random(), r.randrange(1000), r.choice(WORDS)))


def odd_key(r: Random) -> str:
    """A key, mostly one of the usual."""
    return r.choice(NAMES) if r.random() < 0.7 else r.choice(("\udfff", "", "\x00", "a.b", "__proto__", odd_text(r)))


def json_lines(r: Random) -> bytes:
    """Objects of a table, some with odd keys and values, some lines no objects, then damage to the bytes."""
    lines = []
    odd = r.choice((0.0, 0.02, 0.2))
    names = [odd_key(r) for _ in range(r.choice((2, 4, 4, 9)))]
    for row in range(r.choice((0, 1, 12, 40, 40, 120))):
        record: Any = {name: odd_value(r) if r.random() < odd else cell_value(r, k) for k, name in enumerate(names)}
        if r.random() < odd:
            record = {**record, f"own{row}": 1, odd_key(r): odd_value(r)}
        line = json.dumps(record, ensure_ascii=r.random() < 0.9)
        if r.random() < odd / 2:
            line = r.choice(
                (
                    *(
                        "[1, 2]",
                        "null",
                        "",
                        " ",
                        "{",
                        "}",
                        '{"a":1}{"a":2}',
                        '"text"',
                        "NaN",
                        "[" * 3000,
                        '{"a":' * 2000,
                    ),
                    *(
                        '{"a": 1, "a": 2}',
                        "{'a': 1}",
                        '{"a": 0123}',
                        '{"a": 1e99999}',
                        '{"a": "\\ud800"}',
                        "\x00",
                        "\ufeff{}",
                    ),
                    *('{"a": -}', '{"a": ' + "9" * 5000 + "}", '{"label": {"a": [1, {"b": null}]}}', "// x", line[:-3]),
                )
            )
        lines.append(line)
    end = r.choice(("\n", "\n", "\n", "\r\n", "\r", ",\n"))
    text = end.join(lines) + end
    if r.random() < 0.05:
        text = "[" + text + "]"
    if r.random() < 0.5:
        data = text.encode(errors="surrogatepass")
    else:
        data = text.encode(r.choice(ENCODINGS) if r.random() < 0.3 else "utf-8", errors="replace")
    return damaged(r, data) if r.random() < 0.25 else data


def cell_value(r: Random, column: int) -> Any:
    """The same as :func:`cell` as a value."""
    text = cell(r, column)
    return float(text) if column % 5 == 0 else int(text) if column % 5 == 1 else text


def packed(r: Random, data: bytes) -> bytes:
    """The data as gzip: whole, in several members, with odd headers, cut, with lies, with waste behind it."""
    kind = r.randrange(9)
    whole = gzip.compress(data, mtime=0)
    if kind == 0:
        return whole
    if kind == 1:
        cut = r.randrange(len(data) + 1)
        return gzip.compress(data[:cut], mtime=0) + gzip.compress(data[cut:], mtime=0)
    if kind == 2:
        return whole[: r.randrange(len(whole))]
    if kind == 3:  # checksum or length lies
        return whole[:-8] + struct.pack("<II", r.choice((0, zlib.crc32(data))), r.choice((0, 2**32 - 1, len(data) ^ 1)))
    if kind == 4:
        return whole + r.choice(
            (b"\0" * 1000, b"waste", r.randbytes(50), b"\x1f\x8b", gzip.compress(b"", mtime=0), whole[:20])
        )
    if kind == 5:
        flags = r.choice((4, 8, 16, 2, 31, 224))
        name = r.choice((b"x\0", b"x" * 70_000 + b"\0", b"x" * 3000))
        return whole[:3] + bytes([flags]) + whole[4:10] + struct.pack("<H", r.choice((0, 2, 65535))) + name + whole[10:]
    if kind == 6:
        return gzip.compress(whole, mtime=0)
    if kind == 7:
        return r.choice(
            (data, zlib.compress(data), b"PK\x03\x04" + whole, b"BZh9" + whole, b"\x28\xb5\x2f\xfd" + whole)
        )
    return damaged(r, whole)


@cache
def _block(byte: bytes) -> bytes:
    return gzip.compress(byte * (1 << 20), mtime=0)


def bomb(r: Random) -> bytes:
    """A small file that unpacks to as much as 1.5 GB: a megabyte, packed once and repeated."""
    head = gzip.compress(b"a,b,label\n" + b"1,2,x\n3,4,y\n" * 20, mtime=0)
    return head + _block(r.choice((b"\0", b"\n", b" ", b",", b'"', b"1", b"1\n", b"a,b\n"))) * r.choice((20, 200, 1500))


def csv_case(r: Random) -> Case:
    """Delimited text."""
    suffix = r.choice((".csv", ".csv", ".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".trn", ""))
    name = r.choice(("bad", "train", "bad", "test"))
    if r.random() < 0.1:
        return Case({f"train{suffix}": csv(r), f"test{suffix}": csv(r)})
    return Case({f"{name}{suffix}": csv(r)})


def json_lines_case(r: Random) -> Case:
    """JSON lines."""
    return Case({r.choice(("bad.jsonl", "train.jsonl", "bad.ndjson")): json_lines(r)})


def packed_case(r: Random) -> Case:
    """Packed tables, and what calls itself packed."""
    if r.random() < 0.5:
        return Case({r.choice(("bad.csv.gz", "bad.tsv.gz", "bad.csv", "bad.gz", "bad.csv.gz.gz")): packed(r, csv(r))})
    return Case({r.choice(("bad.jsonl.gz", "bad.ndjson.gz", "bad.jsonl")): packed(r, json_lines(r))})
