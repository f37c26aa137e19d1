"""The files below a folder at a URL, as those of a folder of this machine are listed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.sources.files import MAX_DEPTH, Entry, Listing, printable, reason
from datalint.sources.remote.path import RemotePath
from datalint.sources.remote.stores import known, status_of, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.sources.remote.base import Status


def walk_remote(root: Path) -> Listing:
    """List the files below a URL; hidden ones are passed over.

    Raises:
        DatalintError: the folder cannot be listed.
    """
    assert isinstance(root, RemotePath)
    listing = Listing([], [], [])
    hidden: dict[tuple[str, ...], None] = {}
    try:
        for found in store_of(root).listed(root):
            inside = next((k for k, part in enumerate(found.parts) if part.startswith((".", "__"))), None)
            if inside is not None:
                if inside < len(found.parts) - 1:
                    hidden[found.parts[: inside + 1]] = None
                else:
                    listing.hide(found.parts)
                continue
            entry = _entry(root.joinpath(*found.parts), found.parts, found.status)
            if len(found.parts) > MAX_DEPTH:
                text = f"lies more than {MAX_DEPTH} folders deep"
                listing.problems.append(Problem("not-scanned", entry.shown, text))
                continue
            known().put(root.joinpath(*found.parts), found.status)
            listing.entries.append(entry)
    except OSError as error:
        raise DatalintError(f"cannot read {root}: {reason(error)}") from error
    listing.hidden += hidden
    listing.entries.sort(key=lambda entry: entry.parts)
    return listing


def entry_of(path: Path, parts: tuple[str, ...]) -> Entry:
    """One file.

    Raises:
        OSError: it is not there, or cannot be looked at.
    """
    assert isinstance(path, RemotePath)
    return _entry(path, parts, status_of(path))


def state_at(url: str, paranoid: bool = False) -> str:
    """What tells whether a file has changed: what its server says, or its bytes.

    Raises:
        OSError: it cannot be asked for, or nothing tells.
    """
    path = RemotePath.of(url)
    if paranoid:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
        return digest.hexdigest()
    if not (state := status_of(path).state):
        raise OSError(f"{path}: nothing says when it was changed")
    return state.hex()


def _entry(path: RemotePath, parts: tuple[str, ...], status: Status) -> Entry:
    return Entry(printable(str(path)), parts, status.size, status.state, place=path)
