"""Tables of which a log says which of the files below a folder belong to them; the others are of earlier versions."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from datalint.core import vocabulary
from datalint.core.dataset import Problem
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources.files import reason
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.tables import table_folders
from datalint.sources.tables.build import Member
from datalint.sources.tables.encoding import NotJudged
from datalint.sources.tables.partition_keys import keyed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.partition_keys import Keys

Place = tuple[str, ...]

DATA = frozenset({".parquet", ".orc", ".avro"})
"""Suffixes of files of rows."""


@dataclass
class Version:
    """What the log says of a table as it is now."""

    number: int
    files: dict[Place, Keys] = field(default_factory=dict)
    """Its files, below the table's folder, with the columns that stand in the log alone."""
    elsewhere: list[str] = field(default_factory=list)
    """Files that do not lie below it."""


@dataclass(frozen=True)
class _Lake:
    home: Place
    entries: Sequence[Entry]
    version: Version


class LakeLayout(Layout):
    """Tables whose files a log lists; without the log none of the files is read."""

    what: ClassVar[str]
    """What it is called."""
    log: ClassVar[str]
    """Folder of its log."""

    @abstractmethod
    def homes(self, folder: Folder) -> Iterable[Place]:
        """The folders of tables."""

    @abstractmethod
    def version(self, home: Place, entries: Sequence[Entry]) -> Version:
        """The newest state of a table.

        Raises:
            NotJudged: it can be read, but not by this.
            OSError, ValueError, KeyError, TypeError: the log is damaged.
        """

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """All that lies below the folder of a table, or below several that are named by splits."""
        lakes: dict[Place, _Lake] = {}
        for home in sorted(set(self.homes(folder))):
            entries = [entry for entry in folder.left if entry.parts[: len(home)] == home]
            version = folder.once((self.what, home), lambda h=home, e=entries: self._read(folder, h, e))  # type: ignore[misc]
            if version is None:
                yield Claim(entries, Basis.DECLARED, "", None, entries)
            else:
                lakes[home] = _Lake(home, entries, version)
        for parent, parts in _by_split(lakes).items():
            entries = [entry for lake in parts.values() for entry in lake.entries]
            wanted = {(*lake.home, *place) for lake in parts.values() for place in lake.version.files}
            idle = [entry for entry in entries if entry.parts not in wanted and self.log not in entry.folder]
            yield Claim(entries, Basis.DECLARED, self.what, (folder, parent, parts), idle)

    def _read(self, folder: Folder, home: Place, entries: Sequence[Entry]) -> Version | None:
        try:
            return self.version(home, entries)
        except NotJudged as error:
            problem = Problem("not-scanned", folder.path(home), str(error))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problem = Problem("unreadable", folder.path(home), f"a {self.what} whose log is damaged: {reason(error)}")
        folder.unread.setdefault(entries[0].parts, problem)
        return None

    def dataset(self, claim: Claim) -> Dataset | None:
        """The files of the newest version."""
        if claim.content is None:
            return None
        folder: Folder
        parts: Mapping[str, _Lake]
        folder, place, parts = claim.content
        tables = table_folders(folder)
        members: list[Member] = []
        problems: list[Problem] = []
        for split, lake in parts.items():
            files = {entry.parts[len(lake.home) :]: entry for entry in lake.entries}
            found = [
                (table, lake.version.files[below])
                for below in lake.version.files
                if below in files
                for table in tables.look([files[below]])
            ]
            why = "not split" if split == WHOLE else f"folder {lake.home[-1]!r}"
            members += [Member(table, split, why) for table in keyed(found)]
            lost = ["/".join(below) for below in lake.version.files if below not in files] + lake.version.elsewhere
            if lost:
                text = f"its log lists {counted(len(lost), 'file')} that {'are' if lost[1:] else 'is'} not there, such as {lost[0]!r}"
                problems.append(Problem("absent", folder.path(lake.home), text))
        if not members:
            text = problems[0].message if problems else "a version without rows"
            folder.unread.setdefault(
                claim.files[0].parts, Problem("unreadable", folder.path(place), f"a {self.what}: {text}")
            )
            return None
        dataset: Dataset
        numbers = ", ".join(f"{lake.version.number:,}" for lake in parts.values())
        (dataset,) = tables.grouped(members, place, f"{self.what}, version {numbers}")
        old = sum(entry.suffix in DATA for entry in claim.left_out)
        dataset.evidence += f"; {counted(old, 'file')} of other versions left out" if old else ""
        dataset.problems += problems
        return dataset


def _by_split(lakes: Mapping[Place, _Lake]) -> dict[Place, dict[str, _Lake]]:
    """Tables by the folder of the data set that they make up."""
    by_parent: dict[Place, list[Place]] = {}
    for home in lakes:
        by_parent.setdefault(home[:-1], []).append(home)
    joined: dict[Place, dict[str, _Lake]] = {}
    for parent, homes in by_parent.items():
        splits = vocabulary.split_folders([home[-1] for home in homes]) if all(homes) else None
        if splits and len(set(splits.values())) == len(homes) > 1:
            joined[parent] = {splits[home[-1]]: lakes[home] for home in homes}
        else:
            joined |= {home: {WHOLE: lakes[home]} for home in homes}
    return joined
