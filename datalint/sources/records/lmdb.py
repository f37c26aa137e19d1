"""The pages of LMDB databases, read without its library: that takes a lock next to the data, and damaged pages end its process."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

MARK = b"\xde\xc0\xef\xbe\x01\x00\x00\x00"
"""Magic number and version, which follow the header of the first page."""

HEADER = 16
"""Bytes at the beginning of each page."""

_META = struct.Struct("<16x24xIHH40xIHHQQQQQQQ")
"""Of the free list the size of pages alone; of the database itself all; last page and transaction."""
_NODE = struct.Struct("<HHHH")

_BRANCH, _LEAF = 0x01, 0x02
_LARGE, _TREE, _SEVERAL = 0x01, 0x02, 0x04
"""Flags of an entry: its value lies on pages of its own; it is a database; its key has several values."""
_OTHER_ORDER = 0x02 | 0x08
"""Flags of a database whose keys are not sorted as bytes."""

DEEPEST = 32
PAGES = range(512, (64 << 10) + 1)
PAGES_HELD = 64
LARGEST = 256 << 20
"""Bytes of a value that is read."""


class Broken(ValueError):
    """The pages do not fit together, or there are fewer than there should be."""


@dataclass(frozen=True)
class Node:
    """One entry of a page."""

    key: bytes
    flags: int
    at: int
    """Of a branch the page below, of a leaf where the value lies in the file."""
    size: int = 0


class Store:
    """The database of a file that has no name of its own; what lies in named ones is counted."""

    def __init__(self, path: Path) -> None:
        """Open it to read.

        Raises:
            OSError: it cannot be opened.
            Broken: it is no database that is read, or damaged at its start.
        """
        self._file: IO[bytes] = path.open("rb")
        try:
            self._size = path.stat().st_size
            self._open()
        except BaseException:
            self._file.close()
            raise
        self._nodes = lru_cache(PAGES_HELD)(self._read_nodes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _open(self) -> None:
        first = self._at(0, HEADER + _META.size)
        if first[HEADER : HEADER + len(MARK)] != MARK:
            raise Broken("no LMDB database of version 1")
        self._page = _META.unpack_from(first)[0]
        if self._page not in PAGES:
            raise Broken(f"pages of {self._page:,} bytes")
        second = self._at(self._page, HEADER + _META.size)
        metas = [_META.unpack_from(one) for one in (first, second) if one[HEADER : HEADER + len(MARK)] == MARK]
        # Two headers take turns; the one of the later transaction holds.
        newest = max(metas, key=lambda meta: meta[-1])
        _, _, _, _, flags, self._depth, _, self.leaves, _, self.entries, self._root, last, _ = newest
        if flags & _OTHER_ORDER:
            raise Broken("its keys are whole numbers or stored backwards, which is not read")
        if self._depth > DEEPEST:
            raise Broken("a tree that is too deep")
        self._last = last
        self.whole = (last + 1) * self._page <= self._size
        """Whether all pages are there."""

    def _at(self, start: int, size: int) -> bytes:
        data = b""
        if start + size <= self._size:
            self._file.seek(start)
            data = self._file.read(size)
        if len(data) < size:
            raise Broken("breaks off before the page that is wanted")
        return data

    def _read_nodes(self, number: int, depth: int) -> list[Node]:
        """The entries of a page that lies so far above the lowest."""
        if not 0 < number <= self._last:
            raise Broken("a page that there is not")
        page = self._at(number * self._page, self._page)
        flags, lower = struct.unpack_from("<HH", page, 10)
        if flags & (_BRANCH | _LEAF) != (_LEAF if depth == 1 else _BRANCH) or not HEADER <= lower <= self._page:
            raise Broken("a page of another kind than its place asks for")
        count = (lower - HEADER) // 2
        found = []
        for at in struct.unpack_from(f"<{count}H", page, HEADER):
            if at + _NODE.size > self._page:
                raise Broken("an entry outside of its page")
            low, high, own, length = _NODE.unpack_from(page, at)
            key = page[at + _NODE.size : at + _NODE.size + length]
            if depth > 1:
                found.append(Node(key, 0, low | high << 16 | own << 32))
                continue
            size, start = low | high << 16, at + _NODE.size + length
            if own & _LARGE:
                if start + 8 > self._page:
                    raise Broken("an entry outside of its page")
                place = struct.unpack_from("<Q", page, start)[0] * self._page + HEADER
            else:
                place = number * self._page + start
            found.append(Node(key, own, place, size))
        return found

    def nodes(self, start: bytes = b"", stop: bytes | None = None) -> Iterator[Node]:
        """The entries from one key to before another, in the order of their keys.

        Raises:
            Broken: the pages are damaged.
        """
        if self._depth:
            yield from self._below(self._root, self._depth, start, stop, iter(range(self._last)))

    def _below(
        self, number: int, depth: int, start: bytes, stop: bytes | None, allowed: Iterator[int]
    ) -> Iterator[Node]:
        if next(allowed, None) is None:
            raise Broken("pages that lead back to themselves")
        inside = self._nodes(number, depth)
        if depth == 1:
            for node in inside:
                if stop is not None and node.key >= stop:
                    return
                if node.key >= start:
                    yield node
            return
        # The key of the first page of each stands for all before the second.
        for k in range(_page_of(inside, start), len(inside)):
            if k and stop is not None and inside[k].key >= stop:
                return
            yield from self._below(inside[k].at, depth - 1, start, stop, allowed)

    def value(self, node: Node) -> bytes | None:
        """What an entry holds; None where it is no single value, or one too large to be read.

        Raises:
            Broken: it is not there.
        """
        if node.flags & (_TREE | _SEVERAL) or node.size > LARGEST:
            return None
        return self._at(node.at, node.size)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none.

        Raises:
            Broken: the pages are damaged.
        """
        number = self._root
        for depth in range(self._depth, 0, -1):
            inside = self._nodes(number, depth)
            if depth > 1:
                if not inside:
                    raise Broken("an empty page")
                number = inside[_page_of(inside, key)].at
                continue
            return next((self.value(node) for node in inside if node.key == key), None)
        return None

    def cuts(self, start: bytes, stop: bytes | None, most: int) -> list[bytes]:
        """Keys that cut a range into at most so many parts of about as many pages.

        Raises:
            Broken: the pages are damaged.
        """
        level, depth = [self._root], self._depth
        keys: list[bytes] = []
        while depth > 1 and len(level) <= self._last:
            inside = [node for number in level for node in self._nodes(number, depth)]
            keys = [node.key for node in inside if node.key > start and (stop is None or node.key < stop)]
            if len(keys) >= 4 * most:
                break
            level, depth = [node.at for node in inside], depth - 1
        return sorted({keys[len(keys) * k // most] for k in range(1, most)}) if keys else []


def _page_of(inside: list[Node], key: bytes) -> int:
    """Which of the pages below holds a key."""
    return max(0, bisect_right(inside, key, lo=min(1, len(inside)), key=attrgetter("key")) - 1)
