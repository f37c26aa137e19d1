"""Lines of fastText: ``__label__sports the text``, with one label or several before each text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import JsonLinesPartition, rows_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.tables.convert import TablePlan

MARK = "__label__"
LABEL, TEXT = "label", "text"
JOINED = "|"
"""What stands between the labels of one text."""

_LABELS = re.compile(rf"(?:\s*,?\s*{MARK}(\S+?)(?=[\s,]|$))+\s*,?\s*")


class FastTextFormat(TableFormat):
    """Texts with their labels in front, one per line."""

    title = "fastText lines"
    suffixes = frozenset({".ft"})
    magic = (MARK.encode(),)

    def look(self, file: Candidate) -> TableFile:
        """Read lines from all over the file."""
        _, blocks = file.sampled()
        rows = [row for block in blocks for line in block.splitlines() if (row := _row(line)) is not None]
        if not rows:
            raise NotATable("no lines of labels and texts")
        return rows_table(file, self, rows[: CELLS // 2])

    def whole(self, file: TableFile, plan: TablePlan) -> FastTextPartition:
        """All lines."""
        return FastTextPartition(file.path.absolute(), file.shown, packing_of(file.path), plan)


def _row(line: bytes) -> dict[str, str] | None:
    text = line.decode("utf-8", "replace").strip()
    if not text:
        return None
    found = _LABELS.match(text)
    labels = re.findall(rf"{MARK}([^\s,]+)", found[0]) if found else []
    return {LABEL: JOINED.join(labels), TEXT: text[found.end() if found else 0 :]}


@dataclass(frozen=True)
class FastTextPartition(JsonLinesPartition):
    """One file, as if each line were an object."""

    def blocks(self) -> Iterator[bytes]:
        """The lines as objects."""
        for block in super().blocks():
            rows = (_row(line) for line in block.splitlines())
            yield b"".join(json.dumps(row).encode() + b"\n" for row in rows if row is not None)

    def line_of(self, row: dict[str, str | None]) -> bytes:
        """Labels in front of the text."""
        labels = (row.get(LABEL) or "").split(JOINED)
        return " ".join([*(MARK + label for label in labels if label), row.get(TEXT) or ""]).encode()
