"""Archives of any layout: what lies in one is read as what lies in a folder, and nothing is extracted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.core.errors import DatalintError
from datalint.core.wording import counted
from datalint.sources.files import Entry, is_pointer, reason
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.remote.archives import index_of, is_archive, root_of, walk_archive
from datalint.sources.remote.path import RemotePath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.folder import Folder


class Archives(Layout):
    """Zip and tar files that are no shards of samples."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every archive in which a data set is recognised; none within another."""
        if isinstance(folder.root, RemotePath):
            return
        for entry in folder.left:
            if is_archive(entry.name) and not isinstance(entry.path, RemotePath):
                found = folder.once(("archive", entry.parts), lambda entry=entry: _found(folder, entry))  # type: ignore[misc]
                if found:
                    yield Claim([entry], Basis.NAMES, f"what lies in {entry.name}", found)

    def datasets(self, claim: Claim) -> list[Dataset]:
        """Those in the archive."""
        datasets: list[Dataset] = claim.content
        return datasets


def _found(folder: Folder, entry: Entry) -> list[Dataset]:
    from datalint.sources.recognise import Search

    try:
        with entry.path.open("rb") as file:
            if is_pointer(file.read(1024)):
                folder.unread[entry.parts] = Problem(
                    "pointer", entry.shown, "a Git LFS pointer instead of data (git lfs pull)"
                )
                return []
        if _is_unpacked(folder, entry):
            folder.unread[entry.parts] = Problem("not-scanned", entry.shown, "what it holds lies unpacked next to it")
            return []
        listing = walk_archive(entry.path)
        wishes = replace(folder.wishes, splits={})
        found = Search(root_of(entry.path), wishes, listing).found()
    except DatalintError as error:
        folder.unread.setdefault(entry.parts, Problem("not-scanned", entry.shown, str(error)))
        return []
    except OSError as error:
        folder.unread.setdefault(entry.parts, Problem("unreadable", entry.shown, reason(error)))
        return []
    if found.unread:
        text = (
            f"{counted(len(found.unread), 'file')} in it that no data set took, such as {found.unread[0].parts[-1]!r}"
        )
        found.datasets[0].problems.append(Problem("not-scanned", entry.shown, text))
    own = (
        entry.name[: -len("".join(PurePosixPath(entry.name).suffixes[-2:]))]
        if ".tar." in entry.name.lower()
        else PurePosixPath(entry.name).stem
    )
    for dataset in found.datasets:
        if dataset.path == folder.path(()) or dataset.name == root_of(entry.path).name:
            dataset.name = folder.name((*entry.folder, own))
    return found.datasets


def _is_unpacked(folder: Folder, entry: Entry) -> bool:
    """Whether most files of an archive lie below its own folder too, with the same names and sizes."""
    members = index_of(entry.path).members
    known = {(other.name, other.size) for other in folder.entries if other.folder[: len(entry.folder)] == entry.folder}
    there = sum((parts[-1], member.size) in known for parts, member in members.items())
    return bool(members) and there > 0.9 * len(members)
