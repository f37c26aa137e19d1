"""Batches of pictures with their labels in one file: the pickles and the binary records of CIFAR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.sources.arrays.files import ROWS_BYTES, ArrayFile, NotAnArray
from datalint.sources.files import reason
from datalint.sources.pickles import NotPlain, load_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SIDE, CHANNELS = 32, 3
PIXELS = SIDE * SIDE * CHANNELS


@dataclass(frozen=True)
class PickledArray(ArrayFile):
    """The pictures, or one kind of label, in a pickled batch."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items."""
        assert self.path is not None and self.key is not None
        array = np.asarray(plain_batch(self.path)[self.key]).reshape(self.shape)
        if array.dtype.str != self.dtype:
            raise ValueError("it was changed while it was read")
        for start in range(0, len(array), count):
            yield array[start : start + count]


def plain_batch(path: Path) -> dict[str, Any]:
    """What a pickled batch holds, or the names of its classes.

    Raises:
        NotAnArray: it is damaged, or holds more than plain values.
    """
    try:
        held = load_plain(path)
    except (NotPlain, OSError) as error:
        raise NotAnArray(reason(error)) from error
    if not isinstance(held, dict):
        raise NotAnArray("a pickle of something else than a batch")
    return {key.decode("latin-1") if isinstance(key, bytes) else str(key): value for key, value in held.items()}


def pickled_arrays(path: Path) -> tuple[PickledArray, dict[str, PickledArray]]:
    """The pictures of a pickled batch, and its labels by their name.

    Raises:
        NotAnArray: it is no such batch.
    """
    held = plain_batch(path)
    data = held.get("data")
    if not isinstance(data, np.ndarray) or data.ndim != 2 or not len(data):
        raise NotAnArray("a pickle without an array of pictures")
    side = math.isqrt(data.shape[1] // CHANNELS)
    if side < 8 or CHANNELS * side * side != data.shape[1]:
        raise NotAnArray(f"a pickle of {data.shape[1]:,} values per sample, which are no square colour pictures")
    labels = {}
    for name in ("labels", "fine_labels", "coarse_labels"):
        values = held.get(name)
        if isinstance(values, (list, np.ndarray)):
            array = _whole_numbers(values)
            if array is not None:
                labels[name] = PickledArray(path, name, array.shape, array.dtype.str)
    return PickledArray(path, "data", (len(data), CHANNELS, side, side), data.dtype.str), labels


def _whole_numbers(values: Any) -> NDArray[Any] | None:
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):
        return None
    return array if array.ndim == 1 and array.dtype.kind in "iu" else None


@dataclass(frozen=True)
class RecordArray(ArrayFile):
    """The pictures, or one kind of label, in a file of binary records."""

    labels: int = 1
    """Bytes before the pixels of each record."""
    byte: int | None = None
    """Which of them it is; None for the pixels."""

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items."""
        assert self.path is not None
        size = self.labels + PIXELS
        with self.path.open("rb") as file:
            for start in range(0, self.shape[0], step := max(1, min(count, ROWS_BYTES // size))):
                wanted = min(step, self.shape[0] - start)
                data = file.read(wanted * size)
                if len(data) < wanted * size:
                    raise ValueError(f"ends after {start + len(data) // size:,} of {self.shape[0]:,} records")
                block = np.frombuffer(data, np.uint8).reshape(wanted, size)
                if self.byte is None:
                    yield block[:, self.labels :].reshape(wanted, *self.shape[1:])
                else:
                    yield np.ascontiguousarray(block[:, self.byte])


def record_arrays(path: Path, names: tuple[str, ...]) -> tuple[RecordArray, dict[str, RecordArray]]:
    """The pictures of a file of records, and its labels, which have these names.

    Raises:
        NotAnArray: there is not a single record.
    """
    count = path.stat().st_size // (len(names) + PIXELS)
    if not count:
        raise NotAnArray("ends before its first record does")
    pictures = RecordArray(path, "pixels", (count, CHANNELS, SIDE, SIDE), "|u1", None, len(names))
    labels = {name: RecordArray(path, name, (count,), "|u1", None, len(names), byte) for byte, name in enumerate(names)}
    return pictures, labels
