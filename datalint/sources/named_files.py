"""Files that a table names and that are not there: a list of pictures with their labels, of which some are lost."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from typing import TYPE_CHECKING

from datalint.problem import Problem
from datalint.sources.csvs import open_bytes
from datalint.sources.files import IMAGES, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from datalint.sources.tables import TableFile

MAX_BYTES = 64 << 20
"""A list of more bytes is judged by its head."""

PEEK = 200
"""Names of the head that are looked for."""


class Places:
    """Where the pictures below a folder lie, by their paths from it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.known = {"/".join(entry.parts) for entry in entries if entry.suffix in IMAGES}
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.known:
            self._by_name[path.rpartition("/")[2]].append(path)

    def holds(self, name: str) -> bool:
        """Whether a file of this name, or of this path within some folder, is there."""
        own = self._by_name.get(name.rpartition("/")[2], ())
        return any(path == name or path.endswith(f"/{name}") for path in own)


def absent(table: TableFile, places: Places) -> Problem | None:
    """
    The files that a table names in one of its columns and that are not there, though others are.

    A column counts as one of names where nearly all texts of its head end in the suffix of an image, and at least half of
    them are there: a list of files kept elsewhere is no fault.
    """
    if not places.known:
        return None
    for head in table.columns:
        shown = [_plain(value) for value in head.values[:PEEK] if isinstance(value, str) and value]
        if not shown or sum(_is_image(name) for name in shown) < 0.9 * len(shown):
            continue
        if 2 * sum(map(places.holds, shown)) < len(shown):
            continue
        named = dict.fromkeys(name for name in map(_plain, _column(table, head.name)) if _is_image(name))
        lost = [name for name in named if not places.holds(name)]
        if lost:
            message = (
                f"names {len(lost):,} of {len(named):,} files in {head.name!r} that {'is' if len(lost) == 1 else 'are'} not "
                f"there, such as {lost[0]!r}"
            )
            return Problem("absent", table.shown, message)
    return None


def _plain(name: object) -> str:
    text = str(name).strip().replace("\\", "/")
    return text[2:] if text.startswith("./") else text


def _is_image(name: str) -> bool:
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in IMAGES


def _column(table: TableFile, name: str) -> Iterator[str]:
    """All texts of one column, or those of the head where reading all would take long."""
    heads: Mapping[str, Sequence[object]] = {head.name: head.values for head in table.columns}
    if table.dialect is None or table.path.stat().st_size > MAX_BYTES or table.dialect.collapse:
        yield from (value for value in heads[name] if isinstance(value, str))
        return
    dialect = table.dialect
    at = dialect.names.index(name)
    with open_bytes(table.path, dialect.compression) as file:
        data = file.read(MAX_BYTES)
    lines = io.StringIO(data.decode(dialect.encoding, "replace"), newline="")
    for _ in range(dialect.data_start):
        next(lines, None)
    rows = (
        csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=True)
        if dialect.quote
        else csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=True)
    )
    for row in rows:
        if len(row) > at:
            yield row[at]
