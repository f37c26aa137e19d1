"""Standard input as a file: a table is looked at before it is read, and may be read more than once."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from datalint.core.errors import DatalintError
from datalint.core.temporary import temporary_folder
from datalint.sources.files import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGN: Final = "-"
"""What stands for it among paths, and in what is said of it."""

MOST: Final = 8 << 30
"""Bytes that are taken."""

PIECE: Final = 1 << 20


@dataclass(frozen=True)
class StandardInput:
    """What came in, in a file of ours."""

    path: Path


@contextlib.contextmanager
def standard_input(stream: IO[bytes] | None = None, most: int = MOST) -> Iterator[StandardInput]:
    """All of standard input in a temporary file, which is removed at the end.

    Raises:
        DatalintError: nothing comes, or more than ``most`` bytes.
    """
    stream = stream or sys.stdin.buffer
    if stream.isatty():
        raise DatalintError("- reads CSV or JSON lines from standard input, and that is a terminal: pipe data into it")
    with temporary_folder() as folder:
        try:
            first = stream.read(PIECE)
            name = "stdin.jsonl" if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "stdin.csv"
            path = folder / name
            with path.open("wb") as file:
                piece = first
                while piece:
                    if file.tell() + len(piece) > most:
                        raise DatalintError(
                            f"more than {most >> 30} GB on standard input: save it in a file and scan that"
                        )
                    file.write(piece)
                    piece = stream.read(PIECE)
        except OSError as error:
            raise DatalintError(f"standard input cannot be kept in {folder}: {reason(error)}") from error
        if not first:
            raise DatalintError("standard input is empty: pipe CSV or JSON lines into it")
        yield StandardInput(path)
