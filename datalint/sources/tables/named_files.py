"""Files that a table names and that are not there: a list of pictures with their labels, of which some are lost."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core.problem import Problem
from datalint.core.roles import roles
from datalint.core.vocabulary import split_of
from datalint.core.wording import are
from datalint.sources.files import IMAGES, Entry
from datalint.sources.tables.convert import texts_of
from datalint.sources.tables.formats import whole_partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datalint.sources.tables.format import TableFile

MAX_BYTES = 64 << 20
"""A list of more bytes is judged by its head."""

PEEK = 200
"""Names of the head that are looked for."""

MAX_COLUMNS = 50
"""Columns among which the one of names is looked for."""

MAX_LOOKED_AT = 10_000
"""Files next to a list among which any picture is looked for."""


class Places:
    """Where the pictures (or other files of these suffixes) below a folder lie, by their paths from it."""

    def __init__(self, entries: Iterable[Entry], suffixes: frozenset[str] = IMAGES) -> None:
        self._suffixes = suffixes
        self.known = {"/".join(entry.parts): entry for entry in entries if entry.suffix in suffixes}
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
        if found or _suffix(name) in self._suffixes:
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
            found = [path for path in found if path.startswith("/".join([*home, ""]))] if home else found
        if len(found) > 1:
            found = [path for path in found if split is not None and _split(path) == split]
        return self.known[found[0]] if len(found) == 1 else None


def _split(path: str) -> str | None:
    """The split that the closest folder of a file names, if any does."""
    return next((split for part in reversed(path.split("/")[:-1]) if (split := split_of(part)) is not None), None)


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
    """The files that a table names in one of its columns and that are not there.

    A column counts as one of names where nearly all texts of its head end in the suffix of an image. Where not one of them
    is there, the table must be no more than a list of files of its own folder: files kept elsewhere are no fault.
    """
    for head in table.columns:
        shown = [_plain(value) for value in head.values[:PEEK] if isinstance(value, str) and value]
        if not shown or sum(_is_image(name) for name in shown) < 0.9 * len(shown):
            continue
        named = dict.fromkeys(name for name in map(_plain, _column(table, head.name)) if _is_image(name))
        lost = [name for name in named if not places.holds(name)]
        if not lost or (len(lost) == len(named) and not _only_lists(table, head.name, lost)):
            continue
        message = (
            f"names {len(lost):,} of {len(named):,} files in {head.name!r} that {are(len(lost))} not "
            f"there, such as {lost[0]!r}"
        )
        return Problem("absent", table.shown, message)
    return None


def _only_lists(table: TableFile, column: str, names: Sequence[str]) -> bool:
    """Whether a table is a list of files of its own folder with their labels, and no picture lies in that folder."""
    others = [head for head in table.columns if head.name != column]
    inputs = [name for name, role in roles(others).items() if role in {"feature", "text", "time"}]
    if len(inputs) > 1 or len(names) < 2 or any(name.startswith("/") or ":" in name for name in names):
        return False
    return not any(_is_image(path.name) for path in islice(table.path.parent.rglob("*"), MAX_LOOKED_AT))


def _plain(name: object) -> str:
    text = str(name).strip().replace("\\", "/")
    return text[2:] if text.startswith("./") else text


def _is_image(name: str) -> bool:
    return _suffix(name) in IMAGES


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _column(table: TableFile, name: str) -> Iterator[str]:
    """All texts of one column, or those of the head where reading all would take long."""
    if table.path.stat().st_size > MAX_BYTES:
        values = next(head.values for head in table.columns if head.name == name)
        return (value for value in values if isinstance(value, str))
    return (row[0] for row in rows_of(table, [name]))


def rows_of(table: TableFile, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Some columns of a table, row by row, as texts.

    A file that breaks off gives the rows before that: the scan of the table itself says what is wrong with it.
    """
    with contextlib.suppress(Exception):
        for record in whole_partition(table).raw_rows(list(dict.fromkeys(names))):
            columns = [texts_of(name, record.column(name)) for name in names]
            texts = [[*column.values, ""] for column in columns]
            for codes in zip(*(column.codes for column in columns), strict=True):
                yield tuple(text[code] for text, code in zip(texts, codes, strict=True))
