"""AUD101 unreadable-audio."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Clean, Found, Planted, Problem, Problems, Profile, Severity, SoundStats, truncate
from datalint_rules._shared.sounds import SoundRule, cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class UnreadableAudio(SoundRule):
    """Recordings that cannot be decoded to their end: empty, cut short, damaged, or none at all; and wrong suffixes.

    Every file is decoded. A header that promises more than follows is a file that was cut short.

    ## Why it hurts

    The loader raises in the middle of an epoch, often hours in and in a worker process, or trains on half a sentence with
    its whole transcript. A recording without any length divides by zero, and a wrong suffix breaks loaders that choose
    the decoder by name.

    ## How to fix it

    Download or export the listed files again, or remove them from the set; rename files with a wrong suffix.

    ## When it is wrong

    Formats that datalint does not open under the suffix of one that it does. WAV with uncompressed values is read by
    itself; FLAC, OGG, MP3 and others need the extra ``audio``, without which they are counted here as not read.

    ## Reference

    37 reasons, item 1.
    """

    code = "AUD101"
    name = "unreadable-audio"
    severity: ClassVar[Severity] = "error"
    item = "1"
    public = frozenset({"files", "share"})
    measures = (Problems.reading("labels", "header", "pixels"), SoundStats)

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per split for broken files, one for wrong suffixes, one for those that were not read."""
        for split in profile.splits:
            found = [item for item in split[Problems].found if item[0] >= 0]
            groups: dict[str, list[tuple[int, int, Problem]]] = {}
            for item in found:
                kind: str = item[2].kind if item[2].kind in {"suffix", "not-scanned", "absent"} else "broken"
                groups.setdefault(kind, []).append(item)
            for group, (severity, words, consequence, remedy) in _SAID.items():
                mine = groups.get(group, [])
                if mine:
                    count = len(mine)
                    noun = f"{count:,} recording{'s' * (count > 1)}"
                    yield Found(
                        message=f"{noun} {words[count > 1]} ({_kinds(mine)})",
                        consequence=consequence,
                        remedy=remedy,
                        severity=severity,
                        confidence=0.99,
                        split=split.name,
                        subject=group,
                        evidence={"files": count, "share": count / max(split.samples, 1)},
                        cases=cases(split, [row for row, _, _ in mine], {"problem": [p.message for *_, p in mine]}),
                    )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Cut files short: one, up to 5 % at full strength."""
        return truncate(clean, strength, rng) if clean.files and clean.modality == "audio" else None


_SAID: dict[str, tuple[Severity, tuple[str, str], str, str]] = {
    "broken": (
        "error",
        ("cannot be decoded", "cannot be decoded"),
        "The loader stops at such a file in the middle of an epoch, or trains on what is left of it.",
        "Download or export the listed files again, or remove them from the set.",
    ),
    "absent": (
        "error",
        ("is not there", "are not there"),
        "A loader that follows the list stops there, or goes on without these samples.",
        "Fetch the files, or take them off the list.",
    ),
    "suffix": (
        "info",
        ("is of another format than the suffix says", "are of another format than the suffix says"),
        "Loaders that choose the decoder by the suffix fail on them.",
        "Rename the listed files by their content.",
    ),
    "not-scanned": (
        "info",
        ("was not read to its end", "were not read to their end"),
        "Nothing is known about what was not read.",
        "Install the extra that reads them, audio.",
    ),
}
"""By group: severity, words for one and for several, consequence and remedy."""


def _kinds(found: list[tuple[int, int, Problem]]) -> str:
    words = {
        "truncated": "cut short",
        "empty": "without any sound",
        "unreadable": "damaged or no recording",
        "pointer": "Git LFS pointer",
    }
    counts: dict[str, int] = {}
    for _, _, problem in found:
        word = words.get(problem.kind, problem.message)
        counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
    return ", ".join(
        f"{count:,} {word}" if len(found) > 1 or word in words.values() else word for word, count in ordered
    )
