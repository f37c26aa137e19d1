"""Files and folders wherever they lie: of this machine by their names, and at URLs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.sources.files import LEADS_OUT, MAX_DEPTH, Entry, Listing, printable, reason, state_of
from datalint.sources.remote.url import is_url


def entry_at(path: Path, parts: tuple[str, ...]) -> Entry:
    """One file, with its size and state.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    if is_url(str(path)):
        from datalint.sources.remote.listing import entry_of

        return entry_of(path, parts)
    status = path.stat()
    return Entry(str(path), parts, status.st_size, state_of(status))


def walk(root: Path) -> Listing:
    """List the files below ``root``.

    Hidden files and folders and those that start with two underscores are passed over. Links that leave the root are
    not followed: they become problems.

    Raises:
        DatalintError: the folder itself cannot be read.
    """
    if is_url(str(root)):
        from datalint.sources.remote.listing import walk_remote

        return walk_remote(root)
    listing = Listing([], [], [])
    try:
        top = root.resolve(strict=True)
        folders = _list(root, (), top, listing)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise DatalintError(f"cannot read {root}: {reason(error)}") from error
    while folders:
        folder, parts = folders.pop()
        if len(parts) > MAX_DEPTH:
            listing.problems.append(
                Problem("not-scanned", printable(folder.as_posix()), f"lies more than {MAX_DEPTH} folders deep")
            )
            continue
        try:
            folders += _list(folder, parts, top, listing)
        except OSError as error:
            message = reason(error)
            listing.problems.append(Problem("unreadable", printable(folder.as_posix()), message))
    listing.entries.sort(key=lambda entry: entry.parts)
    listing.problems.sort(key=lambda problem: problem.path)
    return listing


def _list(folder: Path, parts: tuple[str, ...], top: Path, listing: Listing) -> list[tuple[Path, tuple[str, ...]]]:
    """Add the files of one folder to the listing; the answer is its folders."""
    with os.scandir(folder) as items:
        found = list(items)
    if not found:
        listing.empty.append(parts)
    folders = []
    for item in found:
        inside = (*parts, item.name)
        try:
            if item.name.startswith((".", "__")):
                if item.is_dir(follow_symlinks=False):
                    listing.hidden.append(inside)
                else:
                    listing.hide(inside)
                continue
            why = _why_not(item, top)
            if why:
                entry = Entry(item.path, inside, 0)
                if why == LEADS_OUT:
                    listing.problems.append(Problem("not-scanned", entry.shown, why))
                else:
                    listing.passed.append((entry, why))
            elif not item.is_dir():
                status = item.stat()
                listing.entries.append(Entry(item.path, inside, status.st_size, state_of(status)))
            elif not item.is_symlink():  # the target of a link is walked where it lies
                folders.append((Path(item.path), inside))
        except (OSError, RuntimeError) as error:
            listing.problems.append(Problem("unreadable", Entry(item.path, inside, 0).shown, reason(error)))
    return folders


def _why_not(item: os.DirEntry[str], top: Path) -> str | None:
    if item.is_symlink() and not Path(item.path).resolve().is_relative_to(top):
        return LEADS_OUT
    if item.is_file() or item.is_dir():
        return None
    return "a link to nothing" if item.is_symlink() else "a pipe or device, not a file"


def arrow_file(path: Path) -> Any:
    """The file for pyarrow to read, which by itself opens no name that is not UTF-8, and few URLs.

    Raises:
        OSError: the file cannot be opened.
    """
    import pyarrow as pa

    if is_url(str(path)):
        from datalint.sources.remote.ranges import arrow_ranges

        return arrow_ranges(path)
    return pa.OSFile(os.fsencode(path), "r")


def reach(base: Path, name: str) -> str | Path:
    """The same file to be opened: of a URL its path, with what gives access to ``base``."""
    if "://" not in name:
        return os.path.join(base, name)  # noqa: PTH118 - as above
    from datalint.sources.remote.path import RemotePath

    return RemotePath.below(base, name)


def at(base: Path, name: str) -> Path:
    """The same as a path."""
    place = reach(base, name)
    return Path(place) if isinstance(place, str) else place


def opened(base: Path, name: str) -> IO[bytes]:
    """The same, open.

    Raises:
        OSError: it cannot be read.
    """
    place = reach(base, name)
    return open(place, "rb") if isinstance(place, str) else place.open("rb")  # noqa: PTH123 - as above
