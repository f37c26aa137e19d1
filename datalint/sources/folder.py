"""What is known of a folder that is scanned: its files, what the user wished, and what could not be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.sources import files
from datalint.sources.arrays.files import NotLookedInto
from datalint.sources.sounds.suffixes import SOUNDS
from datalint.sources.tables import named_files
from datalint.sources.tables.encoding import NotJudged
from datalint.sources.tables.formats import suffixes

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from pathlib import Path

    from datalint.sources.files import Entry

T = TypeVar("T")


@dataclass(frozen=True)
class Wishes:
    """What the user said about a data set instead of leaving it to be recognised."""

    label: str | None = None
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Glob patterns, below the scanned folder, of the files of each split."""
    why: str = ""
    """What says so, if not the patterns themselves."""
    folders: Mapping[Path, files.Listing] = field(default_factory=dict)
    """What lies below folders that were walked already."""
    names: Mapping[Path, str] = field(default_factory=dict)
    """How files are called, where it is not by their paths."""


class Folder:
    """A folder and all files below it."""

    def __init__(self, root: Path, wishes: Wishes, listing: files.Listing) -> None:
        self.root = root
        self.wishes = wishes
        data = data_suffixes()
        self.problems = listing.problems + [
            Problem("not-scanned", entry.shown, why) for entry, why in listing.passed if entry.suffix in data
        ]
        self.unread: dict[tuple[str, ...], Problem] = {}
        """Files that look like data and are not, by their place."""
        self.entries = listing.entries
        self.empty = listing.empty
        self.hidden = listing.hidden
        self.hidden_pictures = listing.hidden_pictures
        self.claimed: set[tuple[str, ...]] = set()
        """Files that belong to a data set already, by their place."""
        self.unless_claimed: list[tuple[Sequence[Entry], str, str]] = []
        """Files that are told if no data set takes them: where they lie, and what each of them is to a picture."""
        self._known: dict[Hashable, Any] = {}

    @property
    def left(self) -> list[Entry]:
        """The files that no data set has claimed."""
        return [entry for entry in self.entries if entry.parts not in self.claimed]

    def once(self, key: Hashable, look: Callable[[], T]) -> T:
        """What ``look`` found when it was first called under this key: a layout may be asked more than once."""
        if key not in self._known:
            self._known[key] = look()
        found: T = self._known[key]
        return found

    @cached_property
    def pictures(self) -> named_files.Places:
        """The pictures that tables may name."""
        return named_files.Places(self.entries)

    @cached_property
    def sounds(self) -> named_files.Places:
        """The recordings that tables may name."""
        return named_files.Places(self.entries, SOUNDS)

    def place_of(self, path: Path) -> tuple[str, ...]:
        """The folder that holds a file, below this one."""
        return path.parent.relative_to(self.root).parts

    def name(self, parts: tuple[str, ...]) -> str:
        """What a data set in this place is called."""
        return files.printable("/".join(parts) if parts else (self.root.resolve().name or "data"))

    def path(self, parts: tuple[str, ...]) -> str:
        """The place as it follows from what the user typed."""
        return files.printable(self.root.joinpath(*parts).as_posix())


def data_suffixes() -> frozenset[str]:
    """Suffixes of files that are data whatever they hold."""
    return suffixes() | files.IMAGES | files.ARRAYS


def split_folders(groups: Mapping[str, bool]) -> dict[str, str] | None:
    """Splits of sibling folders, or None.

    Next to a train folder and that of another split there may be folders of other things; they are no classes if, as the
    second entry of each item says, no file lies directly in one of the folders that are named by a split.
    """
    whole = vocabulary.split_folders(list(groups))
    if whole:
        return whole
    named = [name for name in groups if vocabulary.split_of(name)]
    found = vocabulary.split_folders(named) if any(groups[name] for name in named) else None
    return found if found and len(set(found.values())) > 1 else None


def strays(entries: Iterable[Entry], why: str) -> list[Problem]:
    """The files as ones that are not scanned."""
    return [Problem("not-scanned", entry.shown, why) for entry in entries]


def unread(entry: Entry, error: Exception) -> Problem:
    """What to tell of a file that is not what its name promises."""
    if isinstance(error, (NotLookedInto, NotJudged)):
        return Problem("not-scanned", entry.shown, str(error))
    return Problem("pointer" if files.is_pointer(_peek(entry.path)) else "unreadable", entry.shown, str(error))


def stem(name: str) -> str:
    """A file's name without its suffixes."""
    return re.sub(r"(\.[A-Za-z0-9]+){1,2}$", "", name) or name


def _peek(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1024)
    except OSError:
        return b""
