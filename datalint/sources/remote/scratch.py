"""Copies of remote files for what reads nothing but files of this machine: a few at a time, in a folder of ours."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import threading
from collections import OrderedDict
from functools import cache
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from datalint.core.temporary import TemporaryFolder
from datalint.sources.remote.stores import status_of, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.sources.remote.path import RemotePath

MOST = 4 << 30
"""Bytes of all copies of a process, unless a single file is larger."""

LARGEST = 64 << 30
"""Bytes of a file that is copied."""

SPARE = 1 << 30
"""Bytes that are left on the disk."""


class Scratch:
    """A folder of copies, of which those go first that were not used for longest."""

    def __init__(self) -> None:
        self._place = TemporaryFolder()
        self.folder = self._place.path
        self._held: OrderedDict[tuple[RemotePath, bytes], tuple[Path, int]] = OrderedDict()
        self._lock = threading.Lock()
        atexit.register(self.remove)
        Finalize(self, self.remove, exitpriority=10)  # a worker process runs these and no atexit

    def copy_of(self, path: RemotePath) -> str:
        """The name of a file with the same content.

        Raises:
            OSError: it cannot be read, or there is no room for it.
        """
        status = status_of(path)
        if status.folder:
            raise IsADirectoryError(21, f"{path} is a folder")
        key = (path, status.state)
        with self._lock:
            if (known := self._held.get(key)) is not None and known[0].exists():
                self._held.move_to_end(key)
                return str(known[0])
            self._make_room(max(0, status.size))
            name = hashlib.sha256(f"{path} {len(self._held)} {status.state!r}".encode("utf-8", "replace")).hexdigest()[
                :16
            ]
            goal = self.folder / f"{name}{path.suffix}"
            try:
                with goal.open("wb") as file:
                    store_of(path).copy(path, file, status)
                    size = file.tell()
            except BaseException:
                goal.unlink(missing_ok=True)
                raise
            self._held[key] = (goal, size)
            return str(goal)

    def _make_room(self, size: int) -> None:
        while self._held and sum(held for _, held in self._held.values()) + size > MOST:
            _, (old, _) = self._held.popitem(last=False)
            old.unlink(missing_ok=True)
        free = shutil.disk_usage(self.folder).free
        if size > min(LARGEST, free - SPARE):
            raise OSError(f"there is no room for a copy of its {size:,} bytes in {self.folder.parent}")

    def remove(self) -> None:
        """Remove all."""
        self._place.remove()


@cache
def _scratch() -> Scratch:
    return Scratch()


def copy_of(path: RemotePath) -> str:
    """The name of a file of this machine with the content of a remote one.

    Raises:
        OSError: it cannot be read, or there is no room for it.
    """
    return _scratch().copy_of(path)
