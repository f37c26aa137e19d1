"""Read small files that may come with data of unknown origin."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """What a regular file holds.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        OSError: it cannot be read, is larger, or is no regular file: a device has no end, and a pipe waits for a writer.
    """
    # Asked before it is opened, because opening a device may do something, and after it, because it may have changed.
    _check_regular(os.stat(path).st_mode)  # noqa: PTH116 - Path says less where it fails
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        _check_regular(os.fstat(file.fileno()).st_mode)
        data = file.read(most + 1)
    if len(data) > most:
        size = f"{most >> 20} MB" if most >= 1 << 20 else f"{most >> 10} kB"
        raise OSError(errno.EFBIG, f"it is larger than {size}")
    return data


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
