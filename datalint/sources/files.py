"""Walking a folder once, and looking at the first bytes of a file."""

from __future__ import annotations

import os
import re
import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.sources.packing import UNPACKED, packing_in, unbuffered_in, without_packing
from datalint.sources.remote.url import is_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.problem import Problem

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"})
ARRAYS = frozenset({".npz", ".npy", ".mat", ".h5", ".hdf5", ".nc", ".safetensors", ".pt", ".pth"})
TEXTS = frozenset({".txt", "", ".content", ".base", ".train", ".valid", ".val", ".dev", ".test"})
"""Files that are a table only if their content says so."""

_STATE = struct.Struct("<qqqQ")

_SURROGATE = re.compile("[\ud800-\udfff]")

MAX_DEPTH = 100
LEADS_OUT = "link that leads out of the scanned folder"

HEAD_BYTES = 256 * 1024
SHARD = re.compile(r"(?<=\.tfrecord)-\d+-of-\d+$", re.IGNORECASE)
"""Numbers of shards that follow a suffix."""

POINTER = b"version https://git-lfs.github.com/spec/v1"
OLD_POINTER = b"version https://hawser.github.com/spec/v1"


@dataclass(frozen=True)
class Entry:
    """One file below the scanned path."""

    where: str
    """Path as it follows from what the user typed; text, because a Path costs more than looking the file up."""
    parts: tuple[str, ...]
    """Path below the scanned folder."""
    size: int
    state: bytes = b""
    """What changes with its content, as it was when the folder was walked; see :func:`state_of`."""
    called: str = ""
    """How it is called, if not by its path."""
    place: Path | None = field(default=None, compare=False)
    """Where to open it, if not by its name: a URL, of which ``where`` holds no secrets."""

    @property
    def path(self) -> Path:
        """The file, to be opened."""
        return self.place or Path(self.where)

    @property
    def name(self) -> str:
        """File name."""
        return self.parts[-1]

    @property
    def folder(self) -> tuple[str, ...]:
        """Folder below the scanned folder."""
        return self.parts[:-1]

    @property
    def shown(self) -> str:
        """The path as it follows from what the user typed: it can be opened from where they are."""
        return self.called or printable(self.path.as_posix())

    @cached_property
    def suffix(self) -> str:
        """Suffix in lower case, without a ``.gz`` or its like or the number of a shard after it."""
        stem = without_packing(self.name)
        if "-of-" in stem and stem[-1].isdigit():
            stem = SHARD.sub("", stem)
        return os.path.splitext(stem)[1].lower()  # noqa: PTH122 - faster than a Path for each of many files


def state_of(status: os.stat_result) -> bytes:
    """Size, times and inode: the change time cannot be set by hand, so a restored modification time hides no change."""
    return _STATE.pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@dataclass
class Listing:
    """All the files below a folder, in order of their paths."""

    entries: list[Entry]
    problems: list[Problem]
    empty: list[tuple[str, ...]]
    """Folders, below the listed one, that hold nothing."""
    passed: list[tuple[Entry, str]] = field(default_factory=list)
    """What is no file, such as a link to nothing, and what it is instead."""
    hidden: list[tuple[str, ...]] = field(default_factory=list)
    """Folders whose names say that they are not to be looked into."""
    hidden_pictures: list[tuple[str, ...]] = field(default_factory=list)
    """Hidden files that are called what pictures are."""

    def hide(self, parts: tuple[str, ...]) -> None:
        """Take note of a file that is passed over, if loaders that go by suffixes do not pass over it."""
        if os.path.splitext(parts[-1])[1].lower() in IMAGES:  # noqa: PTH122 - as for each file
            self.hidden_pictures.append(parts)


def holds_pictures(folder: Path) -> bool:
    """Whether a picture lies in a folder itself; not if it may not be looked into."""
    try:
        if is_url(str(folder)):
            return any(path.suffix.lower() in IMAGES for path in folder.iterdir())
        with os.scandir(folder) as items:
            return any(Path(item.name).suffix.lower() in IMAGES for item in items)
    except OSError:
        return False


def reason(error: BaseException) -> str:
    """What went wrong, in the words of the system or library: one short line."""
    if type(error) is MemoryError:
        return "not enough memory"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0][:200]


def spoken(error: BaseException) -> str:
    """An error that was not foreseen: its kind, and what it says."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return printable(f"{type(error).__name__}: {reason(error)}")


def printable(name: str) -> str:
    r"""The name with bytes that are not UTF-8 written as ``\xff``: no report can hold them as they are."""
    return name if name.isascii() else _SURROGATE.sub(_spelt, name)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    # The system's names come with their undecodable bytes as the surrogates U+DC80 to U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if 0xDC7F < code < 0xDD00 else f"\\u{code:04x}"


def head_of(path: Path, size: int = HEAD_BYTES) -> tuple[bytes, bool]:
    """The first bytes of a file, decompressed if it is packed, and whether that is all of it.

    Raises:
        OSError: the file cannot be read or decompressed.
    """
    with path.open("rb") as raw:
        stream = unbuffered_in(raw, UNPACKED)
        head = b""
        try:
            # No byte further: what lies behind may be damaged, which is for the scan to tell.
            while len(head) <= size and (piece := stream.read(size + 1 - len(head))):
                head += piece
        except (EOFError, zlib.error) as error:
            raise OSError(f"broken {packing_in(raw)} file: {error}") from error
    return head[:size], len(head) <= size


def inside(base: str | Path, name: str) -> str:
    """The name of a file from a folder; a URL is one from anywhere."""
    return name if "://" in name else os.path.join(base, name)  # noqa: PTH118 - a Path costs ten times as much


def is_pointer(head: bytes) -> bool:
    """Whether these bytes are a Git LFS pointer instead of data."""
    return len(head) < 1024 and head.startswith((POINTER, OLD_POINTER))


def children(entries: list[Entry], depth: int) -> Iterator[tuple[str, list[Entry]]]:
    """The entries that lie in sub-folders, by the folder's name at ``depth``."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if len(entry.parts) > depth + 1:
            groups.setdefault(entry.parts[depth], []).append(entry)
    yield from sorted(groups.items())


def shared(a: Sequence[str], b: Sequence[str]) -> int:
    """How many parts two paths begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
