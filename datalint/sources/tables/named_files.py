"""Files that a table names and that are not there: a list of pictures with their labels, of which some are lost."""

from __future__ import annotations

import contextlib
import csv
import io
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core.problem import Problem
from datalint.core.vocabulary import split_of
from datalint.sources.files import IMAGES, Entry, arrow_file, is_gzip
from datalint.sources.tables.convert import cells_of
from datalint.sources.tables.csvs import open_bytes, readable
from datalint.sources.tables.jsonlines import head_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from datalint.sources.tables.heads import TableFile

MAX_BYTES = 64 << 20
"""A list of more bytes is judged by its head."""

PEEK = 200
"""Names of the head that are looked for."""

MAX_COLUMNS = 50
"""Columns among which the one of names is looked for."""


class Places:
    """Where the pictures below a folder lie, by their paths from it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.known = {"/".join(entry.parts): entry for entry in entries if entry.suffix in IMAGES}
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.known:
            name = path.rpartition("/")[2]
            self._by_name[name].append(path)
            self._by_stem[name.rpartition(".")[0]].append(path)

    def holds(self, name: str) -> bool:
        """Whether a file of this name, or of this path within some folder, is there."""
        return bool(self._matching(name))

    def _matching(self, name: str) -> list[str]:
        """The paths that a name, with or without a suffix, may mean."""
        own = self._by_name.get(name.rpartition("/")[2], ())
        found = [path for path in own if path == name or path.endswith(f"/{name}")]
        if found or _is_image(name):
            return found
        bare = self._by_stem.get(name.rpartition("/")[2], ())
        return [path for path in bare if f"/{path}".rpartition(".")[0].endswith(f"/{name}")]

    def entry(self, name: str, home: tuple[str, ...], split: str | None) -> Entry | None:
        """The picture that a table means by a name; None if there is none or several might be meant.

        Of several the one below the table's own folder (``home``) is meant, or the one in the folder of its ``split``.
        """
        plain = _plain(name)
        found = self._matching(plain) if plain else []
        for path in found if len(found) > 1 else ():
            if path.rpartition(".")[0] == "/".join([*home, plain]) or path == "/".join([*home, plain]):
                return self.known[path]
        if len(found) > 1:
            found = [p for p in found if split is not None and split_of(p.rpartition("/")[0].split("/")[-1]) == split]
        return self.known[found[0]] if len(found) == 1 else None


def name_column(table: TableFile, places: Places) -> str | None:
    """The column whose values name pictures that are there, with their suffixes or without.

    At least half of those looked at must be there, and nearly all must differ: class numbers may be names of files too.
    """
    if not places.known or table.path.stat().st_size > MAX_BYTES:
        return None
    names = list(table.kinds)[:MAX_COLUMNS]
    rows = list(islice(rows_of(table, names), PEEK))
    for at, column in enumerate(names):
        shown = [plain for row in rows if (plain := _plain(row[at]))]
        if len(shown) < 2 or len(set(shown)) < 0.9 * len(shown):
            continue
        if 2 * sum(map(places.holds, shown)) >= len(shown):
            return column
    return None


def absent(table: TableFile, places: Places) -> Problem | None:
    """The files that a table names in one of its columns and that are not there, though others are.

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
    for row in rows_of(table, [name]):
        yield row[0]


def rows_of(table: TableFile, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Some columns of a table, row by row, as texts; of a text table those of its first ``MAX_BYTES`` bytes.

    A file that breaks off gives the rows before that: the scan of the table itself says what is wrong with it.
    """
    with contextlib.suppress(Exception):
        yield from _rows_of(table, names)


def _rows_of(table: TableFile, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if table.dialect is None:
        yield from _parquet_rows(table, names) if table.format == "parquet" else _json_rows(table, names)
        return
    dialect = table.dialect
    places = [dialect.names.index(name) for name in names]
    with open_bytes(table.path, dialect.compression) as file:
        data = readable(file, MAX_BYTES)
    lines = io.StringIO(data.decode(dialect.encoding, "replace"), newline="")
    for _ in range(dialect.data_start):
        next(lines, None)
    delimiter = " " if dialect.collapse else dialect.delimiter
    rows = (
        csv.reader(lines, delimiter=delimiter, quotechar=dialect.quote, skipinitialspace=True)
        if dialect.quote
        else csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=True)
    )
    last = max(places)
    for row in rows:
        if len(row) > last:
            yield tuple(row[at] for at in places)


def _parquet_rows(table: TableFile, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    import pyarrow.parquet as pq

    with arrow_file(table.path) as raw, pq.ParquetFile(raw) as file:
        for record in file.iter_batches(columns=list(dict.fromkeys(names)), use_threads=False):
            columns = [cells_of(record.column(name)) for name in names]
            for row in zip(*columns, strict=True):
                yield tuple("" if value is None else str(value) for value in row)


def _json_rows(table: TableFile, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    with open_bytes(table.path, "gzip" if is_gzip(table.path) else None) as file:
        for row in head_rows([readable(file, MAX_BYTES)]):
            yield tuple("" if row.get(name) is None else str(row[name]) for name in names)
