"""Temporary folders that go when the process that made them does, however it ends.

A process that is killed removes nothing. So each folder holds a file that its owner keeps locked while it lives, and the
first folder that another process makes there takes along those whose owner is gone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from datalint.core.writing import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves there stays
    fcntl = None  # type: ignore[assignment]

PREFIX: Final = "datalint-"
"""How their names begin where temporary files are expected; next to a user's files they are hidden."""

OWNER: Final = ".datalint-owner"
"""The file in each that its owner keeps locked."""

_SAID: Final = b"A folder of datalint's, removed with all that it holds when its process is gone.\n"


class TemporaryFolder:
    """A folder of this user's alone.

    Args:
        parent: where; where temporary files lie if not given.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, parent: Path | None = None) -> None:
        prefix = PREFIX if parent is None else TEMPORARY
        place = tempfile.gettempdir() if parent is None else os.fspath(parent)
        _remove_orphans(place, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        self._process = os.getpid()
        self._lock = _locked(self.path)

    def remove(self) -> None:
        """Remove it with all that it holds; a process that was forked from its owner leaves it."""
        if os.getpid() != self._process:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """A :class:`TemporaryFolder` that is removed at the end.

    Raises:
        OSError: it cannot be made.
    """
    folder = TemporaryFolder(parent)
    try:
        yield folder.path
    finally:
        folder.remove()


def _locked(folder: Path) -> int | None:
    """The owner's file, locked; it gets its name afterwards, so that nobody finds it without the lock."""
    if fcntl is None:
        return None
    fresh = folder / f"{OWNER}.new"
    handle = None
    try:
        handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, _SAID)
        fresh.rename(folder / OWNER)
    except OSError:  # a full disk, or one without locks: the folder serves without
        with contextlib.suppress(OSError):
            fresh.unlink()
        if handle is not None:
            os.close(handle)
        return None
    return handle


@cache
def _remove_orphans(parent: str, prefix: str) -> None:
    """Remove the folders there of this user's whose owner is gone; once for each place."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    _remove_orphan(Path(entry.path))


def _remove_orphan(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        return
    handle = os.open(folder / OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        owner = os.fstat(handle)
        if not stat.S_ISREG(owner.st_mode) or owner.st_uid != os.geteuid() or os.read(handle, len(_SAID) + 1) != _SAID:
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the owner lives
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
