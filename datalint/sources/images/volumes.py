"""Medical volumes (NIfTI), a sample each: read slice by slice, shown by a slice of the middle. Needs the extra ``nifti``."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch, Problem
from datalint.sources.annotations.mask_values import KEPT, Mask, nothing_drawn
from datalint.sources.annotations.mask_values import block_of as masks_of
from datalint.sources.files import inside, printable, reason
from datalint.sources.images import decode
from datalint.sources.images.files import block_of
from datalint.sources.packing import packing_of, unpacked_limit
from datalint.sources.places import at
from datalint.sources.sample_files import SampleFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect

BATCH = 16

SLICES_BYTES = 32 << 20
"""Bytes of slices, as numbers of eight bytes, that are held at a time."""

PIECE = 1 << 20
FORMAT = "NIfTI"

MOST_VALUES = 1 << 16
"""Values of a mask up to which they are counted by number."""


class NotRead(ValueError):
    """Why a volume is not read."""


@dataclass
class _Seen:
    """What the slices of a volume show."""

    shown: NDArray[np.float64] | None = None
    """That nearest to the middle which is not of one value."""
    away: int = 1 << 30
    lost: int = 0
    """Values that are no numbers, or infinite."""
    zero: bool = True
    even: bool = True
    """Whether all values are the same."""
    first: float | None = None

    def take(self, block: NDArray[np.float64], start: int, middle: int) -> None:
        """Look at some slices, of which the first lies at ``start``."""
        finite = np.isfinite(block)
        if not finite.all():
            self.lost += int(block.size - finite.sum())
            block = np.where(finite, block, 0.0)
        self.first = float(block.flat[0]) if self.first is None else self.first
        self.even = self.even and bool((block == self.first).all())
        self.zero = self.zero and self.even and self.first == 0
        for k in sorted(range(block.shape[2]), key=lambda k: abs(start + k - middle)):
            away = abs(start + k - middle)
            if self.shown is not None and away >= self.away:
                break
            one = block[:, :, k]
            varied = bool((one != one.flat[0]).any())
            if varied or self.shown is None:
                self.shown, self.away = one.T.copy(), away if varied else 1 << 30
            if varied:
                break


class Volume:
    """One file."""

    def __init__(self, path: Path) -> None:
        """Read its header.

        Raises:
            NotRead: it is damaged, or holds what is no real numbers.
        """
        import nibabel

        name = os.fspath(path)
        try:
            with path.open("rb") as raw:
                packed = packing_of(path)
                size = os.fstat(raw.fileno()).st_size
            image: Any = None
            for kind in (nibabel.nifti1.Nifti1Image, nibabel.nifti2.Nifti2Image):
                try:
                    image = kind.from_filename(name, mmap=False, keep_file_open=True)
                    break
                except nibabel.filebasedimages.ImageFileError:
                    continue
        except Exception as error:  # nibabel raises nearly anything on damaged files
            raise NotRead(f"no volume that can be read: {reason(error)}") from error
        if image is None:
            raise NotRead("no NIfTI")
        self._data = image.dataobj
        dtype = np.dtype(self._data.dtype)
        self.shape: tuple[int, ...] = (*map(int, image.shape), 1, 1, 1)[: max(3, len(image.shape))]
        if dtype.kind not in "iufb" or not 2 <= len(image.shape) <= 7:
            raise NotRead(f"values of type {dtype} in {len(image.shape)} axes, which are not read")
        if min(self.shape) < 1:
            raise NotRead("an empty volume")
        whole = math.prod(self.shape) * dtype.itemsize
        if whole > (unpacked_limit(size) if packed else size):
            raise NotRead(f"{size:,} bytes for a volume of {' x '.join(map(str, self.shape))} values of type {dtype}")
        self.voxel = tuple(float(side) for side in image.header.get_zooms()[:3])

    def slices(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Some slices at a time, with the place of the first: all of each further axis, one after the other."""
        wide, high, deep = self.shape[:3]
        step = max(1, SLICES_BYTES // (8 * wide * high))
        flat = len(self._data.shape) < 3
        for other in np.ndindex(*self.shape[:2:-1]) if len(self.shape) > 3 else [()]:
            for start in range(0, deep, step):
                place = (slice(None), slice(None), slice(start, start + step), *other[::-1])
                block = np.asarray(self._data[:] if flat else self._data[place], np.float64)
                yield start, block.reshape(wide, high, -1)


def _said(shape: tuple[float, ...]) -> str:
    return " x ".join(f"{side:g}" for side in shape)


@dataclass(frozen=True)
class VolumePartition(SampleFiles):
    """Consecutive volumes of one split, with the mask of each where there are any."""

    masks: tuple[str, ...] = ()
    """Path of each mask, empty for none; nothing where no volume has one."""
    others: tuple[tuple[str, ...], ...] = ()
    """Further volumes of each sample, such as other channels; nothing where no sample has any."""
    declared: tuple[int, ...] = ()
    """Values that masks may have; none if nothing is said."""

    aligned: ClassVar[tuple[str, ...]] = (*SampleFiles.aligned, "masks", "others")

    @property
    def files_read(self) -> tuple[str, ...]:
        """Volumes and masks."""
        base = str(self.base)
        further = (name for names in self.others for name in names)
        return (*super().files_read, *(inside(base, name) for name in (*self.masks, *further) if name))

    def note(self, line: int) -> str:
        """What people call the mask of a volume; empty if there is none."""
        return printable(self.masks[line]) if self.masks else ""

    def picture(self, line: int) -> bytes | None:
        """The slice of a volume that stands for it, as a small WebP file."""
        seen = _Seen()
        try:
            volume = Volume(at(self.base, self.files[line]))
            for start, block in volume.slices():
                seen.take(block, start, volume.shape[2] // 2)
        except Exception:  # it may be damaged, as the scan tells
            return None
        return decode.report_picture(_png(seen.shown))

    def pictures(self, lines: list[int]) -> list[bytes | None]:
        """Those of several."""
        return [self.picture(line) for line in lines]

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the volumes and their masks; each is read once, a few slices at a time."""
        for start in range(0, len(self.files), BATCH):
            names = self.files[start : start + BATCH]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if aspects & {"header", "pixels"}:
                with decode.strict():
                    read = [
                        self._volume(k, batch.problems, "pixels" in aspects) for k in range(start, start + len(names))
                    ]
                pictures, hashes, sizes = zip(*read, strict=True)
                batch.images = block_of(pictures, np.array(hashes, np.uint64), np.array(sizes), "pixels" in aspects)
            if self.masks:
                own = self.masks[start : start + len(names)]
                if "annotations" in aspects:
                    batch.objects = nothing_drawn([bool(name) for name in own])
                if "masks" in aspects:
                    batch.masks = masks_of([self._mask(start + k, batch.problems) for k in range(len(own))])
            yield batch

    def _volume(self, line: int, problems: list[Problem], pixels: bool) -> tuple[decode.Picture, int, int]:
        name = self.files[line]
        path = at(self.base, name)
        code, size = hashing.bytes_hash(os.fsencode(name)), 0
        picture = decode.Picture()
        try:
            code, size = _hash(path)
            volume = Volume(path)
            picture.width, picture.height, picture.mode, picture.format = *volume.shape[:2], "L", FORMAT
            if not all(side > 0 and math.isfinite(side) for side in volume.voxel):
                problems.append(Problem("unreadable", printable(name), f"voxels of {_said(volume.voxel)} mm"))
            if pixels:
                seen = _Seen()
                for start, block in volume.slices():
                    seen.take(block, start, volume.shape[2] // 2)
                picture = decode.read(_png(seen.shown), printable(name), ".png", pixels=True)
                picture.format, picture.all_zero, picture.blank = FORMAT, seen.zero, seen.even
                for other in self.others[line] if self.others else ():
                    self._other(other, problems)
                if seen.lost:
                    text = f"{seen.lost:,} values that are NaN or infinite"
                    problems.append(Problem("not-finite", printable(name), text, line))
        except Exception as error:  # nibabel raises nearly anything on damaged files
            picture.problem = Problem("unreadable", printable(name), reason(error), line)
            problems.append(picture.problem)
        return picture, code, size

    def _other(self, name: str, problems: list[Problem]) -> None:
        """Read a further volume to its end."""
        try:
            seen, volume = _Seen(), Volume(at(self.base, name))
            for start, block in volume.slices():
                seen.take(block, start, volume.shape[2] // 2)
        except Exception as error:  # as below
            problems.append(Problem("unreadable", printable(name), reason(error)))
            return
        if seen.lost:
            text = f"{seen.lost:,} values that are NaN or infinite"
            problems.append(Problem("unreadable", printable(name), text))

    def _mask(self, line: int, problems: list[Problem]) -> Mask:
        name = self.masks[line]
        if not name:
            return Mask()
        try:
            mask = Volume(at(self.base, name))
            counted = _counted(mask)
        except Exception as error:  # as above
            text = f"a mask that cannot be read: {reason(error)}"
            problems.append(Problem("unreadable", printable(name), text))
            return Mask()
        if self.declared and counted.values is not None:
            odd = sorted(set(counted.values.tolist()) - set(self.declared))
            if odd:
                text = f"a mask with the values {', '.join(map(str, odd[:5]))}, which are not declared"
                problems.append(Problem("unreadable", printable(name), text))
        try:
            volume = Volume(at(self.base, self.files[line]))
        except (NotRead, OSError):
            return counted
        if mask.shape[:2] == volume.shape[:2] and mask.shape[2] != volume.shape[2]:
            text = f"a mask of {_said(mask.shape[:3])} voxels, of a volume of {_said(volume.shape[:3])}"
            problems.append(Problem("unreadable", printable(name), text))
        return counted


def _counted(mask: Volume) -> Mask:
    """The values of a mask; voxels of each as many as a slice has on average."""
    counts: dict[int, int] = {}
    for _, block in mask.slices():
        whole = np.nan_to_num(block).round().astype(np.int64).ravel()
        if whole.min() >= 0 and whole.max() < MOST_VALUES:
            found = np.bincount(whole)
            values = np.flatnonzero(found)
            own = zip(values.tolist(), found[values].tolist(), strict=True)
        else:
            own = zip(*(part.tolist() for part in np.unique(whole, return_counts=True)), strict=True)
        for value, count in own:
            counts[value] = counts.get(value, 0) + count
    kept = sorted(sorted(counts, key=lambda value: -counts[value])[:KEPT])
    slices = math.prod(mask.shape[2:])
    return Mask(
        (mask.shape[0], mask.shape[1]),
        "L",
        FORMAT,
        len(counts),
        np.array(kept, np.int64),
        np.array([math.ceil(counts[value] / slices) for value in kept], np.int64),
    )


def _hash(path: Path) -> tuple[int, int]:
    """The content of a file as a number, and its size."""
    parts, size = [], 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            parts.append(hashing.bytes_hash(piece).to_bytes(8, "little"))
            size += len(piece)
    return hashing.bytes_hash(b"".join(parts)), size


def _png(shown: NDArray[np.float64] | None) -> bytes:
    """A slice as a file: its smallest value is black, its largest white."""
    import io

    from PIL import Image

    assert shown is not None
    low, high = float(shown.min()), float(shown.max())
    grey = np.zeros(shown.shape, np.uint8) if high <= low else ((shown - low) / (high - low) * 255).astype(np.uint8)
    made = io.BytesIO()
    Image.fromarray(grey).save(made, "PNG", compress_level=1)
    return made.getvalue()
