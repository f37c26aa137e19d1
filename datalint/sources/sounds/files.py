"""Recordings in a file each, as partitions of some hundred files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch
from datalint.core.problem import Problem
from datalint.core.sounds import Sound, SoundBlock
from datalint.sources.files import printable
from datalint.sources.places import reach
from datalint.sources.sample_files import SampleFiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.dataset import Aspect
    from datalint.sources.sounds.decode import Stored

BATCH = 64
"""Files of one batch."""


@dataclass(frozen=True)
class SoundFiles(SampleFiles):
    """Consecutive recordings of one split."""

    def picture(self, line: int) -> bytes | None:
        """Its spectrogram as a small WebP file."""
        return spectrogram(reach(self.base, self.files[line]))

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read the files; each is opened once."""
        paths = [reach(self.base, name) for name in self.files]
        for start in range(0, len(self.files), BATCH):
            names = self.files[start : start + BATCH]
            batch = Batch(self.split, start, len(names), labels=self._labels(start, len(names)))
            if aspects & {"header", "pixels"}:
                batch.sounds = read_sounds(paths[start : start + BATCH], names, start, batch.problems)
            yield batch


def read_sounds(
    stored: Sequence[Stored | None], names: Sequence[str], start: int, problems: list[Problem]
) -> SoundBlock:
    """Decode recordings; what is wrong is added to ``problems``, at the position of each counted from ``start``.

    Args:
        stored: the files; None for one that is not there.
        names: what people call them.
        start: position of the first.
        problems: what is added to.
    """
    from datalint.sources.sounds.decode import read

    sounds: list[Sound] = []
    for k, (file, name) in enumerate(zip(stored, names, strict=True)):
        shown = printable(name)
        if file is None:
            sounds.append(Sound())
            continue
        sound, found = read(file, shown, os.path.splitext(name)[1].lower())  # noqa: PTH122 - faster than a Path
        problems += [Problem(p.kind, p.path, p.message, start + k) for p in found]
        sounds.append(sound)
    block = SoundBlock.none(len(sounds))
    for k, sound in enumerate(sounds):
        # Of a file that cannot be read nothing is known but its name.
        block.hashes[k] = sound.hash if sound.rate else hashing.bytes_hash(os.fsencode(names[k]))
        block.rate[k], block.channels[k], block.seconds[k] = sound.rate, sound.channels, sound.seconds
        block.format[k], block.depth[k] = sound.format, sound.depth
        block.loudest[k], block.clipped[k] = sound.loudest, sound.clipped
        block.offset[k], block.spread[k], block.dead[k] = sound.offset, sound.spread, sound.dead
        block.readable[k], block.pictures[k] = sound.readable, sound.picture
    return block


def spectrogram(stored: Stored) -> bytes | None:
    """A recording as a picture for a report; None where it cannot be read."""
    from PIL import Image

    from datalint.sources.images.decode import webp
    from datalint.sources.sounds.decode import read

    sound, _ = read(stored, "", "")
    if not sound.rate:
        return None
    shades = 255 - sound.picture
    return webp(Image.fromarray(np.kron(shades, np.ones((4, 4), np.uint8))))
