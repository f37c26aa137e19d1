"""AUD103 silent-or-clipped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Sample, Severity, SoundStats, digits
from datalint_rules._shared.sounds import SoundRule, cases, recorded, replayed, samples_of, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.author import SplitProfile

QUIET = re.compile(r"[\W_]*(silen(ce|t)|background|noise|none|empty|quiet|unlabell?ed)\w*[\W_]*", re.IGNORECASE)
"""Classes of which silence is what they hold."""


class SilentOrClipped(SoundRule):
    """Recordings with nothing in them, cut off by their range, with a dead channel, or off the zero line.

    Silence is judged by the loudest instant, so that a short word in a long pause is heard; clipping by flat tops that the
    wave runs into on a steep slope, so that loud music, which only touches its limit, is none.

    ## Why it hurts

    Silence carries a label and nothing to learn it from; its logarithm is minus infinity, and features scaled by their own
    level turn into noise or NaN. Clipping adds overtones that were never there. Mixed down with a dead channel a recording
    has half its level, and an offset fills the lowest band and moves every level.

    ## How to fix it

    Drop silent recordings; record or export clipped ones again with less gain, or leave them out. Take the channel that
    lives, and subtract the mean.

    ## When it is wrong

    Where silence is a class of its own (datalint leaves out classes called so), and for square waves, which are flat by
    nature.

    ## Reference

    37 reasons, item 1.
    """

    code = "AUD103"
    name = "silent-or-clipped"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    public = frozenset({"recordings", "share", "kind"})
    measures = (SoundStats, Sample.reading("labels", "header", "pixels"))

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.005, ge=0, le=1, description="Share of such recordings that is a warning.")
        clipped: float = Field(0.001, gt=0, lt=1, description="Share of a recording's values in flat tops.")
        silent: float = Field(
            -50.0,
            lt=0,
            ge=-120,
            description="Level of the loudest instant, in decibels of full scale, that may be silence.",
        )
        below: float = Field(
            35.0, gt=0, description="Decibels below the usual recording from which such a level is silence."
        )
        offset: float = Field(0.02, gt=0, lt=1, description="Mean, as a share of full scale, that is an offset.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per kind and split."""
        splits = recorded(profile)
        heard = np.concatenate([stats.loudest[stats.loudest > 0] for _, stats in splits])
        usual = float(np.median(heard)) if len(heard) else 0.0
        for split, stats in splits:
            for kind, hit in self._kinds(split, stats, usual).items():
                rows = np.flatnonzero(hit)
                if not len(rows):
                    continue
                words, consequence, remedy = _SAID[kind]
                total = int((stats.rate > 0).sum())
                yield Found(
                    message=f"{len(rows):,} of {total:,} recordings {words[len(rows) > 1]}",
                    consequence=consequence,
                    remedy=remedy,
                    severity=weighed(len(rows), total, self.params.share),
                    confidence=0.99 if kind == "silent" else 0.95,
                    split=split.name,
                    subject=kind,
                    evidence={"recordings": len(rows), "share": digits(len(rows) / total, 3), "kind": kind},
                    cases=cases(split, rows.tolist(), {"level": [_told(kind, stats, row) for row in rows.tolist()]}),
                )

    def _kinds(self, split: SplitProfile, stats: SoundStats, usual: float) -> dict[str, NDArray[np.bool_]]:
        level = 20 * np.log10(np.maximum(np.nan_to_num(stats.loudest, nan=1.0), 1e-10))
        faint = (level < self.params.silent) & (level < 20 * np.log10(max(usual, 1e-10)) - self.params.below)
        silent = (stats.rate > 0) & ((level < -100) | faint) & ~_meant(split, stats)
        clipped = np.nan_to_num(stats.clipped) >= self.params.clipped
        far = np.abs(np.nan_to_num(stats.offset))
        offset = (far >= self.params.offset) & (far >= 0.3 * np.nan_to_num(stats.spread)) & ~silent
        return {"silent": silent, "clipped": clipped & ~silent, "dead": stats.dead, "offset": offset}

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Silence some recordings, clip them, or move them off zero: 2 %, up to 10 % at full strength, at least two."""
        kind = str(rng.choice(["silent", "clipped", "offset"]))

        def spoil(values: NDArray[np.float64], rate: int) -> tuple[NDArray[np.float64], int]:
            if kind == "silent":
                return np.zeros_like(values), rate
            if kind == "clipped":
                return np.clip(values * 6 / max(np.abs(values).max(), 1e-9), -1, 1), rate
            return values * 0.3 + 0.3, rate

        count = max(3, round((0.02 + 0.08 * strength) * len(clean.files)))
        low = [path for path, data in sorted(clean.files.items()) if path.endswith(".wav") and _deep(data)]
        if kind == "clipped" and len(low) < count:
            return None
        chosen = [low[k] for k in rng.choice(len(low), count, replace=False)] if kind == "clipped" else None
        return replayed(clean, count, rng, spoil, chosen)


_SAID: dict[str, tuple[tuple[str, str], str, str]] = {
    "silent": (
        ("is silent", "are silent"),
        "They carry a label and nothing to learn it from; logarithms of their level are infinite.",
        "Drop them, or find out where the sound was lost.",
    ),
    "clipped": (
        ("is clipped", "are clipped"),
        "Their flat tops add overtones that were never there.",
        "Record or export them again with less gain, or leave them out.",
    ),
    "dead": (
        ("has a dead channel", "have a dead channel"),
        "Mixed down they have half their level; a loader that takes one channel may take the dead one.",
        "Store the channel that lives, in the same way in all recordings.",
    ),
    "offset": (
        ("lies off the zero line", "lie off the zero line"),
        "An offset fills the lowest band, and every level that is measured.",
        "Subtract the mean of each recording.",
    ),
}


def _told(kind: str, stats: SoundStats, row: int) -> str:
    if kind == "clipped":
        return f"{stats.clipped[row]:.2%} in flat tops"
    if kind == "offset":
        return f"mean {stats.offset[row]:.3f}"
    return f"loudest {20 * np.log10(max(float(stats.loudest[row]), 1e-10)):.0f} dB"


def _deep(data: bytes) -> bool:
    """Whether a recording is of waves long enough to show that they are cut off."""
    values = samples_of(data)[0][:, 0]
    return bool((np.diff(np.signbit(values)) != 0).mean() < 0.2)


def _meant(split: SplitProfile, stats: SoundStats) -> NDArray[np.bool_]:
    """The recordings of classes that are called silence."""
    meant = np.zeros(stats.samples, np.bool_)
    rows = split.rows
    quiet = {label for label in set(rows.label.tolist()) if label is not None and QUIET.fullmatch(label)}
    if quiet:
        meant[rows.places.row] = [label in quiet for label in rows.label]
    return meant
