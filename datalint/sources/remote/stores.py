"""Which store a path lies in. Connections are kept for as long as the process lives, as files are known by what was last seen."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.sources.remote.base import Status, Store, steadily
from datalint.sources.remote.url import ARCHIVE, masked

if TYPE_CHECKING:
    from datalint.sources.remote.path import RemotePath

FRESH = 120
"""Seconds for which what is known of a file is taken for true."""

MOST = 100_000
"""Files of which something is known."""


def store_of(path: RemotePath) -> Store:
    """The store of a path.

    Raises:
        OSError: what reads it is not installed.
    """
    return _store(path.scheme, path.parts[1] if path.scheme not in {"http", "https"} else "")


@cache
def _store(scheme: str, bucket: str) -> Store:
    if scheme in {"http", "https"}:
        from datalint.sources.remote.web import Web

        return Web()
    if scheme == ARCHIVE:
        from datalint.sources.remote.archives import ArchiveStore

        return ArchiveStore(bucket)
    from datalint.sources.remote import objects

    if scheme in objects.SCHEMES:
        return objects.ObjectStore(scheme, bucket)
    from datalint.sources.remote.others import FsspecStore

    try:
        return FsspecStore(scheme, bucket)
    except (ImportError, ValueError) as error:
        known = scheme in {"hf", "ftp", "sftp", "memory", "dropbox", "webdav", "smb", "hdfs"}
        if known:
            raise DatalintError(f"{scheme}:// needs a package that is not installed: {install('remote')}") from error
        text = masked(str(error)).splitlines()[0][:200]
        raise DatalintError(
            f"{scheme}:// is not read ({text}): give a path, or https://, s3://, gs://, abfs://, hf:// or file://"
        ) from error


class Known:
    """What was last seen of files, for a while."""

    def __init__(self) -> None:
        self._seen: OrderedDict[RemotePath, tuple[float, Status | OSError]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: RemotePath) -> Status | OSError | None:
        """What is known, or why nothing is, if it is fresh."""
        when, status = self._seen.get(path, (0.0, None))
        return status if status is not None and time.monotonic() - when < FRESH else None

    def put(self, path: RemotePath, status: Status | OSError) -> None:
        """Keep it."""
        with self._lock:
            self._seen[path] = (time.monotonic(), status)
            while len(self._seen) > MOST:
                self._seen.popitem(last=False)

    def forget(self, path: RemotePath) -> None:
        """It is no longer so."""
        with self._lock:
            self._seen.pop(path, None)

    def clear(self) -> None:
        """Ask for everything anew: another scan begins."""
        with self._lock:
            self._seen.clear()


@cache
def known() -> Known:
    """Of this process."""
    return Known()


def status_of(path: RemotePath) -> Status:
    """What is known of a file.

    Raises:
        OSError: it is not there, or may not be asked for.
    """
    found = known().get(path)
    if found is None:
        store = store_of(path)
        try:
            found = steadily(lambda: store.status(path))
        except OSError as error:
            found = error
        known().put(path, found)
    if isinstance(found, OSError):
        raise found
    return found
