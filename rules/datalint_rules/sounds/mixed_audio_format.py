"""AUD102 mixed-audio-format."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, SoundStats
from datalint_rules._shared.sounds import SoundRule, cases, recorded, replayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class MixedAudioFormat(SoundRule):
    """Recordings of another sample rate, number of channels or format than the rest.

    Another sample rate is a warning: nothing stops, and the sound is wrong. Other channels, formats and depths are info.

    ## Why it hurts

    A loader that does not resample (``torchaudio.load``, ``soundfile.read``) hands 8 kHz to a model of 16 kHz as speech of
    twice the speed and an octave up. Other numbers of channels stop at the first batch that holds two of them. Where the
    format goes with the class or the split, a model learns the recorder instead of the sound.

    ## How to fix it

    Resample and mix down once, and store the result; or do so when loading and check it on the listed files.

    ## When it is wrong

    Where the loader resamples (``librosa.load``, ``datasets.Audio(sampling_rate=...)``).

    ## Reference

    37 reasons, item 14.
    """

    code = "AUD102"
    name = "mixed-audio-format"
    severity: ClassVar[Severity] = "warning"
    item = "14"
    public = frozenset({"rate", "channels", "format", "usual", "recordings", "odd"})

    class Params(RuleParams):
        """Cuts."""

        few: float = Field(
            0.05, ge=0, lt=0.5, description="Largest share of recordings of other formats or depths that is mentioned."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together: the usual format is that of the whole set."""
        splits = recorded(profile)
        for what, words in _WORDS.items():
            values = [_values(stats, what) for _, stats in splits]
            counts = Counter(value for part in values for value in part.tolist() if value)
            if len(counts) < 2:
                continue
            usual = max(counts, key=lambda value: (counts[value], value))
            odd = sum(counts.values()) - counts[usual]
            # Files of several formats are no surprise to any loader, only a few odd ones may be.
            if what == "format" and odd > self.params.few * sum(counts.values()):
                continue
            for (split, stats), part in zip(splits, values, strict=True):
                rows = np.flatnonzero((part != usual) & (part != ""))
                if not len(rows):
                    continue
                here = Counter(part[rows].tolist())
                told = ", ".join(f"{count:,} of {value}" for value, count in here.most_common(3))
                yield Found(
                    message=(
                        f"{len(rows):,} of {stats.samples:,} recordings have another {words[0]} than the usual {usual}: {told}"
                    ),
                    consequence=words[1],
                    remedy=words[2],
                    severity="warning" if what == "rate" else "info",
                    confidence=0.99,
                    split=split.name,
                    subject=what,
                    evidence={"odd": len(rows), "usual": usual, "recordings": stats.samples},
                    cases=cases(split, rows.tolist(), {what: part[rows].tolist()}),
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Say that some recordings have half their sample rate: one, up to 5 % at full strength."""

        def slower(values: NDArray[np.float64], rate: int) -> tuple[NDArray[np.float64], int]:
            return values, rate // 2

        return replayed(clean, max(1, round(0.05 * strength * len(clean.files))), rng, slower)


_WORDS: dict[str, tuple[str, str, str]] = {
    "rate": (
        "sample rate",
        "Without resampling they reach the model at another speed and pitch.",
        "Resample them once, or when loading.",
    ),
    "channels": (
        "number of channels",
        "Batches of recordings with different numbers of channels cannot be made.",
        "Mix them down once, or when loading.",
    ),
    "format": (
        "format",
        "What their compression left out or added may tell them from the others.",
        "Find out where they come from, and store all recordings in one format.",
    ),
}


def _values(stats: SoundStats, what: str) -> NDArray[np.object_]:
    """A property of each recording in words; empty where it could not be read."""
    if what == "format":
        pairs = zip(stats.format.tolist(), stats.depth.tolist(), strict=True)
        found = [" ".join(dict.fromkeys([name.decode(), depth.decode()])) if name else "" for name, depth in pairs]
    elif what == "rate":
        found = [f"{rate:,} Hz" if rate else "" for rate in stats.rate.tolist()]
    else:
        found = [f"{count} channel{'s' * (count > 1)}" if count else "" for count in stats.channels.tolist()]
    return np.array(found, dtype=object)
