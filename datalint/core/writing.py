"""Writing files: whole or not at all, and never in place of something that is not a file.

Nothing here asks for or sets the process's umask: other threads may be creating files at the same moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY: Final = ".datalint-"
"""How the names of temporary files begin; hidden, so that no scan takes them for data."""

# Opened by name, these would be other open files: of a regular file behind them, one that begins at its start again.
_STREAM = re.compile(r"/dev/(?:fd/(\d+)|(stdout|stderr))|/proc/self/fd/(\d+)")
_NUMBERS: Final = {"stdout": 1, "stderr": 2}

_SEPARATORS = re.compile("[\0/\\\\]" if os.name == "nt" else "[\0/]")
_LONGEST: Final = 200
"""Bytes of a name: systems take 255, and more may be put before it or after it."""


def write_text(path: Path, text: str, within: Path | None = None) -> None:
    """Write one file, whole or not at all; see :class:`Files`.

    Raises:
        DatalintError: it cannot be written.
    """
    with writing() as files:
        files.add(path, text, within)


@contextmanager
def writing() -> Iterator[Files]:
    """Write several files, all of them or none.

    Raises:
        DatalintError: one cannot be written.
    """
    files = Files()
    try:
        yield files
        files.publish()
    finally:
        files.drop()


class Files:
    """Files that are prepared under temporary names next to their destinations and renamed together.

    A file that is replaced hands on its mode and its owner. Links are followed. What is no regular file (a device, a
    pipe, ``/dev/stdout``) is written to, as is a file that cannot be replaced: one of somebody else, or in a folder that
    cannot be written.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[Path, Path, Path]] = []
        """What the user calls the file, the temporary one, its place."""
        self._direct: list[tuple[Path, bytes]] = []
        """What is written to instead of replaced, when all others are in place: a reader may wait for each to end."""

    def add(self, path: Path, text: str | bytes, within: Path | None = None) -> None:
        """Prepare a file.

        Args:
            path: where.
            text: its content.
            within: the folder in which it must lie, if datalint and not the user chose its name: a link there that leads
                out of it may have come with somebody's data.

        Raises:
            DatalintError: it cannot be written.
        """
        data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        with _errors(path):
            check(path, within)
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_stream(path):
                self._direct.append((path, data))
                return
            place = Path(os.path.realpath(path))
            try:
                handle, fresh = _temporary(place.parent)
            except PermissionError:  # the folder is not ours, but the file may be
                if not place.exists():
                    raise
                self._direct.append((path, data))
                return
            self._ready.append((path, fresh, place))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if not inherit(fresh, place):
                self._ready.pop()
                fresh.unlink()
                self._direct.append((path, data))

    def publish(self) -> None:
        """Put all that was prepared in its place."""
        while self._ready:
            path, fresh, place = self._ready[0]
            with _errors(path):
                fresh.replace(place)
            self._ready.pop(0)
        for path, data in self._direct:
            with _errors(path), _opened(path) as file:
                file.write(data)

    def drop(self) -> None:
        """Remove what was not put in its place."""
        for _, fresh, _ in self._ready:
            with contextlib.suppress(OSError):
                fresh.unlink()


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of ``path`` when all went well; for files of datalint's own.

    Args:
        path: its place; a link there is replaced.
        mode: of a new file, less the umask.

    Raises:
        OSError: it cannot be written.
    """
    with new_file(path.parent, mode) as (file, fresh):
        yield file
        file.close()
        fresh.replace(path)


@contextmanager
def new_file(folder: Path, mode: int = 0o666) -> Iterator[tuple[BinaryIO, Path]]:
    """A file of another name than any other there, to be renamed; it is gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    handle, fresh = _temporary(folder, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, fresh
    finally:
        fresh.unlink(missing_ok=True)


def link(fresh: Path, place: Path) -> None:
    """Give a file a second name, or where the system of files has none, that name instead.

    Raises:
        FileExistsError: there is one of that name.
        OSError: neither can be done.
    """
    try:
        place.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError:
        fresh.replace(place)


def check(path: Path, within: Path | None = None) -> None:
    """See that a file can be written, before the work that it is to hold.

    Raises:
        DatalintError: it cannot.
    """
    place = Path(os.path.realpath(path))
    number = _open_file(path)
    if number is None and os.path.islink(place):  # noqa: PTH114 - as below
        raise DatalintError(
            f"cannot write {path}: it is a link that leads to itself; remove it or choose another place"
        )
    if within is not None and os.path.lexists(path):
        inside = place.is_relative_to(os.path.realpath(within))
        if not inside or is_stream(place):
            raise DatalintError(
                f"cannot write {path}: it is a link out of its folder, a pipe or a device; remove it or choose another place"
            )
    if number is not None:
        with _errors(path):
            os.fstat(number)  # what opens later may get the same number
        return
    # os.path answers False where a folder above may not even be looked into; Path raises.
    there = os.path.exists(path)  # noqa: PTH110
    fine = os.access(path, os.W_OK) if there else can_hold(place.parent)
    if not fine or os.path.isdir(path):  # noqa: PTH112
        raise DatalintError(f"cannot write {path}: choose another place")


def is_stream(path: Path) -> bool:
    """Whether it is there and no regular file: a device, a pipe, an open file of this process."""
    return _open_file(path) is not None or (os.path.exists(path) and not os.path.isfile(path))  # noqa: PTH110, PTH113


def can_hold(folder: Path) -> bool:
    """Whether files can be written to a folder, which may have to be made."""
    nearest = folder.absolute()
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)  # noqa: PTH112


def safe_name(name: str) -> str:
    """A name that comes from data as one part of a path: itself, unless it would lead elsewhere or a scan would pass it over.

    Names that differ stay different.
    """
    with contextlib.suppress(UnicodeEncodeError):
        plain = not _SEPARATORS.search(name) and not name.startswith((".", "__")) and name.strip() != ""
        if plain and len(os.fsencode(name)) <= _LONGEST:
            return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    words = "_".join(re.findall(r"\w+", os.path.splitext(name)[0], re.ASCII))  # noqa: PTH122 - it need not be a path
    suffix = re.search(r"\.\w{1,9}$", name, re.ASCII)
    return f"{words.strip('_')[:40] or 'name'}-{mark}{suffix[0] if suffix else ''}"


def inherit(fresh: Path, place: Path) -> bool:
    """Give a new file mode and owner of the one that it will replace; False where that is not allowed."""
    try:
        known = place.lstat()
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(known.st_mode):
        return True
    if hasattr(os, "chown"):
        mine = fresh.stat()
        if (mine.st_uid, mine.st_gid) != (known.st_uid, known.st_gid):
            try:
                os.chown(fresh, known.st_uid, known.st_gid)
            except PermissionError:
                return False
    fresh.chmod(stat.S_IMODE(known.st_mode) & 0o777)
    return True


def _temporary(folder: Path, mode: int = 0o666) -> tuple[int, Path]:
    """A new file; unlike those of ``tempfile`` it has the mode that any new file has."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    path = folder / f"{TEMPORARY}{os.urandom(8).hex()}"
    return os.open(path, flags, mode), path


def _open_file(path: Path) -> int | None:
    """The number of the open file of this process that a path such as ``/dev/stdout`` names."""
    found = _STREAM.fullmatch(str(path))
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    return _NUMBERS[name] if name in _NUMBERS else int(name)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """What is there, to be written to."""
    number = _open_file(path)
    if number is not None:
        handle = os.dup(number)
    else:
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.truncate(handle, 0)
    with os.fdopen(handle, "wb") as file:
        yield file


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatalintError(f"cannot write {path}: {reason}; choose another place") from error
