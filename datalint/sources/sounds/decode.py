"""One recording, block by block: what is in its header, and what its values say."""

from __future__ import annotations

import io
import math
import struct
import wave
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
import xxhash

from datalint.core.problem import Problem
from datalint.core.project import install
from datalint.core.sounds import PICTURE, Sound
from datalint.sources.files import is_pointer, reason
from datalint.sources.remote.path import RemotePath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MISSING = f"is read with soundfile: {install('audio')}"

BLOCK = 1 << 19
"""Values of all channels decoded at a time: 2 MB."""

MOST = 1 << 30
"""Values of all channels that are looked at: three hours in stereo."""

MAX_BYTES = 512 << 20
"""Bytes of a recording on a server that are read."""

CHANNELS = 8
"""Channels whose values are looked at."""

RUN, JUMP = 3, 0.01
"""A flat top has at least so many equal values, and is entered or left at so steep a slope, as a share of the extreme."""

_NAMED = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".oga": "OGG", ".opus": "OGG", ".mp3": "MP3"}
_NAMED |= {".aif": "AIFF", ".aiff": "AIFF", ".au": "AU"}
_ALSO = {"WAVEX": "WAV", "RF64": "WAV", "MPEG": "MP3"}
_STARTS = {
    b"RIFF": "WAV",
    b"RF64": "WAV",
    b"fLaC": "FLAC",
    b"OggS": "OGG",
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"\xff\xf2": "MP3",
    b"FORM": "AIFF",
    b".snd": "AU",
}
_STEP = {"PCM_S8": 2**-7, "PCM_U8": 2**-7, "ULAW": 2**-5, "ALAW": 2**-5, "PCM_24": 2**-23, "PCM_32": 2**-23}
"""How fine values are stored; of others as 16 bits do."""

_LOW, _HIGH = 60.0, 8000.0
_RANGE, _EDGE = 60.0, 50.0
"""Decibels below the loudest that a spectrogram shows, and below which its beginning and end are left out."""

_FRAMES = 2_048
"""Columns of a spectrogram that are kept while its length is not known."""


Stored = str | Path | bytes
"""A file, or what is in it."""


def _open(stored: Stored) -> IO[bytes]:
    return io.BytesIO(stored) if isinstance(stored, bytes) else open(stored, "rb")  # noqa: PTH123 - a Path is slower


def read(stored: Stored, shown: str, suffix: str) -> tuple[Sound, list[Problem]]:
    """Decode a recording to its end; what is wrong with it is told, and nothing is raised.

    Args:
        stored: the file.
        shown: what people call it.
        suffix: what its name says of its format, with the dot, in lower case.
    """
    try:
        stored = stored.read_bytes(MAX_BYTES) if isinstance(stored, RemotePath) else stored
        with _open(stored) as file:
            start = file.read(1024)
            size = file.seek(0, 2)
    except OSError as error:
        return Sound(), [Problem("unreadable", shown, reason(error))]
    if problem := _no_sound(start, shown):
        return Sound(), [problem]
    try:
        source = _opened(stored, start)
    except ImportError:
        return Sound(), [Problem("not-scanned", shown, f"{_format(start) or suffix[1:].upper()} {MISSING}")]
    except Exception as error:  # soundfile, and wave as well, raise many things on damaged files
        return Sound(), [Problem("unreadable", shown, f"no recording that can be decoded: {_said(error)}")]
    try:
        return _measured(source, stored, shown, suffix, size)
    finally:
        source.close()


def _no_sound(start: bytes, shown: str) -> Problem | None:
    if not start:
        return Problem("empty", shown, "an empty file")
    if is_pointer(start):
        return Problem("pointer", shown, "a Git LFS pointer instead of data (git lfs pull)")
    return Problem("unreadable", shown, "a file of zeros") if not start.strip(b"\0") else None


def _format(start: bytes) -> str:
    return next((name for mark, name in _STARTS.items() if start.startswith(mark)), "")


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.rpartition("': ")[2][:200] or type(error).__name__


@dataclass
class _Source:
    """A recording that is open."""

    file: Any
    rate: int
    channels: int
    frames: int
    """As its header says."""
    format: str
    depth: str
    exact: bool
    """Whether the header knows how many frames there are."""

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """[frames, channels], full scale being 1."""
        if isinstance(self.file, wave.Wave_read):
            width = self.file.getsampwidth()
            while data := self.file.readframes(frames):
                yield _floats(data[: len(data) // (width * self.channels) * width * self.channels], width).reshape(
                    -1, self.channels
                )
            return
        while len(block := self.file.read(frames, dtype="float32", always_2d=True)):
            yield block

    def close(self) -> None:
        self.file.close()


def _opened(stored: Stored, start: bytes) -> _Source:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # an OSError where the library itself is missing
        if not start.startswith(b"RIFF"):
            raise ImportError from error
        try:
            file = wave.open(_named(stored), "rb")  # noqa: SIM115 - closed by its owner
        except wave.Error as other:
            if "unknown format" in str(other):
                raise ImportError from error
            raise
        width = file.getsampwidth()
        depth = "PCM_U8" if width == 1 else f"PCM_{8 * width}"
        return _Source(file, file.getframerate(), file.getnchannels(), file.getnframes(), "WAV", depth, exact=True)
    opened = soundfile.SoundFile(_named(stored))
    format_ = _ALSO.get(opened.format, opened.format)
    known = format_ in {"WAV", "FLAC", "AIFF", "AU"}
    return _Source(opened, opened.samplerate, opened.channels, opened.frames, format_, opened.subtype, known)


def _named(stored: Stored) -> Any:
    return io.BytesIO(stored) if isinstance(stored, bytes) else str(stored)


def _floats(data: bytes, width: int) -> NDArray[np.float32]:
    """PCM as WAV has it."""
    if width == 1:
        return np.asarray((np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128, np.float32)
    if width == 3:
        four = np.zeros((len(data) // 3, 4), np.uint8)
        four[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return np.asarray(four.reshape(-1).view("<i4") / 2**31, np.float32)
    values: NDArray[np.float64] = np.frombuffer(data, f"<i{width}") / 2.0 ** (8 * width - 1)
    return values.astype(np.float32)


def _measured(source: _Source, stored: Stored, shown: str, suffix: str, size: int) -> tuple[Sound, list[Problem]]:
    sound = Sound(source.rate, source.channels, format=source.format, depth=source.depth)
    problems: list[Problem] = []
    if source.rate <= 0 or source.channels <= 0:
        return Sound(), [Problem("unreadable", shown, "a header without a sample rate or channels")]
    tally = _Tally(source)
    hasher = xxhash.xxh3_64(struct.pack("<qq", source.rate, source.channels))
    frames, broken = 0, ""
    try:
        for block in source.blocks(tally.window * max(1, BLOCK // (tally.window * source.channels))):
            frames += len(block)
            hasher.update(np.ascontiguousarray(block).data)
            tally.add(np.nan_to_num(block[:, :CHANNELS], posinf=0.0, neginf=0.0))
            if frames * source.channels >= MOST:
                problems.append(Problem("not-scanned", shown, f"what lies beyond its first {MOST:,} values"))
                break
    except Exception as error:  # as above
        broken = _said(error)
    sound.seconds = frames / source.rate
    if not frames:
        kind: Literal["unreadable", "empty"] = "unreadable" if broken else "empty"
        return Sound(), [Problem(kind, shown, broken or "a recording of no length")]
    if broken:
        problems.append(Problem("truncated", shown, f"breaks off after {sound.seconds:.3g} s: {broken}"))
    elif not problems:
        problems += _cut_short(source, stored, shown, size, frames)
    if (named := _NAMED.get(suffix)) and named != source.format:
        problems.append(Problem("suffix", shown, f"named {suffix} and stored as {source.format}"))
    sound.hash, sound.readable = hasher.intdigest(), not any(p.kind == "truncated" for p in problems)
    tally.tell(sound)
    return sound, problems


def _cut_short(source: _Source, stored: Stored, shown: str, size: int, frames: int) -> list[Problem]:
    """Whether there is less than the header says."""
    declared = source.frames
    if source.format == "WAV":
        told, held = _data_of(stored, size)
        if told > held:
            cut = f"its header promises {told:,} bytes of sound, and {held:,} are there"
            return [Problem("truncated", shown, cut)]
        return []
    if (source.exact and frames < declared < 2**62) or (source.format == "MP3" and frames < 0.9 * declared < 2**62):
        cut = f"its header promises {declared / source.rate:.3g} s, and {frames / source.rate:.3g} s are there"
        return [Problem("truncated", shown, cut)]
    return []


def _data_of(stored: Stored, size: int) -> tuple[int, int]:
    """Bytes of sound that the header of a WAV file promises, and those that follow it; no more where it does not know."""
    with _open(stored) as file:
        at = 12
        while at + 8 <= size:
            file.seek(at)
            name, length = struct.unpack("<4sI", file.read(8))
            if name == b"data":
                # Who writes to a pipe does not know the length, and says the longest there is.
                return (0 if length >= 0xFFFF_FF00 or length == 0 else length), size - at - 8
            at += 8 + length + length % 2
    return 0, 0


@dataclass
class _Tally:
    """What the values of a recording say, block by block."""

    source: _Source
    frames: int = 0
    loudest: NDArray[np.float64] = field(init=False)
    """Of each channel, as mean square."""
    power: NDArray[np.float64] = field(init=False)
    """[columns, bands] of the spectrogram so far."""
    stride: int = 1
    """Windows of one column."""

    def __post_init__(self) -> None:
        self.window = int(np.clip(2 ** np.ceil(np.log2(max(1, self.source.rate) * 0.025)), 16, 1 << 16))
        count = min(CHANNELS, self.source.channels)
        self.loudest, self.total, self.squares = np.zeros(count), np.zeros(count), np.zeros(count)
        self.tops = [_Flat(self.source.depth, up) for _ in range(count) for up in (True, False)]
        self.power = np.zeros((0, PICTURE))
        self.taper = np.hanning(self.window).astype(np.float32)

    def add(self, block: NDArray[np.float32]) -> None:
        self.frames += len(block)
        wide = block.astype(np.float64)
        self.total += wide.sum(axis=0)
        self.squares += (wide**2).sum(axis=0)
        for k in range(block.shape[1]):
            self.tops[2 * k].add(block[:, k])
            self.tops[2 * k + 1].add(-block[:, k])
        if short := -len(block) % self.window:
            block = np.concatenate([block, np.zeros((short, block.shape[1]), np.float32)])
        windows = block.reshape(-1, self.window, block.shape[1])
        # Of a stretch that the end cuts off what is there counts.
        counts = np.full(len(windows), self.window)
        counts[-1] -= short
        levels = np.einsum("wnc,wnc->wc", windows, windows, dtype=np.float64) / counts[:, None]
        self.loudest = np.maximum(self.loudest, levels.max(axis=0))
        self._columns(np.concatenate([self.power, self._bands(windows.mean(axis=2))]))

    def _bands(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        edges = _edges(self.source.rate, self.window)
        power = np.abs(np.fft.rfft(windows * self.taper)) ** 2
        sums = np.add.reduceat(power, np.minimum(edges[:-1], power.shape[1] - 1), axis=1)
        return np.where(edges[:-1] < np.minimum(edges[1:], power.shape[1]), sums, 0.0)

    def _columns(self, power: NDArray[np.float64]) -> None:
        while len(power) > _FRAMES:
            even = power[: len(power) // 2 * 2].reshape(-1, 2, PICTURE).mean(axis=1)
            power = np.concatenate([even, power[len(power) // 2 * 2 :]])
            self.stride *= 2
        self.power = power

    def tell(self, sound: Sound) -> None:
        """Write down what was found."""
        mean = self.total / self.frames
        spread = np.sqrt(np.maximum(self.squares / self.frames - mean**2, 0))
        far = int(np.abs(mean).argmax())
        sound.offset, sound.spread = float(mean[far]), float(spread[far])
        levels = np.sqrt(self.loudest)
        sound.loudest = float(levels.max())
        sound.dead = len(levels) > 1 and bool(levels.min() < 0.003 * levels.max())
        sound.clipped = sum(top.count for top in self.tops) / (self.frames * len(self.loudest))
        sound.picture = _picture(self.power)


@dataclass
class _Flat:
    """Values of one channel that lie in flat tops at the largest value there is, as a clipped wave has them.

    A wave that is not clipped comes to its top on a slope that gets flat before; a clipped one runs into it.
    """

    depth: str
    up: bool
    top: float = 0.0
    count: int = 0

    def add(self, values: NDArray[np.float32]) -> None:
        top = float(values.max())
        lossy = self.depth in {"VORBIS", "OPUS"} or "MPEG" in self.depth
        if lossy:  # what decoders give beyond full scale is cut off when it is stored
            top = min(top, 0.999)
        if top > self.top:
            self.top, self.count = top, 0
        elif top < self.top:
            return
        if top <= 0.05:
            return
        at = np.flatnonzero(values >= top)
        ends = np.flatnonzero(np.diff(at) > 1)
        first, last = at[np.append(0, ends + 1)], at[np.append(ends, len(at) - 1)]
        long = last - first + 1 >= RUN
        first, last = first[long], last[long]
        before = top - np.where(first > 0, values[first - 1], top)
        after = top - np.where(last + 1 < len(values), values[np.minimum(last + 1, len(values) - 1)], top)
        steep = np.maximum(before, after) > max(4 * _STEP.get(self.depth, 2**-15), JUMP * top)
        self.count += int((last - first + 1)[steep].sum())


@lru_cache(maxsize=32)
def _edges(rate: int, window: int) -> NDArray[np.int64]:
    """Where each band begins among the frequencies of a window: steps of equal pitch to the ear (mel)."""
    low, high = (2595 * math.log10(1 + pitch / 700) for pitch in (_LOW, _HIGH))
    mel = np.linspace(low, high, PICTURE + 1)
    edges = np.round(700 * (10 ** (mel / 2595) - 1) * window / rate).astype(np.int64)
    # Where windows are too short for that each band has a frequency of its own.
    distinct: NDArray[np.int64] = np.maximum(edges, np.arange(PICTURE + 1) + edges[0])
    return distinct


def _picture(power: NDArray[np.float64]) -> NDArray[np.uint8]:
    """[bands, moments], high ones on top, without silence at either end."""
    top = power.max(initial=0.0)
    if top <= 1e-12:
        return np.zeros((PICTURE, PICTURE), np.uint8)
    loud = np.flatnonzero(power.max(axis=1) > top * 10 ** (-_EDGE / 10))
    power = power[loud[0] : loud[-1] + 1]
    bins = np.linspace(0, len(power), PICTURE + 1)
    sums = np.concatenate([np.zeros((1, PICTURE)), np.cumsum(power, axis=0)])
    at = np.arange(len(power) + 1)
    cells = np.stack([np.interp(bins, at, sums[:, k]) for k in range(PICTURE)], axis=1)
    level = 10 * np.log10(np.maximum(np.diff(cells, axis=0), 1e-300))
    shades = np.clip(1 + (level - level.max()) / _RANGE, 0, 1)
    return np.ascontiguousarray((shades.T[::-1] * 255).round().astype(np.uint8))
