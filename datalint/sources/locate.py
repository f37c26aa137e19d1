"""Where the data of a scan lies, and the data sets there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.vocabulary import split_of
from datalint.sources.files import spoken
from datalint.sources.places import walk
from datalint.sources.remote.path import RemotePath, place_of
from datalint.sources.remote.stores import known
from datalint.sources.remote.url import is_url
from datalint.sources.standard_input import SIGN, StandardInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.sources.files import Listing
    from datalint.sources.recognise import Recognised

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Located:
    """What is scanned: an object in memory, or paths of which the folders were walked once."""

    source: Any
    paths: tuple[Path, ...] | None
    """None for an object in memory."""
    folders: Mapping[Path, Listing]
    parts: Mapping[str, Sequence[Path]] | None = None
    """The paths by split, where the user said so."""
    names: Mapping[Path, str] = field(default_factory=dict)
    """How files are called in what is said of them, where it is not by their paths."""

    @property
    def weight(self) -> int:
        """Bytes of all that lies at the paths."""
        weight = sum(entry.size for listing in self.folders.values() for entry in listing.entries)
        for path in self.paths or ():
            if path not in self.folders:
                with contextlib.suppress(OSError, ValueError):  # recognising it will say what is wrong
                    weight += path.stat().st_size
        return weight

    def recognise(self, label: str | None, splits: Mapping[str, Any] | None, changed_only: bool = False) -> Recognised:
        """The data sets and what else lies there; each path by itself if it is a changed file.

        Raises:
            DatalintError: nothing is recognised.
        """
        from datalint.sources.objects.memory import from_object
        from datalint.sources.recognise import Recognised, Wishes, recognise_files
        from datalint.sources.together import recognise_splits, recognise_together

        if self.paths is None:
            return Recognised(from_object(self.source, label, splits))
        if changed_only:
            if any(isinstance(path, RemotePath) for path in self.paths):
                raise DatalintError("--changed-only looks at files of this machine, and a URL is none")
            return Recognised(recognise_files(self.paths))
        patterns = {
            split: [value] if isinstance(value, str) else [str(item) for item in value]
            for split, value in (splits or {}).items()
        }
        wishes = Wishes(label, patterns, folders=self.folders, names=self.names)
        try:
            if self.parts is not None:
                return recognise_splits(self.parts, wishes)
            return recognise_together(self.paths, wishes)
        except DatalintError:
            raise
        except Exception as error:
            more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
            raise DatalintError(f"{self.paths[0]}{more} could not be recognised: {spoken(error)}") from error


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, Path))


def _items(source: Any) -> list[str | Path] | None:
    """The paths that a source consists of, as they were given; None for an object in memory."""
    items = [source] if _is_path(source) else source
    if isinstance(items, (list, tuple)) and items and all(map(_is_path, items)):
        return list(items)
    return None


def _parts(source: Any) -> dict[str, list[str | Path]] | None:
    """The same by split, where a mapping says where each lies; None for one of columns or objects.

    A list of texts under a name is a column, unless the name is that of a split and the texts are paths.
    """
    if not isinstance(source, Mapping) or not source:
        return None
    parts = {str(name): _items(value) for name, value in source.items()}
    named = {name: items for name, items in parts.items() if items is not None}
    if len(named) < len(parts):
        return None
    lists = [name for name, value in source.items() if not _is_path(value)]
    if lists and not all(
        split_of(str(name)) and all(isinstance(item, Path) or _lies(item) for item in named[str(name)])
        for name in lists
    ):
        return None
    return named


def _lies(item: str | Path) -> bool:
    return os.path.lexists(item) or is_url(str(item)) or bool(_PATTERN.search(str(item)))


def _expanded(item: str | Path) -> list[Path]:
    """The path, or the files and folders that a pattern matches where nothing is called so.

    Raises:
        DatalintError: it is none, or nothing matches.
    """
    text = str(item)
    if not text.strip():
        raise DatalintError(f"{text!r} is not a path: give a file, a folder or a URL")
    path = place_of(item)
    if isinstance(path, RemotePath):
        return _matching(path) if _PATTERN.search(path.key) else [path]
    text = os.fspath(path)
    with contextlib.suppress(ValueError):
        if _PATTERN.search(text) and not os.path.lexists(text):
            found = sorted(glob(text, recursive=True))  # noqa: PTH207 - as it follows from what the user typed
            if not found:
                raise DatalintError(f"no file or folder matches {text}")
            return [Path(name) for name in found]
    return [path]


def _matching(path: RemotePath) -> list[Path]:
    """The files at a URL that a pattern matches; ``**`` is any number of folders.

    Raises:
        DatalintError: none does, or the folder cannot be listed.
    """
    parts = path.parts[2:]
    fixed = next(k for k, part in enumerate(parts) if _PATTERN.search(part))
    top = RemotePath(*path.parts[: 2 + fixed])
    pattern = re.compile(
        "/".join(".*" if part == "**" else _translated(part) for part in parts[fixed:]).replace(".*/", "(?:.*/)?")
    )
    listing = walk(top)
    found: list[Path] = [entry.path for entry in listing.entries if pattern.fullmatch("/".join(entry.parts))]
    if not found:
        raise DatalintError(f"no file or folder matches {path}")
    return found


def _translated(part: str) -> str:
    """A pattern within one name."""
    signs = {"*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(sign, sign if sign in "[]-" else re.escape(sign)) for sign in part.replace("[!", "[^"))


def paths_of(source: Any) -> tuple[Path, ...] | None:
    """The paths that a source consists of; None for an object in memory."""
    if isinstance(source, StandardInput):
        return (Path(SIGN),)
    parts = _parts(source)
    items = _items(source) if parts is None else [item for inside in parts.values() for item in inside]
    return None if items is None else tuple(map(place_of, items))


def locate(source: Any) -> Located:
    """Walk the folders of a source; one that cannot be read is left to be reported when it is recognised.

    Raises:
        DatalintError: one of the paths is none, or a pattern matches nothing.
    """
    if isinstance(source, StandardInput):
        return Located(source, (source.path,), {}, names={source.path: SIGN})
    named, items = _parts(source), _items(source)
    given = items or [item for inside in (named or {}).values() for item in inside]
    if any(is_url(str(item)) for item in given):
        known().clear()  # what an earlier scan saw
    parts: dict[str, tuple[Path, ...]] | None = None
    paths = None if items is None else tuple(path for item in items for path in _expanded(item))
    if named is not None:
        parts = {split: tuple(path for item in inside for path in _expanded(item)) for split, inside in named.items()}
        paths = tuple(path for inside in parts.values() for path in inside)
    folders = {}
    for path in paths or ():
        with contextlib.suppress(OSError, ValueError, DatalintError):
            if path.is_dir():
                folders[path] = walk(path)
    return Located(source, paths, folders, parts)
