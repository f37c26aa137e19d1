"""Decoding one image from untrusted bytes: header first, explicit formats, a pixel budget, reduced scale."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import THUMBNAIL, Problem, reduction
from datalint.sources.files import is_pointer, reason
from datalint.sources.remote.path import RemotePath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Formats that may be opened: EPS and others run programs when they are rendered."""

SUFFIXES = {
    "JPEG": {".jpg", ".jpeg"},
    "PNG": {".png"},
    "BMP": {".bmp"},
    "GIF": {".gif"},
    "TIFF": {".tif", ".tiff"},
    "WEBP": {".webp"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
    "MPO": {".jpg", ".jpeg"},
}

MAX_PIXELS = 89_478_485
"""Pillow's own limit for suspecting a decompression bomb."""

MAX_SIDE = 1 << 20
"""Pixels of a side: each row takes memory of its own, and each value of a small picture a weight for all that it covers."""

MAX_BYTES = 512 << 20
"""Bytes of a file that is read: more than the pixels of any picture that is decoded take."""

BAND = 1 << 20
"""Pixels of a deep picture that are scaled at once."""

MIN_DECODE = 2 * THUMBNAIL
"""JPEGs are decoded at a quarter of their size, but never below this."""

LOSSLESS = frozenset({"PNG", "BMP", "TIFF", "PPM"})
"""Formats that keep single pixels as they were (TIFF mostly)."""

PATCH = 96
"""Side of the part of a picture whose single pixels are compared."""

SAME = 8
"""Levels of 255 that the pixels of a picture of one colour may differ by: noise of one or two levels, and its extremes
over many pixels; less than what can be seen."""

SAME_REDUCED = 4
"""The same after the averaging of reduced decoding."""

_ORIENTATION = 274


@dataclass(slots=True)
class Picture:
    """What one image file says."""

    width: int = 0
    height: int = 0
    orientation: int = 1
    mode: str = ""
    format: str = ""
    all_zero: bool = False
    thumbnail: NDArray[np.uint8] | None = None
    """[32, 32] or [32, 32, 3]; None where unreadable or not asked for."""
    grey: NDArray[np.uint8] | None = None
    """The brightness at the scale on which sharpness is judged."""
    patch: NDArray[np.uint8] | None = None
    """The middle of the picture as stored, one channel; None where the format alters single pixels."""
    extremes: tuple[float, float] | None = None
    """Smallest and largest stored value, where the small picture does not say it."""
    blank: bool = False
    problem: Problem | None = None

    @property
    def readable(self) -> bool:
        """Whether it could be read as far as it was asked."""
        return self.problem is None or self.problem.kind == "suffix"


@contextlib.contextmanager
def strict() -> Iterator[None]:
    """Within it a suspected decompression bomb raises, and broken metadata, which does not spoil the pixels, is silent."""
    # A format that Pillow does not know yet makes it load all forty.
    from PIL import Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401

    _silence_libtiff()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


def _silence_libtiff() -> None:
    """It writes what is wrong with a file to the terminal as well; where Pillow hides its functions it stays so."""
    import ctypes

    from PIL import _imaging

    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(_imaging.__file__)
        for handler in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            handler.restype, handler.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
            handler(None)


def _too_many(picture: Picture) -> str:
    if max(picture.width, picture.height) > MAX_SIDE:
        return f"declares {picture.width:,} x {picture.height:,} pixels, a side of more than {MAX_SIDE:,}: not decoded"
    return f"declares more than {MAX_PIXELS:,} pixels: not decoded"


class TooLarge(OSError):
    """The file is larger than any picture."""


def content(path: str | Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        OSError: it cannot be read, or is :class:`TooLarge`.
    """
    if isinstance(path, RemotePath):
        data = path.read_bytes(MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise TooLarge(f"has more bytes than a picture of {MAX_PIXELS:,} pixels: not read")
        return data
    with open(path, "rb") as file:  # noqa: PTH123 - a Path costs a tenth
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise TooLarge(f"has {size:,} bytes, more than a picture of {MAX_PIXELS:,} pixels: not read")
        return file.read()


def read(data: bytes, shown: str, suffix: str, pixels: bool) -> Picture:
    """Read the header and, if asked, the pixels of an image; whatever is wrong becomes ``problem``.

    To be called within :func:`strict`, which is entered once for many images.
    """
    from PIL import Image, UnidentifiedImageError

    if not data:
        return Picture(problem=Problem("empty", shown, "the file has no bytes"))
    if is_pointer(data):
        return Picture(problem=Problem("pointer", shown, "a Git LFS pointer, not the picture; run git lfs pull"))
    picture = Picture()
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _header(image, picture)
            if pixels:
                _check_sides(image)
                _pixels(image, picture, data)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        picture.problem = Problem("not-scanned", shown, _too_many(picture))
    except MemoryError:
        picture.problem = Problem("not-scanned", shown, "takes more memory than there is: not decoded")
    except UnidentifiedImageError:
        picture.problem = Problem("unreadable", shown, "not an image: the content is of no known image format")
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        picture.problem = Problem("truncated", shown, f"truncated or damaged: {reason(error)[:120]}")
    else:
        if suffix and suffix not in SUFFIXES.get(image.format or "", {suffix}):
            picture.problem = Problem("suffix", shown, f"is a {image.format} file with the suffix {suffix}")
    return picture


def _check_sides(image: Any) -> None:
    from PIL import Image

    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise Image.DecompressionBombError


def _header(image: Any, picture: Picture) -> None:
    picture.width, picture.height = image.size
    picture.mode = image.mode
    picture.format = image.format or ""
    if "exif" in image.info or image.format == "TIFF":
        tag = image.getexif().get(_ORIENTATION, 1)
        picture.orientation = tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _pixels(image: Any, picture: Picture, data: bytes) -> None:
    width, height = image.size
    image.draft(None, (max(MIN_DECODE, width // 4), max(MIN_DECODE, height // 4)))
    small = image.size != (width, height)
    plain = plain_mode(image)
    # Reducing by whole numbers first takes half the time.
    size, large = (THUMBNAIL, THUMBNAIL), min(plain.size) >= THUMBNAIL
    small_one = plain.resize(size, resample=4, reducing_gap=1.0) if large else plain.resize(size, resample=2)
    picture.thumbnail = thumbnail = np.asarray(small_one)
    grey = plain if plain.mode == "L" else plain.convert("L")
    factor = reduction(width, height) * plain.width // max(width, 1)
    picture.grey = np.asarray(grey.reduce(factor) if factor > 1 else grey)
    deep = image.mode in {"I", "F"} or image.mode.startswith("I;")
    if deep:
        picture.extremes = image.getextrema()
    elif not small and image.mode in {"L", "RGB"} and image.format in LOSSLESS:
        left, top = (width - PATCH) // 2, (height - PATCH) // 2
        patch = plain.crop((max(left, 0), max(top, 0), min(left + PATCH, width), min(top + PATCH, height)))
        picture.patch = np.asarray(patch if plain.mode == "L" else patch.getchannel(0))
    if not _even(thumbnail) or (deep and picture.extremes and picture.extremes[0] != picture.extremes[1]):
        return
    if small:
        # Reduced decoding averages: only the full picture can say that all its pixels are equal.
        from PIL import Image

        with Image.open(io.BytesIO(data), formats=FORMATS) as full:
            plain = plain_mode(full)
    extrema = plain.getextrema()
    ranges = extrema if isinstance(extrema[0], tuple) else (extrema,)
    if not deep:
        picture.extremes = (min(a for a, _ in ranges), max(b for _, b in ranges))
    picture.all_zero = not thumbnail.any() and all(b == 0 for _, b in ranges)
    picture.blank = not picture.all_zero and all(b - a <= SAME for a, b in ranges)


def _even(thumbnail: NDArray[np.uint8]) -> bool:
    """Whether a small picture is of one colour; four of its pixels settle it nearly always."""
    few = thumbnail[::21, ::21].reshape(4, -1).tolist()
    if any(max(values) - min(values) > SAME_REDUCED for values in zip(*few, strict=True)):
        return False
    return int(np.ptp(thumbnail, axis=(0, 1)).max()) <= SAME_REDUCED


def plain_mode(image: Any) -> Any:
    """The image as 8-bit grey or RGB, without alpha."""
    if image.mode in {"L", "RGB"}:
        image.load()
        return image
    if image.mode in {"1", "LA", "La"}:
        return image.convert("L")
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        return _scaled(image)
    return image.convert("RGB")


def _scaled(image: Any) -> Any:
    # Pillow clips 16-bit pixels to 255; the high byte keeps the picture.
    from PIL import Image

    image.load()
    width, height = image.size
    step = max(1, BAND // max(width, 1))

    def bands() -> Iterator[tuple[int, NDArray[np.float64]]]:
        for top in range(0, height, step):
            part = image.crop((0, top, width, min(top + step, height)))
            yield top, np.asarray(part, dtype=np.float64)

    most = max((float(values.max(initial=0.0)) for _, values in bands()), default=0.0)
    scale = 1.0 if most <= 255 else 255.0 / 65535.0 if most <= 65535 else 255.0 / most
    out = np.empty((height, width), np.uint8)
    for top, values in bands():
        out[top : top + len(values)] = np.clip(np.ceil(values * scale), 0, 255)
    return Image.fromarray(out)


def stack(pictures: list[Picture]) -> NDArray[np.uint8]:
    """The thumbnails as one array: [n, 32, 32] while all are grey, else [n, 32, 32, 3]; zeros where there is none."""
    colour = any(p.thumbnail is not None and p.thumbnail.ndim == 3 for p in pictures)
    out = np.zeros(
        (len(pictures), THUMBNAIL, THUMBNAIL, 3) if colour else (len(pictures), THUMBNAIL, THUMBNAIL), np.uint8
    )
    for k, picture in enumerate(pictures):
        if picture.thumbnail is not None:
            grey = colour and picture.thumbnail.ndim == 2
            out[k] = picture.thumbnail[..., None] if grey else picture.thumbnail
    return out


def view(data: bytes, side: int) -> NDArray[np.uint8] | None:
    """The colours of an image, its longer side reduced to so many pixels; None where it cannot be decoded.

    To be called within :func:`strict`.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_sides(image)
            image.draft(None, (side, side))
            plain = plain_mode(image).convert("RGB")
            if max(plain.size) > side:
                size = [max(1, round(length * side / max(plain.size))) for length in plain.size]
                plain = plain.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
            return np.asarray(plain)
    except Exception:  # as for reading it, where it was told
        return None


def report_picture(
    data: bytes, side: int = 96, draw: Callable[[Any, tuple[int, int]], Any] | None = None
) -> bytes | None:
    """A small WebP of an image for a report, without its metadata; None where it cannot be decoded.

    To be called within :func:`strict`; by several threads at once if need be.

    Args:
        data: the file.
        side: pixels of the longer side.
        draw: draws on the small picture in colour, given the size as stored, unless a tag turns the picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_sides(image)
            about = Picture()
            _header(image, about)
            image.draft(None, (side, side))
            small = fitted(plain_mode(image), side)
            if draw is not None and about.orientation == 1:
                small = draw(small.convert("RGB"), (about.width, about.height))
            return _webp(small)
    except Exception:  # as for reading it, where it was told
        return None


def fitted(image: Any, side: int) -> Any:
    """The image scaled into a square of ``side`` pixels."""
    from PIL import Image

    if max(image.size) < side // 2:
        factor = side // max(image.size)
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    if max(image.size) > side:
        size = [max(1, round(length * side / max(image.size))) for length in image.size]
        return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def webp(image: Any, side: int = 96) -> bytes:
    """The image scaled into a square of ``side`` pixels, as WebP."""
    return _webp(fitted(image, side))


def _webp(image: Any) -> bytes:
    from PIL import WebPImagePlugin  # noqa: F401 - so that it is known

    out = io.BytesIO()
    image.save(out, "WEBP", quality=60, method=2)  # a third of the time of the default for 5 % more bytes
    return out.getvalue()
