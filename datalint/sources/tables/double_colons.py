"""Rows whose values are set apart by two colons: ``1::1193::5::978300760``, as MovieLens has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import JsonLinesPartition, rows_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.sources.tables.convert import TablePlan

APART = b"::"
LINES = 20


class DoubleColonFormat(TableFormat):
    """Values between double colons, without a header."""

    title = "text with double colons"
    suffixes = frozenset()
    sure = False

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """By as many double colons in every one of the first lines."""
        lines = start.splitlines()[:-1][:LINES]
        counts = {line.count(APART) for line in lines}
        return len(lines) > 1 and len(counts) == 1 and counts.pop() > 1

    def look(self, file: Candidate) -> TableFile:
        """Read lines from all over the file."""
        _, blocks = file.sampled()
        rows = [_row(line) for block in blocks for line in block.splitlines() if line.strip()]
        if not rows:
            raise NotATable("no lines with double colons")
        table = rows_table(file, self, rows[: max(1, CELLS // len(rows[0]))])
        table.named = False
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> DoubleColonPartition:
        """All lines."""
        return DoubleColonPartition(file.path.absolute(), file.shown, packing_of(file.path), plan)


def _row(line: bytes) -> dict[str, float | str]:
    cells = line.rstrip(b"\r\n").split(APART)
    return {f"column_{k + 1}": _value(cell.decode("utf-8", "replace").strip()) for k, cell in enumerate(cells)}


def _value(cell: str) -> float | str:
    # Leading zeros are those of codes.
    if cell.isascii() and cell.lstrip("-").isdigit() and str(int(cell)) == cell:
        return int(cell)
    try:
        return float(cell) if cell[:1].isdigit() and cell.count(".") == 1 else cell
    except ValueError:
        return cell


@dataclass(frozen=True)
class DoubleColonPartition(JsonLinesPartition):
    """One file, as if each line were an object."""

    def blocks(self) -> Iterator[bytes]:
        """The lines as objects."""
        for block in super().blocks():
            yield b"".join(json.dumps(_row(line)).encode() + b"\n" for line in block.splitlines() if line.strip())

    def line_of(self, row: dict[str, str | None]) -> bytes:
        """The values between their colons."""
        return "::".join(row.get(name) or "" for name in self.names).encode()
