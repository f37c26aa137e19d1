"""Plain text as a table of one column: a sample is a line, or what lies between blank lines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import JsonLinesPartition, rows_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.tables.convert import TablePlan

TEXT = "text"

SPACED = 0.05
"""Share of blank lines from which they stand between paragraphs."""

_HEADING = re.compile(rb"\s*(=\s?){1,6}[^=]+(=\s?){1,6}\s*")
"""Lines such as `` = = History = = ``, which repeat from article to article and are no text."""


class TextLinesFormat(TableFormat):
    """Lines of text, which layouts ask for: any text has lines."""

    title = "lines of text"
    suffixes = frozenset()

    def __init__(self, column: str = TEXT, paragraphs: bool = False) -> None:
        self.column, self.paragraphs = column, paragraphs

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """Never by itself."""
        return False

    def look(self, file: Candidate) -> TableFile:
        """Read lines from all over the file."""
        head, blocks = file.sampled()
        if b"\0" in head:
            raise NotATable("binary content")
        lines = [line for block in blocks for line in block.splitlines()]
        blank = sum(not line.strip() for line in lines)
        spaced = self.paragraphs and blank >= SPACED * len(lines)
        texts = [
            text for block in blocks for text in (_paragraphs(block.splitlines()) if spaced else block.splitlines())
        ]
        rows = [
            {self.column: text.decode("utf-8", "replace").strip("\ufeff \t\r")}
            for text in texts
            if text.strip() or not spaced
        ]
        if not rows:
            raise NotATable("no lines of text")
        table = rows_table(file, self, rows[:CELLS])
        table.about = spaced
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> TextLinesPartition:
        """All lines."""
        packing = packing_of(file.path)
        return TextLinesPartition(
            file.path.absolute(), file.shown, packing, plan, column=next(iter(file.kinds)), spaced=file.about
        )


def _paragraphs(lines: Sequence[bytes]) -> list[bytes]:
    """The lines between blank ones, joined; headings are left out."""
    found: list[list[bytes]] = [[]]
    for line in lines:
        if not line.strip() or _HEADING.fullmatch(line):
            found.append([])
        else:
            found[-1].append(line)
    return [b"\n".join(block) for block in found if block]


@dataclass(frozen=True)
class TextLinesPartition(JsonLinesPartition):
    """One file, as if each text were an object."""

    column: str = TEXT
    spaced: bool = False
    """Whether blank lines stand between texts."""

    def sample_id(self, line: int) -> str:
        """File and line, or the number of the paragraph."""
        return f"{self.shown}[{line}]" if self.spaced else super().sample_id(line)

    def blocks(self) -> Iterator[bytes]:
        """The texts as objects."""
        numeric = any(field.name == self.column and field.kind == "number" for field in self.plan.fields)
        rest: list[bytes] = []
        # Blank lines at the end are lines too: labels and translations are told apart by their place.
        for block in super().blocks():
            lines = block.splitlines()
            if not self.spaced:
                yield self._objects(lines, numeric)
                continue
            lines = [*rest, *lines]
            end = next((k for k in range(len(lines) - 1, -1, -1) if not lines[k].strip()), -1) + 1
            yield self._objects(_paragraphs(lines[:end]), numeric)
            rest = lines[end:]
        if rest:
            yield self._objects(_paragraphs(rest), numeric)

    def _objects(self, texts: Sequence[bytes], numeric: bool) -> bytes:
        rows = (text.decode("utf-8", "replace").strip("\ufeff \t\r") for text in texts)
        return b"".join(json.dumps({self.column: _number(row) if numeric else row}).encode() + b"\n" for row in rows)

    def line_of(self, row: dict[str, str | None]) -> bytes:
        """The text, and a blank line where these stand between texts."""
        text = (row.get(self.column) or "").encode()
        return text + b"\n" if self.spaced else text


def _number(text: str) -> float | str | None:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text or None


def lines_of(file: Candidate, column: str = TEXT, *, paragraphs: bool = False) -> TableFile:
    """A text as a table of one column.

    Raises:
        NotATable: it holds no text.
        OSError: it cannot be read.
    """
    return TextLinesFormat(column, paragraphs).look(file)


def side_by_side(tables: Sequence[TableFile], label: str | None = None) -> TableFile:
    """Files of as many lines as one table; the last of them may hold the labels."""
    first, *others = tables
    why = f"{others[-1].name} has a line for each text" if label else ""
    return replace(
        first,
        columns=tuple(head for table in tables for head in table.columns),
        kinds={name: kind for table in tables for name, kind in table.kinds.items()},
        dtypes={name: dtype for table in tables for name, dtype in table.dtypes.items()},
        problems=[problem for table in tables for problem in table.problems],
        beside=tuple(others),
        label=(label, why) if label else None,
    )
