"""What the rules about recordings share: splits as arrays, and recordings changed for planted faults."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Measurement,
    Planted,
    Profile,
    Reading,
    Rule,
    Severity,
    Skip,
    SoundStats,
    SplitProfile,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from pydantic import JsonValue

HALF = 0.5
"""Share from which a split is of no use."""


class SoundRule(Rule):
    """A rule about recordings."""

    modalities: ClassVar[frozenset[str]] = frozenset({"audio"})
    measures: ClassVar[tuple[type[Measurement] | Reading, ...]] = (SoundStats,)


def recorded(profile: Profile) -> list[tuple[SplitProfile, SoundStats]]:
    """The splits with their recordings.

    Raises:
        Skip: none could be read.
    """
    found = [(split, split[SoundStats]) for split in profile.splits if split[SoundStats].samples]
    if not any((stats.rate > 0).any() for _, stats in found):
        raise Skip("no recording could be read")
    return found


def cases(split: SplitProfile, rows: Sequence[int], details: Mapping[str, Sequence[JsonValue]]) -> Cases:
    """Some recordings by their positions, each with what is wrong with it."""
    places = split[SoundStats].places.take(np.array(rows, np.int64))
    return Cases(split.name, places, dict(details))


def weighed(count: int, total: int, share: float) -> Severity:
    """An error from half of a split on, and info where there are but a few."""
    if count >= HALF * total and count > 1:
        return "error"
    return "warning" if count > 1 and count >= share * total else "info"


def robust_z(values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """How many deviations each value lies from the median, each side measured by its quartile."""
    first, middle, third = np.quantile(values, [0.25, 0.5, 0.75])
    below, above = (max(width / 0.6745, floor) for width in (middle - first, third - middle))
    deviations: NDArray[np.float64] = (values - middle) / np.where(values < middle, below, above)
    return deviations


def replayed(
    clean: Clean,
    count: int,
    rng: np.random.Generator,
    change: Callable[[NDArray[np.float64], int], tuple[NDArray[np.float64], int]],
    chosen: Sequence[str] | None = None,
) -> Planted | None:
    """Change some recordings (``count`` random ones, unless they are given); None where they are no WAV files."""
    if not clean.files or clean.modality != "audio":
        return None
    paths = sorted(path for path in clean.files if path.endswith(".wav"))
    if chosen is None:
        chosen = [paths[k] for k in rng.choice(len(paths), min(count, len(paths)), replace=False)]
    files = dict(clean.files)
    for path in chosen:
        files[path] = written(*change(*samples_of(files[path])))
    return Planted(Clean(clean.name, files=files), rows=rows_of(clean, set(chosen)))


def samples_of(data: bytes) -> tuple[NDArray[np.float64], int]:
    """The values of a WAV file of 16 bits, [frames, channels], full scale being 1, and their rate."""
    with wave.open(io.BytesIO(data)) as file:
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return values / 32768, file.getframerate()


def written(values: NDArray[np.float64], rate: int) -> bytes:
    """A WAV file of 16 bits with these values."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(values.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(np.round(values * 32768), -32768, 32767).astype("<i2").tobytes())
    return out.getvalue()
