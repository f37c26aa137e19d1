"""Values of JSON whose type flips from record to record, at which readers with typed columns stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datalint.core.amounts import is_number
from datalint.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

MOST = 10_000
"""Places within records of which the types are kept: where there are more, keys are values."""

TOLD = 3
"""Places that are named."""

_OF = {str: "text", bool: "truth value", int: "number", float: "number", list: "list", dict: "object"}


class Flips:
    """How many values of each type stand in each place of the records, and where the first of each does."""

    def __init__(self, numbers: Collection[str], passed: Collection[str]) -> None:
        self._numbers = frozenset(numbers)
        """Columns of numbers: what texts stand among these is told as such, unless they are numbers."""
        self._passed = frozenset(passed)
        """Columns that are not looked into."""
        self._counts: dict[str, Counter[str]] = {}
        self._first: dict[tuple[str, str], int] = {}

    def _add(self, place: str, kind: str, line: int, count: int = 1) -> None:
        known = self._counts.get(place)
        if known is None:
            if len(self._counts) >= MOST:
                return
            known = self._counts[place] = Counter()
        if kind not in known:
            self._first[place, kind] = line
        known[kind] += count

    def rows(self, rows: Iterable[Mapping[str, Any]], line: int, wanted: Collection[str]) -> None:
        """Take in records, of which the first is that ``line``, as far as these columns or what lies around them goes."""
        around = {name[: k if k >= 0 else len(name)] for name in wanted for k in [name.find(".")]} | {*wanted}
        for k, row in enumerate(rows):
            for name, value in row.items():
                if name in around and name not in self._passed:
                    self._walk(name, value, line + k)

    def _walk(self, place: str, value: Any, line: int) -> None:
        left = [(place, value)]
        while left:
            place, value = left.pop()
            kind = _OF.get(type(value))
            if kind is None or place in self._passed:
                continue
            if kind == "text" and place in self._numbers and not is_number(value):
                continue
            self._add(place, kind, line)
            if isinstance(value, Mapping):
                left += [(f"{place}.{name}", inner) for name, inner in value.items()]
            elif isinstance(value, list):
                left += [(f"{place}[]", inner) for inner in value]

    def typed(self, record: Any, line: int) -> None:
        """Take in an Arrow record batch, all of whose values are of the types of its columns."""
        for name, column in zip(record.schema.names, record.columns, strict=True):
            count = len(column) - column.null_count
            if count and name not in self._passed:
                self._type(name, column.type, line, count)

    def _type(self, place: str, kind: Any, line: int, count: int) -> None:
        import pyarrow as pa

        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            self._add(place, "list", line, count)
            self._type(f"{place}[]", kind.value_type, line, count)
        elif pa.types.is_struct(kind):
            self._add(place, "object", line, count)
            for j in range(kind.num_fields):
                self._type(f"{place}.{kind.field(j).name}", kind.field(j).type, line, count)
        elif not pa.types.is_null(kind):
            known = "truth value" if pa.types.is_boolean(kind) else "text" if pa.types.is_string(kind) else "number"
            self._add(place, known, line, count)

    def told(self, where: Callable[[int], str]) -> str:
        """The places where types flip, as a clause; empty where there are none."""
        flips = {place: counts for place, counts in self._counts.items() if len(counts) > 1}
        # What lies within a value that is sometimes something else is told with it.
        flips = {place: counts for place, counts in flips.items() if not any(map(flips.__contains__, _around(place)))}
        said = []
        for place, counts in list(flips.items())[:TOLD]:
            (usual, _), *others = counts.most_common()
            them = " and ".join(counted(count, kind) for kind, count in others)
            first = min(self._first[place, kind] for kind, _ in others)
            said.append(f"{place!r} holds {them} where the others are {usual}s, the first in {where(first)}")
        more = f"; so do {len(flips) - TOLD:,} more" if len(flips) > TOLD else ""
        return "; ".join(said) + more


def _around(place: str) -> Iterable[str]:
    """The places that a place lies in."""
    for k, sign in enumerate(place):
        if k and (sign == "." or place[k : k + 2] == "[]"):
            yield place[:k]
