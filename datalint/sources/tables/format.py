"""What a table format is: one file with a :class:`TableFormat` for its files and a :class:`TablePartition` for their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from datalint.core.dataset import Batch
from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.core.terms import Storage
from datalint.sources.files import HEAD_BYTES, head_of, reason
from datalint.sources.packing import packing_of
from datalint.sources.tables.convert import TableReader
from datalint.sources.tables.packed import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect, Kind
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.dialect import Dialect
    from datalint.sources.tables.drawn_columns import DrawnColumns
    from datalint.sources.tables.labels import ColumnHead

Cells = Literal["wanted", "stored", "verbatim"]
"""Cells of the types that the plan wants; as they are stored; as they are stored, with all that is needed to write them."""

START_BYTES = 16 << 10
"""Bytes that say which format a file has, and whether it begins like others of its series."""

CHUNKS = 8
"""Places of a file from which rows are taken, so that a sorted column does not look constant."""

CELLS = 400_000
"""Cells looked at to recognise the columns of a file."""


@dataclass(frozen=True)
class Candidate:
    """A file that may be a table."""

    path: Path
    shown: str
    name: str
    like: TableFile | None = None
    """A file of the same series; one that begins like it need only be glanced at."""
    column: bool = False
    """Whether it may be a single column whatever its suffix."""

    @cached_property
    def start(self) -> tuple[bytes, bool]:
        """The first bytes, decompressed, and whether they are all."""
        return head_of(self.path, START_BYTES)

    def head(self, size: int = HEAD_BYTES) -> tuple[bytes, bool]:
        """The same of ``size`` bytes."""
        return head_of(self.path, size)

    def sampled(self) -> tuple[bytes, list[bytes]]:
        """The head, and blocks of whole lines: those of the head, and some from evenly spread places after it."""
        head, complete = self.head()
        if complete:
            return head, [head]
        others = chunks(self.path, packing_of(self.path), CHUNKS, len(head), len(head) // 4)
        return head, [block[: block.rfind(b"\n") + 1] for block in (head, *others)]


@dataclass
class TableFile:
    """One table on disk as its head shows it."""

    path: Path
    shown: str
    name: str
    format: TableFormat
    columns: tuple[ColumnHead, ...]
    kinds: dict[str, Kind]
    dtypes: dict[str, str]
    dialect: Dialect | None = None
    """Of text."""
    declared: tuple[str, tuple[str, ...]] | None = None
    """Label column and class names that the file itself declares."""
    problems: list[Problem] = field(default_factory=list)
    empty: bool = False
    """Whether there are column names and no rows."""
    first_line: bytes = b""
    ascii: bool = True
    """Whether the head is plain ASCII, which is the same in every encoding."""
    beside: tuple[TableFile, ...] = ()
    """Files that hold further columns of the same rows, such as the label."""
    label: tuple[str, str] | None = None
    """Label column that one of those files holds, and why."""
    lists: tuple[ColumnHead, ...] = ()
    """Columns of lists, which are read as labels or not at all."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Columns of values that nobody looks into, with how they are stored."""
    unseen_types: dict[str, Any] = field(default_factory=dict)
    """Their Arrow types, where the format has none and they are known."""
    opened: frozenset[tuple[str, ...]] = frozenset()
    """Where in its rows the objects lie whose keys are columns."""
    pictures: tuple[str, ...] = ()
    """Columns of pictures, as the bytes of their files; the likeliest input first."""
    sounds: tuple[str, ...] = ()
    """The same of recordings."""
    drawn: DrawnColumns | None = None
    """Columns of what is drawn in the pictures."""
    inside: str = ""
    """What the table is called within its file, where that may hold several."""
    named: bool = True
    """Whether the columns have names of their own, where there is no dialect."""
    about: Any = None
    """What else its format has to know to read it."""

    @property
    def header(self) -> bool:
        """Whether the columns have names of their own."""
        return self.named if self.dialect is None else self.dialect.named


def left_out(shown: str, column: str, held: str) -> Problem:
    """What is said of a column of values that no rule judges."""
    return Problem("unseen", shown, f"column {column!r} holds {held}, which are not looked into")


class TableFormat(ABC):
    """How the files of one format are recognised and cut into partitions. Holds no state."""

    title: ClassVar[str]
    """What a report calls it, such as ``delimited text``."""
    storage: ClassVar[Storage] = Storage.OTHER
    suffixes: ClassVar[frozenset[str]]
    """In lower case; without ``.gz``, which may follow where :meth:`Candidate.start` is what the format reads."""
    sure: ClassVar[bool] = True
    """Whether files with these suffixes are data whatever they hold; where not, they are tables if their content says so."""
    magic: ClassVar[tuple[bytes, ...]] = ()
    """How files of it begin, whatever they are called; where there is none, the suffix decides."""

    def recognises(self, start: bytes, name: str) -> bool:
        """Whether a file that begins so, with this name in lower case without ``.gz``, is of this format."""
        return start.startswith(self.magic) if self.magic else name.endswith(tuple(self.suffixes))

    @abstractmethod
    def look(self, file: Candidate) -> TableFile:
        """Recognise a file by its head.

        Raises:
            NotATable: it is something else or damaged; the message says what.
        """

    def tables(self, file: Candidate) -> Sequence[TableFile]:
        """The tables of a file, where a format holds several.

        Raises:
            NotATable: as above.
        """
        return [self.look(file)]

    @abstractmethod
    def whole(self, file: TableFile, plan: TablePlan) -> TablePartition:
        """All rows of a file."""

    def partitions(self, file: TableFile, plan: TablePlan) -> Sequence[TablePartition]:
        """The same, where the format can be entered in the middle, in pieces that can be read at the same time."""
        return [self.whole(file, plan)]


class TablePartition(ABC):
    """The rows of a table file, or of a part of one; subclasses are frozen dataclasses."""

    path: Path
    shown: str
    plan: TablePlan

    @property
    def split(self) -> str | None:
        """The split of all rows, if they share one."""
        return self.plan.split

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        return (str(self.path),)

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""
        return self.path.stat().st_size

    def picture(self, line: int) -> bytes | None:  # noqa: ARG002 - as Partition has it
        """Rows are no pictures."""
        return None

    @abstractmethod
    def sample_id(self, line: int) -> str:
        """What a person can open to see the row at this place."""

    @abstractmethod
    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:
        """The rows in their order, as Arrow record batches of those ``columns`` that the file has; of all if None.

        What cannot be read is left out, whatever the ``cells``, and added to ``problems``.
        """

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """The rows as samples; what cannot be read becomes a problem."""
        reader = TableReader(self.plan, labels_only="table" not in aspects)
        problems: list[Problem] = []
        for record in self.records(reader.columns, problems, "wanted"):
            yield from reader.read(record)
        problems += reader.remarks(self.shown)
        if problems:
            yield Batch(reader.home, reader.line, 0, problems=problems)

    @property
    @abstractmethod
    def schema(self) -> Any:
        """Names and types of what :meth:`raw_rows` gives verbatim.

        Raises:
            DatalintError: the file cannot be read.
        """

    @property
    def names(self) -> list[str]:
        """The columns."""
        names: list[str] = self.schema.names
        return names

    def raw_rows(self, columns: Sequence[str] | None = None, *, verbatim: bool = False) -> Iterator[Any]:
        """The rows that a scan sees, with every cell as it is stored; of text formats as text.

        Args:
            columns: of all if None.
            verbatim: what stands for a missing value as text too; with all columns, what else :meth:`write` needs.

        Raises:
            DatalintError: some columns of the file can be read further than others.
        """
        yield from self.records(columns, [], "verbatim" if verbatim else "stored")

    def broken(self, error: Exception, cells: Cells) -> Problem:
        """The problem of a file stored by columns, of which one broke off.

        Raises:
            DatalintError: all that the file holds was wanted, so that the columns would no longer fit together.
        """
        if cells != "wanted":
            raise DatalintError(f"{self.shown} cannot be read to its end: {reason(error)}") from error
        return Problem("truncated", self.shown, f"breaks off: {reason(error)}")

    @abstractmethod
    def write(self, path: Path, batches: Iterable[Any]) -> TablePartition:
        """Put these rows, verbatim ones, into ``path``, written as this file is; returns what reads them."""
