"""AUD104 odd-duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    Measurement,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SoundStats,
    digits,
    training,
)
from datalint_rules._shared.sounds import replayed, robust_z, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.author import SplitProfile

SMALLEST = 30
"""Recordings by which a usual length is known."""

LANGUAGES = ("language", "lang", "locale")
"""Names of a column that tells languages apart, which are spoken and written at different rates."""

ROUNDS = 30
"""Steps towards the line on which most recordings lie."""

GAP = 0.4
"""Logarithm of the factor by which odd lengths stand apart from all shorter, or longer, ones: 1.5."""

LINKED = 0.3
"""Rank correlation of letters and seconds from which a text is what is said."""

APART = 0.05, 0.25
"""Share and seconds by which a declared length may be off: an edge that was trimmed, a length that was rounded."""


class OddDuration(Rule):
    """Recordings far shorter or longer than the rest, than what is said in them takes, or than the list says.

    Where there are transcripts, seconds are compared with their letters along a line that most recordings lie on, for each
    language by itself; a column of lengths is enough, the sound need not be there. Empty transcripts are TXT101's.

    ## Why it hurts

    Recognition with CTC needs more frames than letters: a recording that is too short for its text gives an infinite loss,
    which one batch carries into all weights. A text that is far too short for its recording belongs to another one, or is
    cut off. Very long recordings take the memory of a whole batch.

    ## How to fix it

    Listen to the listed ones: align them again, cut the recording or the text, or leave them out.

    ## When it is wrong

    Short calls in long pauses, and songs.

    ## Reference

    37 reasons, items 4 and 37. mozilla/DeepSpeech and icefall stop or diverge on such recordings; NeMo and lhotse filter by
    fixed rates of letters per second.
    """

    code = "AUD104"
    name = "odd-duration"
    severity: ClassVar[Severity] = "warning"
    item = "4, 37"
    modalities = frozenset({"audio", "table"})
    public = frozenset({"recordings", "share", "factor", "kind"})
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.001, ge=0, le=1, description="Share of odd recordings that is a warning.")
        factor: float = Field(4.0, gt=1, description="Times longer or shorter than usual that is odd.")
        spoken: float = Field(3.0, gt=1, description="Times longer or shorter than the transcript takes that is odd.")
        deviations: float = Field(5.0, gt=0, description="Robust standard deviations beyond which either is odd.")
        rate: float = Field(40.0, gt=0, description="Letters per second beyond which nobody speaks.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The recordings, or what a table says of them."""
        if dataset.modality == "audio":
            return (SoundStats, Sample)
        known = dataset.recordings
        return (Sample,) if known is not None and known.duration else ()

    def check(self, profile: Profile) -> Iterator[Found]:
        """What is said first, then the lengths alone."""
        lists = [found for split in profile.splits if (found := _lengths(profile, split)) is not None]
        if not lists:
            raise Skip("nothing says how long recordings are", applies=False)
        for found in lists:
            yield from self._declared(found)
        spoken = [self._spoken(found, lists) for found in lists]
        lengths = np.concatenate([found.seconds[found.seconds > 0] for found in lists])
        judged = len(lengths) >= SMALLEST
        for found, fits in zip(lists, spoken, strict=True):
            told = np.zeros(len(found), np.bool_)
            if fits is not None:
                yield from fits
                told = found.spoken
            if judged:
                yield from self._odd(found, np.log(lengths), told)

    def _odd(self, found: _Lengths, known: NDArray[np.float64], told: NDArray[np.bool_]) -> Iterator[Found]:
        """Against the usual length; of spoken recordings those that what is said explains are not judged."""
        positive = found.seconds > 0
        length = np.log(np.where(positive, found.seconds, 1.0))
        middle, usual = float(np.median(known)), float(np.exp(np.median(known)))
        z = robust_z(known, 0.1)
        odd: dict[bool, NDArray[np.bool_]] = {}
        for short, sign in ((True, -1), (False, 1)):
            beyond = np.sort(sign * (known[sign * z > 0] - middle))
            deviations = np.sort(sign * z[sign * z > 0])
            far = (beyond >= np.log(self.params.factor)) & (deviations >= self.params.deviations)
            # Lengths that go on without a gap are how long such recordings are.
            apart = np.flatnonzero(far & (np.diff(beyond, prepend=0.0) >= GAP))
            edge = float(beyond[apart[0]]) if len(apart) else np.inf
            odd[short] = positive & (sign * (length - middle) >= edge - 1e-9) & ~told
        for short in (True, False):
            rows = np.flatnonzero(odd[short])
            if len(rows):
                word = "shorter" if short else "longer"
                yield self._found(
                    found,
                    rows,
                    word,
                    f"are far {word} than the usual {_time(usual)}",
                    "Padded to the longest a batch is mostly silence; models with strides stop at the shortest.",
                    "Listen to them, and cut them or leave them out.",
                    [_time(found.seconds[row]) for row in rows],
                )

    def _spoken(self, found: _Lengths, lists: list[_Lengths]) -> list[Found] | None:
        """Against what is said; None where nothing says that."""
        if found.letters is None:
            return None
        hits: dict[str, list[int]] = {"short": [], "long": []}
        told = np.zeros(len(found), np.bool_)
        for group in sorted(set(found.language.tolist())):
            parts = [(one, (one.language == group) & one.judged) for one in lists if one.letters is not None]
            letters = np.concatenate([one.letters[kept] for one, kept in parts if one.letters is not None])
            seconds = np.concatenate([one.seconds[kept] for one, kept in parts])
            mine = np.flatnonzero((found.language == group) & found.judged)
            if len(letters) < SMALLEST or not len(mine) or not _speaks(letters, seconds):
                continue
            base, slope = _line(letters, seconds)
            own = np.log(found.seconds[mine] / (base + slope * found.letters[mine]))
            z = robust_z(np.concatenate([own, np.log(seconds / (base + slope * letters))]), 0.2)[: len(mine)]
            far = np.abs(z) >= self.params.deviations
            cut = float(np.log(self.params.spoken))
            rushed = found.letters[mine] > self.params.rate * found.seconds[mine]
            hits["short"] += mine[(far & (own <= -cut)) | rushed].tolist()
            hits["long"] += mine[far & (own >= cut) & ~rushed].tolist()
            told[mine] = True
        found.spoken |= told
        return [self._unfit(found, kind, sorted(rows)) for kind, rows in hits.items() if rows]

    def _unfit(self, found: _Lengths, kind: str, rows: list[int]) -> Found:
        letters = found.letters
        assert letters is not None
        short = kind == "short"
        return self._found(
            found,
            np.array(rows, np.int64),
            f"too {kind} for the text",
            f"are too {kind} for their transcript",
            "With CTC a recording of fewer frames than letters has an infinite loss."
            if short
            else "The text belongs to another recording or is cut off, so that the model learns to leave words out.",
            "Align text and recording again, or leave these out.",
            [f"{_time(found.seconds[row])} for {int(letters[row]):,} letters" for row in rows],
        )

    def _declared(self, found: _Lengths) -> Iterator[Found]:
        """Against what the list says."""
        if found.declared is None or found.measured is None:
            return
        apart = np.abs(found.declared - found.measured)
        off = (apart > APART[1]) & (apart > APART[0] * found.measured) & (found.measured > 0) & (found.declared > 0)
        rows = np.flatnonzero(off)
        if len(rows):
            yield self._found(
                found,
                rows,
                "declared",
                "are of another length than the list says",
                "Batches are made by the declared length: they run out of memory, or texts stand with other recordings.",
                "Measure the lengths again, and find out whether the list belongs to these files.",
                [f"declared {_time(found.declared[row])}, is {_time(found.measured[row])}" for row in rows],
            )

    def _found(
        self,
        found: _Lengths,
        rows: NDArray[np.int64],
        kind: str,
        words: str,
        consequence: str,
        remedy: str,
        details: list[str],
    ) -> Found:
        count, total = len(rows), len(found)
        said = words.replace("are ", "is ", 1).replace("their", "its") if count == 1 else words
        share = count / total
        counted = f"{total:,}" if found.split.rows.complete else f"{total:,} sampled"
        return Found(
            message=f"{count:,} of {counted} recordings {said}, such as {details[0]}",
            consequence=consequence,
            remedy=remedy,
            severity=weighed(count, total, self.params.share),
            confidence=0.95,
            split=found.split.name,
            subject=kind,
            evidence={"recordings": count, "share": digits(share, 3), "kind": kind},
            cases=Cases(found.split.name, found.split.rows.places.take(rows), {"length": list(details)}),
            exact=found.split.rows.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Cut recordings down to some hundredths of a second, or lengths in a list: 1 % of them, 10 % at full strength."""
        share = 0.01 + 0.09 * strength
        if clean.files:

            def cut(values: NDArray[np.float64], rate: int) -> tuple[NDArray[np.float64], int]:
                return values[len(values) // 3 :][: round(rate * 0.03)], rate

            return replayed(clean, max(3, round(share * len(clean.files))), rng, cut)
        if not clean.tables or not {"audio_filepath", "duration", "text"} <= set(clean.tables[training(clean)].columns):
            return None
        split = training(clean)
        table = clean.tables[split]
        rows = sorted(int(k) for k in rng.choice(len(table), max(3, round(share * len(table))), replace=False))
        lengths = table["duration"].to_numpy().copy()
        lengths[rows] = np.round(rng.uniform(0.05, 0.2, len(rows)), 3)
        tables = {**clean.tables, split: table.assign(duration=lengths)}
        return Planted(Clean(clean.name, tables, clean.label), split=split, rows={split: frozenset(rows)})


@dataclass(eq=False)
class _Lengths:
    """The sampled recordings of one split."""

    split: SplitProfile
    seconds: NDArray[np.float64]
    """As measured, or else as declared; 0 where unknown."""
    declared: NDArray[np.float64] | None
    measured: NDArray[np.float64] | None
    letters: NDArray[np.float64] | None
    language: NDArray[np.object_]
    spoken: NDArray[np.bool_]
    """Which were compared with what is said in them."""

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which have both a length and a transcript."""
        assert self.letters is not None
        return (self.seconds > 0) & (self.letters > 0)


def _lengths(profile: Profile, split: SplitProfile) -> _Lengths | None:
    rows, known = split.rows, profile.dataset.recordings
    if not len(rows):
        return None
    declared = measured = None
    if known is not None and known.duration:
        declared = np.nan_to_num(rows.column(known.duration) * known.scale)
        declared = declared if declared.any() else None
    if SoundStats in split.measured and split[SoundStats].samples:
        measured = split[SoundStats].seconds[rows.places.row]
    seconds = measured if measured is not None and measured.any() else declared
    if seconds is None:
        return None
    texts = rows.texts.get(known.transcript) if known is not None and known.transcript else None
    letters = None if texts is None else np.array([len(text) if text else 0 for text in texts], np.float64)
    language = np.array([""] * len(rows), dtype=object)
    column = next((name for name in rows.texts if name.casefold() in LANGUAGES), None)
    if column is not None:
        language = np.array([text or "" for text in rows.texts[column]], dtype=object)
    elif texts is not None:
        language = np.array([_script(text) for text in texts], dtype=object)
    return _Lengths(split, seconds, declared, measured, letters, language, np.zeros(len(rows), np.bool_))


def _script(text: str | None) -> str:
    """Whether a text is written in syllables and words rather than in sounds."""
    if not text:
        return ""
    dense = sum("\u2e80" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in text)
    return "dense" if 2 * dense > len(text) else ""


def _speaks(letters: NDArray[np.float64], seconds: NDArray[np.float64]) -> bool:
    """Whether longer texts go with longer recordings: captions of clips that were cut to one length do not."""
    one, two = (np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (letters, seconds))
    return float(np.ptp(letters)) > 0 and float(np.ptp(seconds)) > 0 and bool(np.corrcoef(one, two)[0, 1] >= LINKED)


def _line(letters: NDArray[np.float64], seconds: NDArray[np.float64]) -> tuple[float, float]:
    """The line of least absolute deviations, relative to the length: silence at the ends, and seconds of a letter."""
    weights = 1 / seconds
    base, slope = 0.0, float(np.median(seconds / letters))
    for _ in range(ROUNDS):
        x = np.stack([np.ones(len(letters)), letters], axis=1)
        residual = np.abs(seconds - base - slope * letters) / seconds
        own = np.sqrt(weights**2 / np.maximum(residual, 0.02))
        solved, *_ = np.linalg.lstsq(x * own[:, None], seconds * own, rcond=None)
        base, slope = float(solved[0]), float(solved[1])
        if base < 0 or slope <= 0:  # no recording takes less than its letters do
            return 0.0, float(np.median(seconds / letters))
    return base, slope


def _time(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{float(f'{seconds:.3g}'):g} s"
