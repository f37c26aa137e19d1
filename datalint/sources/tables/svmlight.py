"""Lines of svmlight and libsvm: ``1 3:0.5 17:2``, a label and the values that are not zero."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.sources.files import reason
from datalint.sources.packing import packing_of
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat, TablePartition
from datalint.sources.tables.jsonlines import whole_lines
from datalint.sources.tables.kinds import arrow_table_file
from datalint.sources.tables.packed import DAMAGE, open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.sources.packing import Packing
    from datalint.sources.tables.convert import TablePlan
    from datalint.sources.tables.format import Cells

LABEL, GROUP = "label", "query_id"

MAX_COLUMNS = 5_000
"""Columns that are read: as dense rows, more would fill the memory with zeros."""

BATCH_CELLS = 4_000_000
"""Cells of one batch, about."""


@cache
def _line() -> re.Pattern[bytes]:
    """What a sample looks like."""
    number = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
    return re.compile(rb"\s*" + number + rb"(?:[ \t]+qid:\d+)?(?:[ \t]+\d+:" + number + rb")+[ \t]*(?:#[^\n]*)?\s*")


_COMMENT = re.compile(rb"#[^\n]*")


class SvmlightFormat(TableFormat):
    """Labels with sparse values, one sample per line."""

    title = "svmlight"
    suffixes = frozenset({".svm", ".svmlight", ".libsvm"})

    def recognises(self, start: bytes, name: str) -> bool:
        """By the first lines, or by the suffix."""
        lines = start.splitlines()[:-1][:20] or [start]
        texts = [line for line in lines if line.strip() and not line.startswith(b"#")]
        return super().recognises(start, name) or (len(texts) > 1 and all(map(_line().fullmatch, texts)))

    def look(self, file: Candidate) -> TableFile:
        """Read lines from all over the file, as wide as the widest of all."""
        packing = packing_of(file.path)
        _, blocks = file.sampled()
        parsed = [_parsed(block) for block in blocks]
        if not sum(len(block.labels) for block in parsed):
            raise NotATable("no lines of a label and values with their columns")
        spans = [block.span for block in parsed if len(block.labels)]
        # Where it is damaged is for the scan to tell; what stands before the damage may be garbage already.
        with contextlib.suppress(*DAMAGE), open_bytes(file.path, packing) as raw:
            spans += [block.span for block in map(_parsed, whole_lines(raw)) if len(block.labels)]
        span = reduce(_Span.joined, spans)
        if span.width > MAX_COLUMNS:
            raise NotJudged(f"{span.width:,} sparse columns; at most {MAX_COLUMNS:,} are read")
        most = max(50, CELLS // span.width // len(parsed))
        records = [_record(block, span, 0, min(most, len(block.labels))) for block in parsed if len(block.labels)]
        found = arrow_table_file(file, self, records[0].schema, records, rows=True)
        found.declared, found.about = (LABEL, ()), span
        return found

    def whole(self, file: TableFile, plan: TablePlan) -> SvmlightPartition:
        """All lines."""
        return SvmlightPartition(file.path.absolute(), file.shown, packing_of(file.path), plan, file.about)


@dataclass(frozen=True)
class _Span:
    """What is the same for all samples of a file."""

    first: int
    """The lowest column: 0 or 1."""
    last: int
    grouped: bool
    """Whether samples belong to groups."""
    whole: bool
    """Whether all labels are whole numbers."""

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.last - self.first + 1

    def joined(self, other: _Span) -> _Span:
        """Of the samples of both."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return _Span(first, last, self.grouped or other.grouped, self.whole and other.whole)

    def schema(self) -> Any:
        """Label, group and values."""
        import pyarrow as pa

        kinds = {LABEL: pa.int64() if self.whole else pa.float64()} | ({GROUP: pa.int64()} if self.grouped else {})
        return pa.schema([*kinds.items(), *((f"x{k}", pa.float64()) for k in range(self.first, self.last + 1))])


@dataclass(frozen=True)
class _Block:
    """Some samples."""

    labels: NDArray[np.float64]
    groups: NDArray[np.float64]
    """Of each sample, NaN without one."""
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]
    """Of each value that is there, with its sample and column."""
    broken: int = 0
    """Lines that are no samples."""
    example: str = ""

    @property
    def span(self) -> _Span:
        """What the samples need."""
        first, last = int(self.columns.min(initial=1)), int(self.columns.max(initial=1))
        return _Span(first, last, not np.isnan(self.groups).all(), bool((self.labels == np.round(self.labels)).all()))


def _parsed(block: bytes) -> _Block:
    lines = [line for line in _COMMENT.sub(b"", block).splitlines() if line.strip()]
    good = [line for line in lines if _line().fullmatch(line)]
    bad = next((line for line in lines if not _line().fullmatch(line)), b"") if len(good) < len(lines) else b""
    sizes = np.fromiter((2 * line.count(b":") + 1 for line in good), np.int64, len(good))
    flat = np.array(b" ".join(good).replace(b"qid:", b"-1:").replace(b":", b" ").split(), np.float64)
    starts = np.cumsum(sizes) - sizes
    rest = np.ones(len(flat), np.bool_)
    rest[starts] = False
    pairs = flat[rest].reshape(-1, 2)
    rows = np.repeat(np.arange(len(good)), (sizes - 1) // 2)
    columns = pairs[:, 0].astype(np.int64)
    groups = np.full(len(good), np.nan)
    groups[rows[columns < 0]] = pairs[columns < 0, 1]
    kept = columns >= 0
    example = bad[:40].decode("utf-8", "replace")
    return _Block(flat[starts], groups, rows[kept], columns[kept], pairs[kept, 1], len(lines) - len(good), example)


def _record(block: _Block, span: _Span, start: int, stop: int) -> Any:
    """Samples as dense rows of an Arrow record batch."""
    import pyarrow as pa

    low, high = np.searchsorted(block.rows, (start, stop))
    dense = np.zeros((stop - start, span.width), order="F")
    # A file that has changed since may have more columns.
    here = (block.columns[low:high] >= span.first) & (block.columns[low:high] <= span.last)
    rows, places = block.rows[low:high][here] - start, block.columns[low:high][here] - span.first
    dense[rows, places] = block.values[low:high][here]
    arrays = [block.labels[start:stop], *([block.groups[start:stop]] if span.grouped else []), *dense.T]
    schema = span.schema()
    return pa.RecordBatch.from_arrays(
        [pa.array(v, kind, from_pandas=True, safe=False) for v, kind in zip(arrays, schema.types, strict=True)],
        schema=schema,
    )


@dataclass(frozen=True)
class SvmlightPartition(TablePartition):
    """One file."""

    path: Path
    shown: str
    compression: Packing | None
    plan: TablePlan
    span: _Span

    def sample_id(self, line: int) -> str:
        """File and sample, other lines not counted."""
        return f"{self.shown}:{line + 1}"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:  # noqa: ARG002
        """As numbers."""
        step = max(1, BATCH_CELLS // self.span.width)
        broken, example = 0, ""
        try:
            with open_bytes(self.path, self.compression) as raw:
                for block in map(_parsed, whole_lines(raw)):
                    broken, example = broken + block.broken, example or block.example
                    for start in range(0, len(block.labels), step):
                        record = _record(block, self.span, start, min(start + step, len(block.labels)))
                        yield record if columns is None else record.select([n for n in self.names if n in columns])
        except DAMAGE as error:
            problems.append(Problem("truncated", self.shown, f"breaks off: {reason(error)}"))
        if broken:
            lines = f"{broken:,} lines are no samples" if broken > 1 else "1 line is no sample"
            problems.append(Problem("ragged", self.shown, f"{lines}, such as {example!r}; left out of the scan"))

    @property
    def schema(self) -> Any:
        """Label, group and values."""
        return self.span.schema()

    def write(self, path: Path, batches: Iterable[Any]) -> SvmlightPartition:  # noqa: ARG002
        """Not written: its comments would be lost.

        Raises:
            DatalintError: always.
        """
        raise DatalintError(f"{self.shown}: such files are not written again; save them as CSV or Parquet")
