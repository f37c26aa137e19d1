"""What was measured and found before, kept under the identity of the content, so that unchanged data is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import stat
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datalint import __version__
from datalint.core.errors import DatalintError
from datalint.core.installed import version
from datalint.core.writing import TEMPORARY, can_hold, link, new_file, replacing
from datalint.sources.files import state_of
from datalint.sources.plugins import plugin_sources
from datalint.sources.remote.listing import state_at
from datalint.sources.remote.url import is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from datalint.core.dataset import Partition
    from datalint.engine.engine import Engine
    from datalint.engine.plan import Measured, Plan
    from datalint.sources.files import Listing

TAG: Final = "CACHEDIR.TAG"
_TAG_TEXT: Final = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n# This folder is datalint's cache; `datalint clean` empties it.\n"
)
MARK: Final = ".datalint-cache"
"""Says that a folder is a cache of datalint's, and holds the secret with which its entries are signed."""

_MARK = re.compile(rb"datalint-cache/1\n([0-9a-f]{64})\n(made\n)?")
_SIGNED: Final = 32
"""Bytes of a signature."""

LARGEST: Final = 1 << 30
"""Bytes of an entry; what is larger was not written here."""

_FOLDER, _ENTRY = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{62}")
_UNFINISHED = re.compile(re.escape(TEMPORARY) + "[0-9a-f]+")


def chosen_folder(given: str | Path | None = None) -> tuple[Path, bool]:
    """The folder of the cache, and whether the user named it: by an option, a setting or ``DATALINT_CACHE_DIR``.

    Otherwise it lies in ``XDG_CACHE_HOME``, else in ``~/.cache``.

    Raises:
        RuntimeError: the user has no home folder.
    """
    named = given or os.environ.get("DATALINT_CACHE_DIR")
    if named:
        return Path(named), True
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "datalint", False


def open_cache(
    given: str | Path | None = None, paranoid: bool = False, folders: tuple[Listing, ...] = (), quiet: bool = False
) -> Cache | None:
    """The cache of a scan; None, with a notice unless ``quiet``, where none can be kept.

    Raises:
        DatalintError: the user named something that is there and no cache.
    """
    where = ""
    try:
        folder, named = chosen_folder(given)
        where = f" in {str(folder)!r}"
        cache = Cache(folder, paranoid, folders)
        wrong = cache.foreign()
        if wrong and named:
            raise DatalintError(f"nothing can be cached in {folder}: {wrong}; choose another folder for the cache")
        wrong = wrong or cache.unusable()
    except (OSError, RuntimeError) as error:
        wrong = getattr(error, "strerror", None) or str(error)
    if not wrong:
        return cache
    if not quiet:  # goes to stderr unless the program that calls has set up logging
        logging.getLogger("datalint").warning("datalint: nothing is cached%s: %s", where, wrong)
    return None


@dataclass(frozen=True)
class Cache:
    """A folder of small files, each written whole under the hash of what it depends on, and signed together with it.

    Nothing is believed that somebody else may have put there, and nothing is removed that is not called like an entry.
    """

    folder: Path
    paranoid: bool = False
    """Identify files by their bytes instead of size, times and inode."""
    folders: tuple[Listing, ...] = ()
    """What was walked already: the files in it are identified as they were then, before anything was read."""

    def get(self, key: str) -> bytes | None:
        """What is kept under the key; None for nothing, whatever the reason."""
        secret = self._secret()
        data = _read(self._place(key)) if secret else None
        if secret is None or data is None:
            return None
        body = data[:-_SIGNED]
        return body if hmac.compare_digest(_signature(secret, key, body), data[-_SIGNED:]) else None

    def has(self, key: str) -> bool:
        """Whether something is kept under the key; whether it is sound, :meth:`get` will tell."""
        return os.path.lexists(self._place(key))

    def put(self, key: str, body: bytes) -> None:
        """Keep it. A cache that cannot be written is no reason to fail: the next scan reads the data again."""
        with contextlib.suppress(OSError):
            secret = self._secret() or self._make()
            if secret is None or len(body) > LARGEST - _SIGNED:
                return
            place = self._place(key)
            with contextlib.suppress(FileExistsError):
                place.parent.mkdir(mode=0o700)
            if not place.parent.is_symlink():
                with replacing(place, 0o600) as file:
                    file.write(body)
                    file.write(_signature(secret, key, body))

    def foreign(self) -> str | None:
        """What is there instead of a cache of ours; None for nothing.

        Raises:
            OSError: it cannot be looked at.
        """
        try:
            held = os.listdir(self.folder)  # noqa: PTH208
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            if not os.path.lexists(self.folder):
                raise
            return "it is a file"
        ours = _read(self.folder / TAG) == _TAG_TEXT or _MARK.fullmatch(_read(self.folder / MARK) or b"")
        return None if ours or all(map(_UNFINISHED.fullmatch, held)) else "it is not empty, and no cache of yours"

    def unusable(self) -> str | None:
        """Why nothing can be kept there; None if it can.

        Raises:
            OSError: it cannot be looked at.
        """
        with contextlib.suppress(FileNotFoundError):
            wrong = _open_to_others(self.folder.stat())
            if wrong:
                return wrong
        return None if can_hold(self.folder) else "it cannot be written to"

    def clear(self) -> int:
        """Remove the entries, and the folder if we made it and nothing else lies there; returns the number of bytes.

        Raises:
            DatalintError: it is no cache of ours.
            OSError: it cannot be read.
        """
        if not self.folder.exists():
            return 0
        if wrong := self.foreign() or _open_to_others(self.folder.stat()):
            raise DatalintError(f"nothing was removed from {self.folder}: {wrong}")
        size = 0
        for item in [*os.scandir(self.folder)]:
            if _FOLDER.fullmatch(item.name) and item.is_dir(follow_symlinks=False):
                size += _emptied(Path(item))
            elif _UNFINISHED.fullmatch(item.name) and not item.is_dir(follow_symlinks=False):
                Path(item).unlink(missing_ok=True)
        mark = self.folder / MARK
        if b"made" in (_read(mark) or b"") and {*os.listdir(self.folder)} <= {MARK, TAG}:  # noqa: PTH208
            mark.unlink()
            (self.folder / TAG).unlink(missing_ok=True)
            try:
                self.folder.rmdir()
            except OSError:  # another process is filling it
                self._tag()
        return size

    def key_of(self, *parts: Any) -> str:
        """Hash of what a result depends on; datalint's own version and code always belong to it."""
        text = json.dumps([self._code, *parts], sort_keys=True, default=_plain, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _code(self) -> list[Any]:
        """The version and sources of datalint and of others' layouts, and the versions of what it computes with."""
        libraries = ("cleanlab", "numpy", "pandas", "pillow", "pyarrow", "scikit-learn", "scipy")
        stamps = [sources_stamp(root) for root in (Path(__file__).parents[1], *plugin_sources())]
        return [__version__, stamps, [version(name) for name in libraries]]

    @cached_property
    def _walked(self) -> dict[str, bytes]:
        return {entry.where: entry.state for listing in self.folders for entry in listing.entries}

    def _place(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _secret(self) -> bytes | None:
        """What only we can know; None where others could write or read it."""
        try:
            if _open_to_others(self.folder.stat()):
                return None
        except OSError:
            return None
        found = _MARK.fullmatch(_read(self.folder / MARK, 0o077) or b"")
        return found and found[1]

    def _make(self) -> bytes | None:
        """Make the folder and mark it as ours; the answer is its secret, None where it is not to be used.

        Raises:
            OSError: it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, mode=0o700)
            made = b"made\n"
        except FileExistsError:
            made = b""
        if self.foreign() or self.unusable():
            return None
        if self._secret() is None:
            mark = self.folder / MARK
            mark.unlink(missing_ok=True)
            with new_file(self.folder, 0o600) as (file, fresh):
                file.write(b"datalint-cache/1\n%s\n%s" % (os.urandom(32).hex().encode(), made))
                file.close()
                with contextlib.suppress(FileExistsError):  # of two processes, one comes first
                    link(fresh, mark)
        self._tag()
        return self._secret()

    def _tag(self) -> None:
        """Tell backup programs to pass it over."""
        if not os.path.lexists(self.folder / TAG):
            with replacing(self.folder / TAG, 0o644) as file:
                file.write(_TAG_TEXT)

    def identity(self, paths: Iterable[str]) -> list[list[Any]]:
        """What tells whether files have changed.

        Raises:
            OSError: a file cannot be looked at.
        """
        return [[path, *self._identity(path)] for path in paths]

    def _identity(self, path: str) -> list[Any]:
        if not self.paranoid and (known := self._walked.get(path)):
            return [known.hex()]
        if is_url(path):
            return [state_at(path, self.paranoid)]
        status = os.stat(path)  # noqa: PTH116 - a Path costs as much as the question
        if self.paranoid:
            with Path(path).open("rb") as file:
                return [status.st_size, hashlib.file_digest(file, "sha256").hexdigest()]
        return [state_of(status).hex()]


def _signature(secret: bytes, key: str, body: bytes) -> bytes:
    signed = hmac.new(secret, key.encode(), "sha256")
    signed.update(body)
    return signed.digest()


def _open_to_others(status: os.stat_result, rights: int = 0o022) -> str | None:
    """Whether somebody else can have written to it."""
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return "it belongs to somebody else"
    return "others can write to it" if status.st_mode & rights and os.name == "posix" else None


def _read(path: Path, rights: int = 0o022) -> bytes | None:
    """A regular file of our own that others have no such rights to; None for anything else, without waiting for it."""
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        handle = os.open(path, flags)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or _open_to_others(status, rights) or status.st_size > LARGEST:
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(LARGEST)
    except OSError:
        return None
    finally:
        os.close(handle)


def _emptied(folder: Path) -> int:
    """Remove the entries in one folder, and itself if nothing else lies there; the answer is their size."""
    size = 0
    for item in [*os.scandir(folder)]:
        if (_ENTRY.fullmatch(item.name) or _UNFINISHED.fullmatch(item.name)) and not item.is_dir(follow_symlinks=False):
            size += item.stat(follow_symlinks=False).st_size
            Path(item).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
    return size


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, {item.name: getattr(value, item.name) for item in fields(value)}]
    if hasattr(value, "dtype"):  # an array, whose text leaves out its middle
        return [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def sources_stamp(root: Path) -> str:
    """State of a package's source files: an edited checkout must not see the results of its former self."""
    found = sorted(_states(str(root)) if root.is_dir() else [("", *_state(root.stat()))])
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _states(folder: str, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    # pathlib takes five times as long, and this runs before each scan.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _states(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".py"):
                yield prefix + entry.name, *_state(entry.stat())


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


class Cached:
    """An engine that asks the cache first and keeps what it had to measure."""

    def __init__(self, engine: Engine, cache: Cache, *, keeps: bool = True) -> None:
        """``keeps``: whether anything new is kept; it holds values of the data."""
        self._engine, self._cache, self._keeps = engine, cache, keeps
        self.name, self.jobs = engine.name, engine.jobs

    def measure(
        self, partitions: Sequence[tuple[int, Partition]], plan: Plan, progress: Callable[[int], None]
    ) -> Iterator[Measured]:
        """What is known and what is new, in the order of the partitions."""
        from datalint.engine.freeze import freeze

        keys = {number: self._key(partition, plan) for number, partition in partitions}
        kept = {number for number, key in keys.items() if key and self._cache.has(key)}
        fresh = self._engine.measure([task for task in partitions if task[0] not in kept], plan, progress)
        for number, partition in partitions:
            key = keys[number]
            # Thawed one at a time: all of them together may not fit into memory.
            part = self._known(number, key, plan) if key and number in kept else None
            if part is None:
                damaged = number in kept
                alone = self._engine.measure([(number, partition)], plan, progress) if damaged else fresh
                part = next(alone)
                if key and self._keeps and not part.failed:
                    with contextlib.suppress(TypeError):  # a third-party measurement may hold what cannot be stored
                        self._cache.put(key, freeze(part.states))
            yield part

    def _known(self, number: int, key: str, plan: Plan) -> Measured | None:
        """What is kept under a key, said of the partition of that number; None where it is damaged or no longer fits."""
        from datalint.engine.freeze import thaw
        from datalint.engine.plan import Measured

        data = self._cache.get(key)
        if data is None:
            return None
        try:
            states = thaw(data)
            fits = _are_states(states, plan) and all(
                state.renumber(number) for found in states.values() for state in found
            )
        except Exception:  # however it is damaged, the partition is read again
            return None
        return Measured(states) if fits else None

    def _key(self, partition: Partition, plan: Plan) -> str | None:
        try:
            files = partition.files_read
            return self._cache.key_of("partition", partition, self._cache.identity(files), plan) if files else None
        except OSError:
            return None


def _are_states(value: Any, plan: Plan) -> bool:
    """Whether this is what measuring a partition gives: the measurements that were asked for, by split."""
    fresh = [(type(state), vars(state).keys()) for state in plan.fresh()]
    return isinstance(value, dict) and all(
        isinstance(split, str)
        and isinstance(found, tuple)
        and [(type(state), vars(state).keys()) for state in found] == fresh
        and all(state.settings == plan.settings for state in found)
        for split, found in value.items()
    )
