"""NumPy arrays, on disk (``.npy``, ``.npz``) or in memory, as tables or pictures."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import THUMBNAIL, Batch, ImageBlock, LabelBlock, Problem, TableBlock
from datalint.sources.files import is_pointer, printable, reason
from datalint.sources.images import decode as pictures
from datalint.sources.images.pixels import array_block
from datalint.sources.packing import unpacked_limit
from datalint.sources.tables.convert import class_name, number_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect

ROWS_BYTES = 32 << 20
"""Bytes of one batch."""

HEAD_BYTES = 128 << 20
"""Bytes of a first look."""

MAX_COLUMN_MAJOR = 1 << 30
"""Bytes of a column-major member of an archive, which must be unpacked whole."""

PASS_BYTES = 128 << 20
"""Bytes kept of one pass over an array that is stored column by column."""

COLUMN_BYTES = 4 << 20
"""Bytes of short columns that are read at once."""

SEEK_BYTES = 4096
"""Bytes of one column below which it is quicker to read what lies between than to skip it."""

MAX_HEADER = 10_000
"""Bytes of a header: NumPy's own limit."""

PIECE = 1 << 18
"""Values scaled at once."""

MAX_ITEM = 50_000_000
"""Values of one sample."""

Layout = Literal["table", "NHW", "NHWC", "NCHW"]

PLACES = 256
"""Pixels of each picture of floating-point numbers whose moments are kept."""


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

    @property
    def files(self) -> tuple[str, ...]:
        """The files that hold it."""
        return () if self.path is None else (str(self.path),)

    def rows(self, count: int) -> Iterator[NDArray[Any]]:
        """The array in blocks of ``count`` items, read as a stream where its storage allows it.

        Raises:
            Exception: the file is damaged; the libraries that read it raise nearly anything.
        """
        if self.value is not None:
            for start in range(0, len(self.value), count):
                yield np.asarray(self.value[start : start + count])
            return
        with self._opened() as file:
            shape, fortran, dtype = _header(file)
            if shape != self.shape or dtype.str != self.dtype:
                raise ValueError("it was changed while it was read")
            yield from (_by_column if fortran and len(shape) > 1 else by_row)(file, shape, dtype, count)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Its bytes as a stream: a file that is mapped and then cut short would end the process without a word."""
        if self.path is None:
            raise ValueError("an array lies in a file or in memory")
        if self.key is None:
            with self.path.open("rb") as file:
                yield file
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.key}.npy") as member:
            yield member


def by_row(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> Iterator[NDArray[Any]]:
    """What is stored row by row, in blocks of ``count`` rows."""
    size = math.prod(shape[1:]) * dtype.itemsize
    for start in range(0, shape[0], count):
        rows = min(count, shape[0] - start)
        data = file.read(rows * size)
        if len(data) < rows * size:
            raise ValueError(f"ends after {start + len(data) // max(size, 1):,} of {shape[0]:,} items")
        yield np.frombuffer(data, dtype).reshape(rows, *shape[1:])


def _by_column(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> Iterator[NDArray[Any]]:
    """What is stored column by column, in passes over all columns that each keep as many rows as fit into memory."""
    n, columns, base = shape[0], math.prod(shape[1:]), file.tell()
    whole = n * dtype.itemsize
    packed = isinstance(file, zipfile.ZipExtFile)  # which must be unpacked anew for each pass
    if packed and columns * whole > MAX_COLUMN_MAJOR:
        raise ValueError(f"stored column by column and larger than {MAX_COLUMN_MAJOR:,} bytes: save it in C order")
    few = packed or count * dtype.itemsize < SEEK_BYTES
    step = max(count, PASS_BYTES // max(1, columns * dtype.itemsize)) if few else count
    for first in range(0, n, step):
        rows = min(step, n - first)
        kept = np.empty((columns, rows), dtype)
        # Short columns are read many at once; of long ones the wanted part alone.
        some = max(1, COLUMN_BYTES // whole) if rows * dtype.itemsize < SEEK_BYTES else 0
        for column in range(0, columns, some or 1):
            if some:
                file.seek(base + column * whole)
                block = np.frombuffer(_exactly(file, min(some, columns - column) * whole), dtype).reshape(-1, n)
                kept[column : column + some] = block[:, first : first + rows]
            else:
                file.seek(base + column * whole + first * dtype.itemsize)
                kept[column] = np.frombuffer(_exactly(file, rows * dtype.itemsize), dtype)
        turned = kept.reshape(*shape[:0:-1], rows).T
        for start in range(0, rows, count):
            yield np.ascontiguousarray(turned[start : start + count])


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("the file ends before its last item")
    return data


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call,unused-ignore]
    size = file.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(size, "little")
    if length > MAX_HEADER:  # NumPy would ask for that much memory first
        raise ValueError(f"its header claims {length:,} bytes")
    head = io.BytesIO(size + file.read(length))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files as Python 2 wrote them
        try:
            shape, fortran, dtype = read(head)
        except (MemoryError, RecursionError):  # of the parser's own stack
            raise ValueError("its header is nested too deeply") from None
    return tuple(map(int, shape)), fortran, dtype  # True passes for a whole number


def array_files(path: Path) -> list[ArrayFile]:
    """The arrays in a ``.npy`` or ``.npz`` file, by their headers; nothing is unpickled.

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
    except NotAnArray:
        raise
    except (
        Exception
    ) as error:  # zipfile and the parser of headers raise nearly anything, a MemoryError for deep nesting
        raise NotAnArray(f"not a readable NumPy file: {reason(error)}") from error
    return found


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
    """The first items, fewer of large ones; none where they cannot be read, which the scan will tell."""
    item = math.prod(array.shape[1:]) * np.dtype(array.dtype).itemsize
    count = min(count, max(1, HEAD_BYTES // max(1, item)))
    try:
        return np.asarray(next(array.rows(count), np.zeros((0, *array.shape[1:]))))
    except Exception:  # as damaged files raise
        return np.zeros((0, *array.shape[1:]))


def layout_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Layout:
    """What the axes of an array mean.

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
        return tuple(name for array in (self.inputs, self.labels) if array is not None for name in array.files)

    @property
    def weight(self) -> int:
        """Bytes to be read, roughly."""
        return sum(Path(name).stat().st_size for name in self.files_read)

    def sample_id(self, line: int) -> str:
        """File, member and 0-based item."""
        return f"{self.inputs.shown}[{line}]"

    def picture(self, line: int) -> bytes | None:
        """The item as a small WebP file."""
        return self.pictures([line])[0]

    def pictures(self, lines: Sequence[int]) -> list[bytes | None]:
        """Several items as small WebP files, in one pass; None for those that cannot be read any more."""
        made: dict[int, bytes] = {}
        wanted = sorted(set(lines)) if self.layout != "table" else []
        count, start = self._count(), 0
        with contextlib.suppress(Exception):  # the file may be another by now
            blocks = self.inputs.rows(count) if wanted else iter(())
            while wanted:
                block = next(blocks)
                while wanted and wanted[0] < start + len(block):
                    line = wanted.pop(0)
                    made[line] = self._reader.picture(block[line - start])
                start += len(block)
        return [made.get(line) for line in lines]

    @property
    def _reader(self) -> ItemReader:
        return ItemReader(self.layout, self.scale)

    def _count(self) -> int:
        item = int(np.prod(self.inputs.shape[1:], dtype=np.int64)) * 8
        return max(1, min(65_536, ROWS_BYTES // max(item, 1)))

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the items; damage becomes a problem."""
        start, reader, reading = 0, self._reader, self.labels
        try:
            labels = self._all_labels()
            reading = self.inputs
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
        except Exception as error:  # zipfile and NumPy raise nearly anything on damaged files
            problem = Problem("truncated", (reading or self.inputs).shown, f"breaks off: {reason(error)}")
            yield Batch(self.split, start, 0, problems=[problem])

    def _all_labels(self) -> LabelBlock | None:
        if self.labels is None:
            return None
        size = np.dtype(self.labels.dtype).itemsize * math.prod(self.labels.shape[1:])
        return label_block(self.labels.rows(max(1, ROWS_BYTES // max(size, 8))), self.label_names)


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
            numbers=None if shown is None or block.dtype.kind != "f" else self._numbers(flat, channels),
        )

    def _numbers(self, flat: NDArray[Any], channels: int) -> TableBlock:
        """What tells which rows numbers were scaled on: some pixels, and mean and mean square of each channel."""
        places = np.unique(np.linspace(0, flat.shape[1] - 1, PLACES).astype(int))
        cube = flat.reshape(len(flat), channels, -1) if self.layout == "NCHW" else flat.reshape(len(flat), -1, channels)
        columns = [flat[:, places].astype(np.float64)]
        names = [f"pixel {place}" for place in places]
        for k in range(channels):
            values = cube[:, k] if self.layout == "NCHW" else cube[:, :, k]
            with np.errstate(over="ignore", invalid="ignore"):
                mean = values.mean(axis=1, dtype=np.float64)
                square = np.einsum("ij,ij->i", values, values, dtype=np.float64) / values.shape[1]
            columns += [mean[:, None], square[:, None]]
            names += [f"mean of channel {k}", f"square of channel {k}"]
        return TableBlock(tuple(names), np.asfortranarray(np.hstack(columns)))

    def _bytes(self, block: NDArray[Any]) -> NDArray[np.uint8]:
        """[n, h, w] or [n, h, w, 3] pixels from 0 to 255."""
        block = self._scaled(block)
        if self.layout == "NCHW":
            block = np.moveaxis(block, 1, 3)
        if block.ndim == 4:
            block = block[..., 0] if block.shape[3] < 3 else block[..., :3]
        return block

    def _scaled(self, block: NDArray[Any]) -> NDArray[np.uint8]:
        if block.dtype == np.uint8:
            return block
        offset, factor = self.scale
        out = np.empty(block.shape, np.uint8)
        flat, shown = block.reshape(-1), out.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):  # infinite values end at 0 or 255
            for k in range(0, len(flat), PIECE):  # numbers of eight bytes of all would take many times what it holds
                values = np.nan_to_num(flat[k : k + PIECE].astype(np.float64))
                shown[k : k + PIECE] = np.clip((values + offset) * factor, 0, 255)
        return out

    def _thumbnails(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Every picture as Pillow resizes it, but many in one call: rows of all pictures, then their columns."""
        tall = pixels.shape[1] > pixels.shape[2]  # Pillow begins with the longer side
        size = max(1, PIECE // pixels[0].size)
        box = min(pixels.shape[1:3]) >= THUMBNAIL
        made = []
        for k in range(0, len(pixels), size):
            piece = pixels[k : k + size].swapaxes(1, 2) if tall else pixels[k : k + size]
            piece = _shrunk(_shrunk(piece, box), box)
            made.append(piece.swapaxes(1, 2) if tall else piece)
        return np.concatenate(made)


def _shrunk(pixels: NDArray[np.uint8], box: bool) -> NDArray[np.uint8]:
    """The pictures with as many columns as a thumbnail has, and rows and columns swapped."""
    from PIL import Image

    n, height, width, *channels = pixels.shape
    rows = Image.fromarray(np.ascontiguousarray(pixels).reshape(n * height, width, *channels))
    resample = Image.Resampling.BOX if box else Image.Resampling.BILINEAR
    shrunk = np.asarray(rows.resize((THUMBNAIL, n * height), resample=resample))
    return shrunk.reshape(n, height, THUMBNAIL, *channels).swapaxes(1, 2)


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


def label_block(blocks: Iterable[NDArray[Any]], names: tuple[str, ...] = ()) -> LabelBlock:
    """Labels from an array in blocks: one number or text each, or one-hot rows."""
    numbers: list[NDArray[np.float64]] = []
    texts: list[NDArray[np.int32]] = []
    known: dict[str, int] = {}
    for values in map(_flat_labels, blocks):
        if values.dtype.kind in "iufb":
            numbers.append(values.astype(np.float64))
        elif values.dtype.kind == "O":
            return _object_labels(values, names)  # in memory, and all in one block
        else:
            texts.append(_codes(values, known))
    if not texts:
        return number_classes(np.concatenate(numbers or [np.zeros(0)]), names)
    order = sorted(known)
    place = np.empty(len(order), np.int32)
    place[[known[name] for name in order]] = np.arange(len(order))
    return LabelBlock(place[np.concatenate(texts)], [printable(name) for name in order])


def _flat_labels(values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and is_one_hot(values):
        values = values.argmax(1)
    if values.ndim != 1:
        raise ValueError(f"labels have the shape {values.shape}: one per sample, or one-hot rows, can be read")
    return values


def _codes(values: NDArray[Any], known: dict[str, int]) -> NDArray[np.int32]:
    """Texts as numbers of those that are ``known``, to which new ones are added."""
    if values.dtype.kind == "U":
        points = np.ascontiguousarray(values).view(values.dtype.byteorder.replace("|", "=") + "u4")
        if points.max(initial=0) > sys.maxunicode:
            raise ValueError("its texts hold numbers that are no characters")
    items = (item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in values)
    return np.fromiter((known.setdefault(item, len(known)) for item in items), np.int32, len(values))


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
