"""Tagged tokens as the shared tasks of CoNLL have them: one token a line with its tag, and a blank line after each sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from datalint.core.problem import Problem
from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, CHUNKS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import LINE, JsonLinesPartition, rows_table
from datalint.sources.tables.packed import chunks
from datalint.sources.tables.tag_sequences import MOST, TAG, TagSequences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

TEXT, TAGS, ROWS = "text", "tags", "rows"

_NO_TOKEN = ("#", "-DOCSTART-")
"""How lines of metadata begin."""
UNIVERSAL = 10
"""Columns of a file of Universal Dependencies: the token is the second, its part of speech the fourth."""
LEAST = 3
"""Sentences, and lines between two blank ones, from which a file of any name is one of tagged tokens."""


class ConllFormat(TableFormat):
    """Sentences of tagged tokens; each is a sample."""

    title = "CoNLL sentences"
    suffixes = frozenset({".conll", ".conllu", ".bio", ".iob", ".iob2", ".bioes"})

    def recognises(self, start: bytes, name: str) -> bool:
        """By the suffix, or by blank lines between blocks of tokens with tags of names in several tokens."""
        if name.endswith(tuple(self.suffixes)):
            return True
        blocks = [_fields(block) for block in _blocks(start.rstrip(b"\n").splitlines()[:-1])[:-1]]
        lines = [fields for block in blocks for fields in block]
        return len(blocks) >= LEAST and len(lines) >= LEAST * len(blocks) and _tag_column(lines) is not None

    def look(self, file: Candidate) -> TableFile:
        """Read sentences from all over the file."""
        head, complete = file.head()
        pieces = [head]
        if not complete:
            pieces += chunks(file.path, packing_of(file.path), CHUNKS, len(head), len(head) // 4)
        blocks = [block for piece in pieces for block in _blocks(piece.splitlines())[: None if complete else -1]]
        lines = [fields for block in blocks for fields in _fields(block)]
        where = _tag_column(lines)
        if where is None and lines:
            where = (1, 3) if len(lines[0]) >= UNIVERSAL else (0, len(lines[0]) - 1)
        if where is None or where[1] < 1:
            raise NotATable("no lines of a token and its tag")
        rows = [row for block in blocks if (row := _row(block, where)) is not None]
        table = rows_table(file, self, [{TEXT: row[TEXT], TAGS: row[TAGS]} for row in rows[: CELLS // 2]])
        table.about = where
        # The tags are looked into where they are read.
        table.problems = [problem for problem in table.problems if problem.kind != "unseen"]
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> ConllPartition:
        """All sentences."""
        packing = packing_of(file.path)
        return ConllPartition(
            file.path.absolute(), file.shown, packing, plan, unseen=file.unseen_types, where=file.about
        )


def _blocks(lines: Sequence[bytes]) -> list[list[bytes]]:
    """The lines between blank ones."""
    blocks: list[list[bytes]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return blocks if blocks[-1] else blocks[:-1]


def _fields(block: Sequence[bytes]) -> list[list[str]]:
    """The fields of the lines that are tokens."""
    lines = (line.decode("utf-8", "replace") for line in block)
    return [line.split("\t" if "\t" in line else None) for line in lines if not line.startswith(_NO_TOKEN)]


def _tag_column(lines: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Which fields are the token and its tag, where nearly all lines have a tag of names in several tokens."""
    for column in range(1, len(lines[0]) if lines else 0):
        tags = [fields[column] for fields in lines if len(fields) > column]
        whole = sum(TAG.fullmatch(tag) is not None for tag in tags) >= MOST * len(lines)
        if whole and "O" in tags and any(tag[:2] in {"B-", "I-"} for tag in tags):
            return 0, column
    return None


def _row(block: Sequence[bytes], where: tuple[int, int]) -> dict[str, Any] | None:
    """A sentence; None where no line of it is a token."""
    tokens = _fields(block)
    if not tokens:
        return None
    word, tag = where
    return {
        TEXT: " ".join(fields[word].strip() for fields in tokens if len(fields) > word),
        TAGS: [fields[tag].strip() if len(fields) > tag else "" for fields in tokens],
        ROWS: [line.decode("utf-8", "surrogateescape") for line in block],
    }


@dataclass(frozen=True)
class ConllPartition(JsonLinesPartition):
    """One file, as if each sentence were an object."""

    where: tuple[int, int] = (0, 1)
    """Which fields of a line are the token and its tag."""

    seen: TagSequences | None = field(default=None, compare=False)
    """What the tags that were read have shown."""

    def sample_id(self, line: int) -> str:
        """File and number of the sentence."""
        return f"{self.shown}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """The sentences, and whether their tags follow one scheme."""
        seen = TagSequences() if cells == "wanted" else None
        yield from super(ConllPartition, replace(self, seen=seen)).records(columns, problems, cells)
        if seen is not None and (told := seen.told()):
            problems.append(Problem("tags", self.shown, told))

    def blocks(self) -> Iterator[bytes]:
        """The sentences as objects."""
        rest: list[bytes] = []
        for block in super().blocks():
            lines = [*rest, *block.splitlines()]
            end = next((k for k in range(len(lines) - 1, -1, -1) if not lines[k].strip()), -1) + 1
            yield self._objects(lines[:end])
            rest = lines[end:]
        yield self._objects(rest)

    def _objects(self, lines: Sequence[bytes]) -> bytes:
        rows = [row for block in _blocks(lines) if (row := _row(block, self.where)) is not None]
        if self.seen is not None:
            for row in rows:
                self.seen.add(row[TAGS])
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    def line_of(self, row: dict[str, str | None]) -> bytes:
        """The lines of a sentence as they were."""
        lines = json.loads(row[LINE] or "")[ROWS]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
