"""What was measured and found before, kept under the identity of the content, so that unchanged data is not read again."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint import __version__
from datalint.sources.files import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from datalint.dataset import Partition
    from datalint.engine import Engine, States
    from datalint.measures.base import Measurement, Settings
    from datalint.sources.files import Listing

TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is datalint's cache; `datalint clean` empties it.\n"
)


def default_folder() -> Path:
    """The user's cache folder (``XDG_CACHE_HOME``, else ``~/.cache``), or what ``DATALINT_CACHE_DIR`` says."""
    named = os.environ.get("DATALINT_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "datalint"


@dataclass(frozen=True)
class Cache:
    """A folder of small files, each written whole under the hash of what it depends on."""

    folder: Path
    paranoid: bool = False
    """Identify files by their bytes instead of size, times and inode."""
    folders: tuple[Listing, ...] = ()
    """What was walked already: the files in it are identified as they were then, before anything was read."""

    def get(self, key: str) -> bytes | None:
        """What is kept under the key; None for nothing, whatever the reason."""
        if not self._private():
            return None
        try:
            data = self._place(key).read_bytes()
        except OSError:
            return None
        body, check = data[:-32], data[-32:]
        return body if hashlib.sha256(body).digest() == check else None

    def has(self, key: str) -> bool:
        """Whether something is kept under the key; whether it is sound, :meth:`get` will tell."""
        return self._place(key).exists()

    def put(self, key: str, body: bytes) -> None:
        """Keep it. A cache that cannot be written is no reason to fail: the next scan reads the data again."""
        with contextlib.suppress(OSError):
            place = self._place(key)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.folder / TAG).exists():
                self.folder.chmod(0o700)
                (self.folder / TAG).write_text(_TAG_TEXT)
            if not self._private():
                return
            handle, name = tempfile.mkstemp(dir=place.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body)
                    file.write(hashlib.sha256(body).digest())
                Path(name).replace(place)
            except OSError:  # a full disk must not fill up with halves
                Path(name).unlink(missing_ok=True)

    def clear(self) -> int:
        """Remove all that is kept; returns the number of bytes."""
        if not (self.folder / TAG).exists():
            return 0
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        shutil.rmtree(self.folder, ignore_errors=True)
        return size

    def key_of(self, *parts: Any) -> str:
        """Hash of what a result depends on; datalint's own version and code always belong to it."""
        text = json.dumps([self._code, *parts], sort_keys=True, default=_plain, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _code(self) -> list[Any]:
        """datalint's version and sources, and the versions of what it computes with."""
        libraries = ("cleanlab", "numpy", "pandas", "pillow", "pyarrow", "scikit-learn", "scipy")
        stamp = sources_stamp(Path(__file__).parent)
        return [__version__, stamp, [importlib.metadata.version(name) for name in libraries]]

    @cached_property
    def _walked(self) -> dict[str, bytes]:
        return {entry.where: entry.state for listing in self.folders for entry in listing.entries}

    def _place(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _private(self) -> bool:
        """Whether nobody else can have put something there."""
        try:
            status = self.folder.stat()
        except OSError:
            return False
        owned = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        return owned and not status.st_mode & 0o022

    def identity(self, paths: Iterable[str]) -> list[list[Any]]:
        """
        What tells whether files have changed.

        Raises:
            OSError: a file cannot be looked at.
        """
        return [[path, *self._identity(path)] for path in paths]

    def _identity(self, path: str) -> list[Any]:
        if not self.paranoid and (known := self._walked.get(path)):
            return [known.hex()]
        status = os.stat(path)  # noqa: PTH116 - a Path costs as much as the question
        if self.paranoid:
            with Path(path).open("rb") as file:
                return [status.st_size, hashlib.file_digest(file, "sha256").hexdigest()]
        return [state_of(status).hex()]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, {item.name: getattr(value, item.name) for item in fields(value)}]
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def sources_stamp(root: Path) -> str:
    """State of a package's source files: an edited checkout must not see the results of its former self."""
    found = sorted((str(p.relative_to(root)), p.stat().st_size, p.stat().st_mtime_ns) for p in root.rglob("*.py"))
    return hashlib.sha256(repr(found).encode()).hexdigest()


class Cached:
    """An engine that asks the cache first and keeps what it had to measure."""

    def __init__(self, engine: Engine, cache: Cache) -> None:
        self._engine, self._cache = engine, cache
        self.name, self.jobs = engine.name, engine.jobs

    def measure(
        self,
        partitions: Sequence[tuple[int, Partition]],
        kinds: Sequence[type[Measurement]],
        settings: Settings,
        progress: Callable[[int], None],
    ) -> Iterator[States]:
        """Known states and new ones, in the order of the partitions."""
        from datalint.freeze import freeze

        keys = {number: self._key(partition, kinds, settings) for number, partition in partitions}
        kept = {number for number, key in keys.items() if key and self._cache.has(key)}
        fresh = self._engine.measure([task for task in partitions if task[0] not in kept], kinds, settings, progress)
        for number, partition in partitions:
            key = keys[number]
            # Thawed one at a time: all of them together may not fit into memory.
            states = self._known(number, key) if key and number in kept else None
            if states is None:
                damaged = number in kept
                alone = self._engine.measure([(number, partition)], kinds, settings, progress) if damaged else fresh
                states = next(alone)
                if key:
                    with contextlib.suppress(TypeError):  # a third-party measurement may hold what cannot be stored
                        self._cache.put(key, freeze(states))
            yield states

    def _known(self, number: int, key: str) -> States | None:
        """What is kept under a key, said of the partition of that number; None where it is damaged or no longer fits."""
        from datalint.freeze import Damaged, thaw

        data = self._cache.get(key)
        if data is None:
            return None
        try:
            states: States = thaw(data)
        except Damaged:
            return None
        fits = all(state.renumber(number) for found in states.values() for state in found)
        return states if fits else None

    def _key(self, partition: Partition, kinds: Sequence[type[Measurement]], settings: Settings) -> str | None:
        try:
            files = partition.files_read
            return (
                self._cache.key_of("partition", partition, self._cache.identity(files), kinds, settings)
                if files
                else None
            )
        except OSError:
            return None
