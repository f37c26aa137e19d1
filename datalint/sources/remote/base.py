"""What a store of files is, however it is reached."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeVar

from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datalint.sources.remote.path import RemotePath

T = TypeVar("T")

ATTEMPTS = 4
"""Times that something is asked for before it is given up."""

PAUSE = 0.2
"""Seconds before it is asked for again, the first time; later more."""

PIECE = 8 << 20
"""Bytes asked for at a time, at most, where a whole file is copied."""


@dataclass(frozen=True)
class Status:
    """What is known of a file before it is read."""

    size: int
    time: float = 0.0
    """When it was changed last, in seconds."""
    tag: str = ""
    """Changes with the content; empty where the server says nothing of the kind."""
    folder: bool = False
    ranges: bool = True
    """Whether parts of it can be asked for."""

    @property
    def state(self) -> bytes:
        """What tells whether the content has changed; empty where nothing does."""
        return f"{self.size} {self.tag or self.time}".encode() if self.tag or self.time else b""


@dataclass(frozen=True)
class Found:
    """A file below a folder."""

    parts: tuple[str, ...]
    status: Status


class Unsteady(OSError):
    """Reading broke down in a way that it may not the next time."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that the server wants to be left alone."""


class NoRanges(OSError):
    """The server gives files whole or not at all."""


class NotListed(OSError):
    """It is no folder, or none whose files can be known."""


class Store(ABC):
    """Where files lie that this machine cannot open by name. What is raised is said in messages without secrets."""

    @abstractmethod
    def status(self, path: RemotePath) -> Status:
        """What is known of a file or folder.

        Raises:
            OSError: it is not there, or may not be asked for.
        """

    @abstractmethod
    def listed(self, path: RemotePath) -> Iterator[Found]:
        """All files below a folder.

        Raises:
            OSError: they cannot be listed.
        """

    @abstractmethod
    def read(self, path: RemotePath, start: int, stop: int, status: Status) -> bytes:
        """These bytes of a file; fewer are an error.

        Raises:
            NoRanges: the file has to be copied first.
            OSError: they cannot be read.
        """

    def whole(self, path: RemotePath, most: int | None) -> bytes:
        """All of a file; of a larger one than ``most`` bytes one byte more than that.

        Raises:
            OSError: it cannot be read.
        """
        from datalint.sources.remote.stores import status_of

        status = status_of(path)
        if status.size < 0:
            with open(path, "rb") as file:  # noqa: PTH123 - a copy of it
                return file.read(-1 if most is None else most + 1)
        size = status.size if most is None else min(status.size, most + 1)
        return self.read(path, 0, size, status) if size else b""

    def copy(self, path: RemotePath, file: IO[bytes], status: Status) -> None:
        """Write the whole file.

        Raises:
            OSError: it cannot be read or written.
        """
        for start in range(0, status.size, PIECE):
            stop = min(start + PIECE, status.size)
            file.write(steadily(lambda start=start, stop=stop: self.read(path, start, stop, status)))  # type: ignore[misc]

    def arrow_file(self, path: RemotePath) -> object | None:  # noqa: ARG002 - stores that have one need it
        """The file as pyarrow itself opens it; None where it does not."""
        return None


def steadily(ask: Callable[[], T], attempts: int = ATTEMPTS, pause: float | None = None) -> T:
    """The answer, asked for again where it broke off.

    Raises:
        OSError: it breaks off every time; any other error at once.
    """
    for attempt in range(attempts):
        try:
            return ask()
        except Unsteady as error:
            if attempt == attempts - 1:
                raise OSError(f"{error} (tried {attempts} times)") from error
            time.sleep(max(error.wait, (PAUSE if pause is None else pause) * 3**attempt))
    raise DatalintError("nothing was asked for")
