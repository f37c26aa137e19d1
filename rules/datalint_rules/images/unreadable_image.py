"""IMG103 unreadable-image."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Found,
    ImageHeaders,
    Planted,
    Problem,
    Problems,
    Profile,
    Rule,
    Severity,
    SplitProfile,
    truncate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnreadableImage(Rule):
    """Image files that cannot be decoded: truncated, damaged, empty, or no image at all; and wrong suffixes.

    Every file is decoded to its end, with the formats datalint trusts, below a pixel budget.

    ## Why it hurts

    The loader raises in the middle of an epoch, often hours in and in a worker process, or skips the file and shifts
    what comes after it. A wrong suffix breaks loaders that choose the decoder by name.

    ## How to fix it

    Download or export the listed files again, or remove them from the set; rename files with a wrong suffix.

    ## When it is wrong

    Formats that datalint does not open (it opens JPEG, PNG, BMP, GIF, TIFF, WebP and PNM) under one of their suffixes.

    ## Reference

    37 reasons, item 1.
    """

    code = "IMG103"
    name = "unreadable-image"
    severity: ClassVar[Severity] = "error"
    item = "1"
    repair = "drop"
    modalities = frozenset({"images"})
    public = frozenset({"files", "share"})
    # Truncation shows only when every pixel is decoded.
    measures = (Problems.reading("labels", "header", "pixels"), ImageHeaders)

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per split for broken files, one for wrong suffixes."""
        for split in profile.splits:
            found = [item for item in split[Problems].found if item[0] >= 0 and item[2].kind != "not-finite"]
            broken = [item for item in found if item[2].kind != "suffix"]
            misnamed = [item for item in found if item[2].kind == "suffix"]
            if broken:
                yield Found(
                    message=f"{_count(broken)} cannot be decoded ({_kinds(broken)})",
                    consequence="The loader stops at such a file in the middle of an epoch, or silently skips it.",
                    remedy="Download or export the listed files again, or remove them from the set.",
                    confidence=0.999,
                    split=split.name,
                    subject="broken",
                    evidence={"files": len(broken), "share": len(broken) / max(split.samples, 1)},
                    cases=_cases(split, broken),
                )
            if misnamed:
                yield Found(
                    message=f"{_count(misnamed)} of another format than the suffix says",
                    consequence="Loaders that choose the decoder by the suffix fail on them.",
                    remedy="Rename the listed files by their content.",
                    severity="info",
                    confidence=0.999,
                    split=split.name,
                    subject="suffix",
                    evidence={"files": len(misnamed)},
                    cases=_cases(split, misnamed),
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Cut image files short: one, up to 5 % at full strength."""
        return truncate(clean, strength, rng) if clean.files else None


def _count(found: list[tuple[int, int, Problem]]) -> str:
    return (
        f"{len(found):,} image files are"
        if "suffix" in {p.kind for _, _, p in found} and len(found) > 1
        else (
            "1 image file is" if found[0][2].kind == "suffix" else f"{len(found):,} image file{'s' * (len(found) > 1)}"
        )
    )


def _kinds(found: list[tuple[int, int, Problem]]) -> str:
    words = {
        "truncated": "truncated or damaged",
        "empty": "empty",
        "unreadable": "no image",
        "pointer": "Git LFS pointer",
        "not-scanned": "too large",
    }
    counts: dict[str, int] = {}
    for _, _, problem in found:
        counts[words[problem.kind]] = counts.get(words[problem.kind], 0) + 1
    return ", ".join(
        f"{count:,} {word}" for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _cases(split: SplitProfile, found: list[tuple[int, int, Problem]]) -> Cases:
    places = split[ImageHeaders].places.take(np.array([row for row, _, _ in found], np.int64))
    return Cases(split.name, places, {"problem": [problem.message for _, _, problem in found]})
