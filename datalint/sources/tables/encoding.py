"""From the first bytes of a file to text, or the word for what the file is instead of a table."""

from __future__ import annotations

import codecs
import json
import re

LFS_HEADS = (b"version https://git-lfs.github.com/spec/v1", b"version https://hawser.github.com/spec/v1")

_MAGIC = (
    (b"FEA1", "a Feather file of version 1: write it again with pyarrow.feather.write_feather"),
    (b"PK\x03\x04", "a zip archive, as Excel workbooks are too: unpack it, or export the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "a Microsoft Office file"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"\xfd7zXZ", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x00\x05\x16\x07", "an AppleDouble file (macOS metadata)"),
    (b"SQLite format 3", "an SQLite database"),
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", ""),  # UTF-32 starts like UTF-16
    (b"\x00\x00\xfe\xff", ""),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # tab, line ends, form feed and escape occur in text
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|\?xml|svg|[a-z][\w:-]*[\s>])", re.IGNORECASE)


class NotATable(Exception):
    """The bytes are no table of text; the message says what they are instead."""


class NotJudged(NotATable):
    """A sound file that holds nothing to judge, or whose reader is not installed; the message says which."""


class NeedMoreBytes(NotATable):
    """The lines are longer than the head that was given: ask again with a larger one."""


def decode(head: bytes, *, complete: bool) -> tuple[str, str, list[str]]:
    """Text of the head, its encoding and what is odd about it.

    Raises `NotATable` for pointer files, binary content, markup and JSON. Where `complete` is false a character cut in
    two at the end of the head is dropped.
    """
    refuse_bytes(head)
    problems: list[str] = []
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    if not encoding:
        raise NotATable("text in UTF-32")
    text = _try(head, encoding, complete)
    if text is None and encoding == "utf-16":
        raise NotATable("binary content (UTF-16 that breaks off)")
    if text is None:
        # cp1252 leaves five bytes undefined; Latin-1 reads anything, so it comes last.
        encoding, text = next(
            (name, t) for name in ("cp1252", "latin-1") if (t := _try(head, name, complete)) is not None
        )
        problems.append(f"not UTF-8: read as {encoding}")
    elif encoding == "utf-8-sig":
        problems.append("byte-order mark")
    elif encoding == "utf-16":
        problems.append("not UTF-8: UTF-16 with a byte-order mark")
    if _CONTROL.search(text, 0, 65_536):
        _refuse_control(text[:65_536])
    _refuse_text(text, complete)
    return text, encoding, problems


def refuse_bytes(head: bytes) -> None:
    """Raise `NotATable` for bytes that are known to be something else than text."""
    if not head.strip(b" \t\r\n\x00"):
        raise NotATable("a file of zero bytes" if head.strip(b" \t\r\n") else "an empty file")
    if head.startswith(LFS_HEADS):
        size = re.search(rb"^size (\d+)", head, re.MULTILINE)
        of = f" to {int(size[1]):,} bytes" if size else ""
        raise NotATable(f"a Git LFS pointer{of} that were not fetched (git lfs pull)")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            raise NotATable(name)


def _refuse_control(text: str) -> None:
    nul = text.count("\x00")
    if {text[:4000:2].count("\x00"), text[1:4000:2].count("\x00")} == {0, len(text[:4000]) // 2}:
        raise NotATable("text in UTF-16 without a byte-order mark")
    # A stray control character occurs in dirty text; in random bytes every ninth is one.
    if nul or len(_CONTROL.findall(text)) > max(2, len(text) // 100):
        raise NotATable("binary content")


def _refuse_text(text: str, complete: bool) -> None:
    if _MARKUP.match(text):
        raise NotATable(
            "an HTML page" if re.match(r"\s*<(!doctype html|html|head|body)", text, re.I) else "markup (XML or HTML)"
        )
    start = text.lstrip()
    if not start.startswith(("{", "[")):
        return
    lines = start.splitlines()
    for candidate, name in ((lines[0], "JSON lines"), (start if complete else "", "JSON")):
        try:
            if isinstance(json.loads(candidate), (dict, list)):
                raise NotATable(name if len(lines) > 1 else "JSON")
        except (ValueError, RecursionError):
            continue
    if not complete and re.match(r"[\[{]\s*[\"\[{]", start):
        raise NotATable("JSON")


def _try(head: bytes, encoding: str, complete: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
    except UnicodeDecodeError:
        return None
