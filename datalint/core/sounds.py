"""What is known of recordings: the columns that speak of them, and what was measured of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PICTURE = 32
"""Bands and moments of the small spectrogram that stands for a recording."""


@dataclass(frozen=True)
class Recordings:
    """What the columns of a table say of recordings."""

    file: str
    """The column that names each."""
    transcript: str | None = None
    """The column of what is said in it."""
    duration: str | None = None
    """The column of how long it is."""
    scale: float = 1.0
    """Seconds of one unit of that column."""


@dataclass
class SoundBlock:
    """The recordings of one batch; arrays have one entry per recording."""

    rate: NDArray[np.int32]
    """Samples per second; 0 where the recording could not be read."""
    channels: NDArray[np.int16]
    seconds: NDArray[np.float64]
    """How long it is; 0 where it could not be read."""
    format: list[str]
    """``WAV``, ``FLAC``, ``OGG``, ``MP3`` ...; empty where unreadable."""
    depth: list[str]
    """How its values are stored, such as ``PCM_16``."""
    loudest: NDArray[np.float32]
    """Root mean square of the loudest stretch of some 30 ms, full scale being 1; NaN where unreadable."""
    clipped: NDArray[np.float32]
    """Share of the values that lie in flat tops cut off by the range."""
    offset: NDArray[np.float32]
    """Mean of the channel that is farthest from 0."""
    spread: NDArray[np.float32]
    """Standard deviation of the same channel."""
    dead: NDArray[np.bool_]
    """Whether a channel is silent while another is not."""
    hashes: NDArray[np.uint64]
    """Hash of the values, whatever they are packed in."""
    readable: NDArray[np.bool_]
    pictures: NDArray[np.uint8]
    """[recordings, bands, moments]: how loud it is where, the loudest being 255; zeros where unreadable."""

    @classmethod
    def none(cls, count: int) -> SoundBlock:
        """Of recordings of which nothing is known."""
        unknown = np.full(count, np.nan, np.float32)
        return cls(
            np.zeros(count, np.int32),
            np.zeros(count, np.int16),
            np.zeros(count),
            [""] * count,
            [""] * count,
            unknown,
            unknown.copy(),
            unknown.copy(),
            unknown.copy(),
            np.zeros(count, np.bool_),
            np.zeros(count, np.uint64),
            np.zeros(count, np.bool_),
            np.zeros((count, PICTURE, PICTURE), np.uint8),
        )


@dataclass(slots=True)
class Sound:
    """One recording."""

    rate: int = 0
    channels: int = 0
    seconds: float = 0.0
    format: str = ""
    depth: str = ""
    loudest: float = np.nan
    clipped: float = np.nan
    offset: float = np.nan
    spread: float = np.nan
    dead: bool = False
    hash: int = 0
    readable: bool = False
    picture: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((PICTURE, PICTURE), np.uint8))
