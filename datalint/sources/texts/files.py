"""Partitions of texts that lie in a file each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from datalint.core.dataset import Batch, Problem, TableBlock
from datalint.core.hashing import TextHasher
from datalint.sources.files import is_pointer, printable, reason
from datalint.sources.places import reach
from datalint.sources.remote.path import RemotePath
from datalint.sources.sample_files import Ahead, SampleFiles
from datalint.sources.tables.convert import MAX_CELL, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect

TEXT = "text"
"""The only column."""

BATCH = 256
"""Files of one batch."""

MAX_BYTES = 4 * MAX_CELL
"""Bytes that are read of one file."""


class NoText(ValueError):
    """The message says what a file is instead."""


def read_text(path: str | Path) -> tuple[str, bool]:
    """The text in a file, up to a length, and whether it is UTF-8; what is not is read as Latin-1 of Windows.

    Raises:
        NoText: it holds something else.
        OSError: it cannot be read.
    """
    if isinstance(path, RemotePath):
        data = path.read_bytes(MAX_BYTES)[:MAX_BYTES]
        whole = len(data) < MAX_BYTES
    else:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs as much as opening the file
            data = file.read(MAX_BYTES)
            whole = len(data) < MAX_BYTES
    if is_pointer(data[:1024]):
        raise NoText("a Git LFS pointer instead of data (git lfs pull)")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    if b"\0" in data:
        raise NoText("binary content")
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError as error:
        if not whole and error.start > len(data) - 4:  # cut within a character
            return data[: error.start].decode("utf-8-sig"), True
        return data.decode("cp1252", "replace"), False


@dataclass(frozen=True)
class TextFiles(SampleFiles):
    """Consecutive files of one split, a sample each."""

    def picture(self, line: int) -> bytes | None:
        """Texts are no pictures."""

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        hasher = TextHasher()
        strange: list[str] = []
        for start in range(0, len(self.files), BATCH):
            names = self.files[start : start + BATCH]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if "table" in aspects:
                batch.table = self._table(names, batch.problems, strange, hasher)
            yield batch
        if strange:
            more = f" (and {len(strange) - 1:,} more near it)" if len(strange) > 1 else ""
            problem = Problem("dialect", printable(strange[0]), f"not UTF-8: read as cp1252{more}")
            yield Batch(self.split, len(self.files), 0, problems=[problem])

    def _table(
        self, names: Sequence[str], problems: list[Problem], strange: list[str], hasher: TextHasher
    ) -> TableBlock:
        import pyarrow as pa

        texts: list[str | None] = []
        with Ahead([reach(self.base, name) for name in names], read_text) as ahead:
            for k, name in enumerate(names):
                text = None
                try:
                    text, plain = ahead.of(k)
                except (OSError, NoText) as error:
                    kind: Literal["pointer", "unreadable"] = "pointer" if "LFS" in str(error) else "unreadable"
                    problems.append(Problem(kind, printable(name), reason(error)))
                else:
                    if not plain:
                        strange.append(name)
                    if len(text) > MAX_CELL:
                        text = text[:MAX_CELL]
                        told = f"what lies beyond the first {MAX_CELL:,} characters"
                        problems.append(Problem("not-scanned", printable(name), told))
                texts.append(text)
        column = texts_of(TEXT, pa.array(texts, pa.string()))
        column = replace(column, hashes=hasher(column.values), padded={})
        return TableBlock((), np.zeros((len(names), 0)), (column,), text_features=frozenset({TEXT}))
