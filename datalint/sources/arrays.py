"""NumPy arrays, on disk (``.npy``, ``.npz``) or in memory, as tables or pictures."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from datalint import hashing
from datalint.dataset import THUMBNAIL, Batch, ImageBlock, LabelBlock, Problem, TableBlock
from datalint.sources import pictures
from datalint.sources.convert import class_name, number_classes
from datalint.sources.files import is_pointer, printable, reason, unpacked_limit
from datalint.sources.pixels import array_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from datalint.dataset import Aspect

ROWS_BYTES = 32 << 20
"""Bytes of one batch."""

MAX_COLUMN_MAJOR = 1 << 30
"""Bytes of a column-major member of an archive, which must be unpacked whole."""

MAX_ITEM = 50_000_000
"""Values of one sample."""

Layout = Literal["table", "NHW", "NHWC", "NCHW"]


class NotAnArray(Exception):
    """The message says what the file or member is instead."""


class NotLookedInto(NotAnArray):
    """A sound array that is none of what can be judged; the message says why."""


@dataclass(frozen=True)
class ArrayFile:
    """An array in a ``.npy`` file or a member of an ``.npz`` file, or in memory."""

    path: Path | None
    key: str | None
    """Member of the ``.npz`` file."""
    shape: tuple[int, ...]
    dtype: str
    value: Any = None
    """The array itself, if it is in memory."""

    @property
    def name(self) -> str:
        """What it is called: member, file without suffix, or variable."""
        return printable(self.key or (self.path.stem if self.path else "array"))

    @property
    def shown(self) -> str:
        """Where people find it."""
        if self.path is None:
            return self.key or "array"
        place = printable(self.path.as_posix())
        return place if self.key is None else f"{place}/{printable(self.key)}"

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """
        The array in blocks of ``count`` items, read as a stream where its storage allows it.

        Raises:
            OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError: the file is damaged.
        """
        if self.value is not None:
            for start in range(0, len(self.value), count):
                yield np.asarray(self.value[start : start + count])
            return
        if self.path is None:
            raise ValueError("an array lies in a file or in memory")
        if self.key is None:
            whole = np.load(self.path, mmap_mode="r", allow_pickle=False)
            for start in range(0, len(whole), count):
                yield np.asarray(whole[start : start + count])
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.key}.npy") as member:
            yield from _stream(member, count)


def _stream(member: IO[bytes], count: int) -> Iterator[NDArray[Any]]:
    shape, fortran, dtype = _header(member)
    size = math.prod(shape[1:]) * dtype.itemsize
    if fortran:  # column by column: the first row is complete only at the end
        if shape[0] * size > MAX_COLUMN_MAJOR:
            raise ValueError(f"stored column by column and larger than {MAX_COLUMN_MAJOR:,} bytes: save it in C order")
        whole = np.frombuffer(member.read(shape[0] * size), dtype).reshape(shape[::-1]).T
        for start in range(0, shape[0], count):
            yield np.ascontiguousarray(whole[start : start + count])
        return
    for start in range(0, shape[0], count):
        rows = min(count, shape[0] - start)
        data = member.read(rows * size)
        if len(data) < rows * size:
            raise ValueError(f"ends after {start + len(data) // max(size, 1):,} of {shape[0]:,} items")
        yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)  # type: ignore[no-untyped-call,unused-ignore]
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files as Python 2 wrote them
        shape, fortran, dtype = read(member)
    return shape, fortran, dtype


def array_files(path: Path) -> list[ArrayFile]:
    """
    The arrays in a ``.npy`` or ``.npz`` file, by their headers; nothing is unpickled.

    Raises:
        NotAnArray: the file is damaged or holds pickled objects.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                if is_pointer(file.read(1024)):
                    raise NotAnArray("a Git LFS pointer instead of data (git lfs pull)")
                file.seek(0)
                return [_checked(path, None, file, path.stat().st_size)]
        with zipfile.ZipFile(path) as archive:
            members = {item.filename: item for item in archive.infolist() if item.filename.endswith(".npy")}
            unpacked = sum(item.file_size for item in members.values())
            if unpacked > unpacked_limit(path.stat().st_size):
                raise NotAnArray(f"unpacks to {unpacked:,} bytes, far more than arrays of this size do: not opened")
            found = []
            for name, item in members.items():
                with archive.open(item) as member:
                    found.append(_checked(path, name[:-4], member, item.file_size))
    except _DAMAGE as error:
        raise NotAnArray(f"not a readable NumPy file: {reason(error)}") from error
    return found


_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    tokenize.TokenError,
    RuntimeError,  # encrypted members; NotImplementedError for unknown compression is one too
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise on damaged files."""


def _checked(path: Path, key: str | None, file: IO[bytes], size: int) -> ArrayFile:
    """The array that the header promises, if the file can hold it."""
    shape, _, dtype = _header(file)
    array = ArrayFile(path, key, shape, dtype.str)
    if dtype.hasobject:
        raise NotLookedInto(
            f"{array.name} holds pickled Python objects, which are not opened; save plain numbers instead"
        )
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > size - file.tell():
        raise NotAnArray(f"{array.name} breaks off: its header promises {' x '.join(map(str, shape))} values")
    if math.prod(shape[1:]) > MAX_ITEM:
        raise NotLookedInto(
            f"{array.name} holds {math.prod(shape[1:]):,} values per sample; at most {MAX_ITEM:,} are read"
        )
    return array


def head_of(array: ArrayFile, count: int) -> NDArray[Any]:
    """The first items; none where they cannot be read, which the scan will tell."""
    try:
        return np.asarray(next(array.rows(count), np.zeros((0, *array.shape[1:]))))
    except _DAMAGE:
        return np.zeros((0, *array.shape[1:]))


def layout_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Layout:
    """
    What the axes of an array mean.

    Four axes with 1, 3 or 4 channels last or second are pictures; three axes are grey pictures if both sides have at
    least 8 pixels and the values are bytes or the pictures square; anything else is a table, item by item.
    """
    if len(shape) == 4:
        if shape[3] in {1, 2, 3, 4} and min(shape[1:3]) >= 4:
            return "NHWC"
        if shape[1] in {1, 2, 3, 4} and min(shape[2:]) >= 4:
            return "NCHW"
    if len(shape) == 3 and min(shape[1:]) >= 8 and (dtype == np.uint8 or shape[1] == shape[2]):
        return "NHW"
    return "table"


def grey_scale(head: NDArray[Any]) -> tuple[float, float]:
    """Offset and factor that bring pixel values to 0..255, from a first look at the values."""
    if head.dtype == np.uint8:
        return 0.0, 1.0
    values = head[np.isfinite(head)] if head.dtype.kind == "f" else head
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low >= 0 and high > 1.5:
        return 0.0, 255.0 / max(255.0, high) if high > 64 else 255.0 / high
    if low >= 0:
        return 0.0, 255.0
    if low >= -1.01 and high <= 1.01:
        return 1.0, 127.5
    with np.errstate(over="ignore"):
        return -low, 255.0 / max(high - low, 1e-12)


@dataclass(frozen=True)
class ArrayPartition:
    """Inputs and labels of one split."""

    split: str
    inputs: ArrayFile
    labels: ArrayFile | None
    layout: Layout
    scale: tuple[float, float] = (0.0, 1.0)
    label_names: tuple[str, ...] = ()

    @property
    def files_read(self) -> tuple[str, ...]:
        """The files whose content decides what is read."""
        return tuple(str(a.path) for a in (self.inputs, self.labels) if a is not None and a.path is not None)

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""
        return sum(Path(path).stat().st_size for path in self.files_read)

    def sample_id(self, line: int) -> str:
        """File, member and 0-based item."""
        return f"{self.inputs.shown}[{line}]"

    def picture(self, line: int) -> bytes | None:
        """The item as a small WebP file."""
        if self.layout == "table":
            return None
        for k, block in enumerate(self.inputs.rows(self._count())):
            if line < (k + 1) * self._count():
                return self._reader.picture(block[line - k * self._count()])
        return None

    @property
    def _reader(self) -> ItemReader:
        return ItemReader(self.layout, self.scale)

    def _count(self) -> int:
        item = int(np.prod(self.inputs.shape[1:], dtype=np.int64)) * 8
        return max(1, min(65_536, ROWS_BYTES // max(item, 1)))

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the items; damage becomes a problem."""
        start, reader = 0, self._reader
        try:
            labels = self._all_labels()
            if not aspects & {"table", "header", "pixels"}:
                yield Batch(self.split, 0, self.inputs.shape[0], labels=labels)
                return
            for block in self.inputs.rows(self._count()):
                rows = np.arange(start, start + len(block))
                part = labels and labels.take(rows)
                if self.layout == "table":
                    yield Batch(self.split, start, len(block), labels=part, table=reader.table(block))
                else:
                    problems = _not_finite(block, start, self.sample_id) if "pixels" in aspects else []
                    images = reader.images(block, aspects)
                    yield Batch(self.split, start, len(block), labels=part, images=images, problems=problems)
                start += len(block)
        except _DAMAGE as error:
            problem = Problem("truncated", self.inputs.shown, f"breaks off: {reason(error)}")
            yield Batch(self.split, start, 0, problems=[problem])

    def _all_labels(self) -> LabelBlock | None:
        if self.labels is None:
            return None
        return label_block(np.concatenate(list(self.labels.rows(1 << 20)) or [np.zeros(0)]), self.label_names)


@dataclass(frozen=True)
class ItemReader:
    """Turns a block of array items into what measurements read."""

    layout: Layout
    scale: tuple[float, float] = (0.0, 1.0)
    """Offset and factor that bring pixel values to 0..255."""

    def table(self, block: NDArray[Any]) -> TableBlock:
        """Each item as one row of numbers."""
        flat = block.reshape(len(block), -1)
        numbers = np.asfortranarray(flat, dtype=np.float64)
        return TableBlock(column_names(flat.shape[1]), numbers)

    def picture(self, item: NDArray[Any]) -> bytes:
        """One item as a small WebP file."""
        from PIL import Image

        return pictures.webp(Image.fromarray(self._bytes(item[None])[0]))

    def images(self, block: NDArray[Any], aspects: frozenset[Aspect]) -> ImageBlock:
        """Each item as one picture."""
        n = len(block)
        height, width = block.shape[2:4] if self.layout == "NCHW" else block.shape[1:3]
        flat = np.ascontiguousarray(block.reshape(n, -1))
        channels = {"NHW": 1, "NHWC": block.shape[-1], "NCHW": block.shape[1]}[self.layout]
        shown = self._bytes(block) if "pixels" in aspects else None
        thumbnails = None if shown is None else self._thumbnails(shown)
        return ImageBlock(
            width=np.full(n, width, np.int32),
            height=np.full(n, height, np.int32),
            orientation=np.ones(n, np.uint8),
            mode=[{1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]] * n,
            hashes=np.fromiter((hashing.bytes_hash(item.tobytes()) for item in flat), np.uint64, n),
            all_zero=None if shown is None else np.logical_not(flat.any(axis=1)),
            readable=np.ones(n, np.bool_),
            thumbnails=thumbnails,
            format=[block.dtype.name] * n,
            pixels=None
            if shown is None or thumbnails is None
            else array_block(flat, shown, thumbnails, channels, self.layout == "NCHW"),
        )

    def _bytes(self, block: NDArray[Any]) -> NDArray[np.uint8]:
        """[n, h, w] or [n, h, w, 3] pixels from 0 to 255."""
        if self.layout == "NCHW":
            block = np.moveaxis(block, 1, 3)
        if block.ndim == 4:
            block = block[..., 0] if block.shape[3] < 3 else block[..., :3]
        if block.dtype == np.uint8:
            return block
        offset, factor = self.scale
        with np.errstate(over="ignore", invalid="ignore"):  # infinite values end at 0 or 255
            return np.clip((np.nan_to_num(block.astype(np.float64)) + offset) * factor, 0, 255).astype(np.uint8)

    def _thumbnails(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        from PIL import Image

        resample = 4 if min(pixels.shape[1:3]) >= THUMBNAIL else 2
        size = (THUMBNAIL, THUMBNAIL)
        return np.stack([np.asarray(Image.fromarray(item).resize(size, resample=resample)) for item in pixels])


def _not_finite(block: NDArray[Any], start: int, name: Callable[[int], str]) -> list[Problem]:
    """The items that hold NaN or infinite values."""
    if block.dtype.kind != "f":
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is quick and finite but where a value is not; sums that overflow are looked at closely for nothing.
        if np.isfinite(block.sum(dtype=np.float64)):
            return []
    flat = block.reshape(len(block), -1)
    nan, infinite = np.isnan(flat).sum(axis=1).tolist(), np.isinf(flat).sum(axis=1).tolist()
    told = [
        " and ".join([f"{n:,} NaN"] * (n > 0) + [f"{i:,} infinite"] * (i > 0))
        for n, i in zip(nan, infinite, strict=True)
    ]
    return [Problem("not-finite", name(start + k), text, start + k) for k, text in enumerate(told) if text]


def column_names(count: int) -> tuple[str, ...]:
    """Names of the columns of an array: x0, x1, ... padded so that they sort by number."""
    digits = len(str(max(count - 1, 0)))
    return tuple(f"x{j:0{digits}}" for j in range(count))


def label_block(values: NDArray[Any], names: tuple[str, ...] = ()) -> LabelBlock:
    """Labels from an array: one number or text each, or one-hot rows."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and is_one_hot(values):
        values = values.argmax(1)
    if values.ndim != 1:
        raise ValueError(f"labels have the shape {values.shape}: one per sample, or one-hot rows, can be read")
    if values.dtype.kind in "iufb":
        return number_classes(values.astype(np.float64), names)
    if values.dtype.kind == "O":
        return _object_labels(values, names)
    texts = [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values]
    distinct, codes = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return LabelBlock(codes.astype(np.int32), [printable(str(name)) for name in distinct])


def _object_labels(values: NDArray[Any], names: tuple[str, ...]) -> LabelBlock:
    """Labels in memory that are Python objects: numbers if all are, else texts; None, NaN, NA and NaT are missing."""
    gone = [item is None or type(item).__name__ in {"NAType", "NaTType"} or is_nan(item) for item in values]
    present = [item for item, missing in zip(values, gone, strict=True) if not missing]
    if all(isinstance(item, (int, float, np.number)) for item in present):
        numbers = np.full(len(values), np.nan)
        numbers[np.flatnonzero(np.logical_not(gone))] = present
        return number_classes(numbers, names)
    texts = [printable(str(item)) for item in present]
    distinct, inverse = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    codes = np.full(len(values), -1, np.int32)
    codes[np.flatnonzero(np.logical_not(gone))] = inverse
    return LabelBlock(codes, [str(name) for name in distinct])


def is_nan(item: object) -> bool:
    """Whether this is the float that is no number."""
    return isinstance(item, (float, np.floating)) and bool(np.isnan(item))


def is_one_hot(values: NDArray[Any]) -> bool:
    """Whether every row holds a single 1 among zeros."""
    if values.ndim != 2 or values.dtype.kind not in "iufb" or values.shape[1] < 2:
        return False
    return bool(((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all())


__all__ = [
    "ArrayFile",
    "ArrayPartition",
    "NotAnArray",
    "NotLookedInto",
    "array_files",
    "class_name",
    "column_names",
    "grey_scale",
    "head_of",
    "is_one_hot",
    "label_block",
    "layout_of",
]
