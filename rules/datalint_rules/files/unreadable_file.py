"""FIL101 unreadable-file."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Dataset,
    Found,
    Measurement,
    NumberStats,
    Planted,
    Problem,
    Problems,
    Profile,
    Rule,
    Severity,
    break_shards,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class UnreadableFile(Rule):
    """Tables and arrays that cannot be read as data, in whole or in part, and files that were left out of the scan.

    Covers damaged and empty files, Git LFS pointers in place of data, pickled arrays (never opened), rows with a wrong
    number of fields, labels that do not match their inputs, missing shards, pictures that a table names and that are not
    there, and links that lead out of the folder.

    ## Why it hurts

    Training stops at the file, or, worse, a lenient reader drops what it cannot parse and trains on the rest.

    ## How to fix it

    Fetch the file again (``git lfs pull``, ``dvc pull``), or mend the rows that the finding lists.

    ## When it is wrong

    Files next to the data that are not data; they are reported as info only.

    ## Reference

    37 reasons, item 1.
    """

    code = "FIL101"
    name = "unreadable-file"
    severity: ClassVar[Severity] = "error"
    item = "1"
    repair = "leave-out"
    tells_damage = True
    public = frozenset({"files"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Tables must be read to their end to know."""
        return (Problems, NumberStats) if dataset.modality == "table" else (Problems,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per kind of problem."""
        met = [problem for split in profile.splits for _, _, problem in split[Problems].found]
        problems = [*profile.dataset.problems, *(problem for problem in met if problem.position < 0)]
        kinds: dict[str, list[Problem]] = {}
        for problem in problems:
            group = "damaged" if problem.kind in {"unreadable", "truncated", "empty", "failed"} else problem.kind
            kinds.setdefault(group, []).append(problem)
        for group in ("damaged", "absent", "pointer", "ragged", "not-scanned", "unseen"):
            found = kinds.get(group, [])
            if found:
                yield _found(group, sorted(dict.fromkeys(found), key=lambda problem: problem.path))

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Spoil shards of the training table on disk: cut short, emptied, or left as a pointer; one, up to half of them."""
        return break_shards(clean, strength, rng) if clean.tables else None


_WORDS: dict[str, tuple[Severity, str, str]] = {
    "damaged": (
        "error",
        "Training stops here, or goes on without these samples.",
        "Fetch or write the file again; until then these samples are missing.",
    ),
    "absent": (
        "error",
        "A loader that follows the list stops there, or goes on without these samples.",
        "Fetch the files, or take them off the list.",
    ),
    "pointer": ("error", "Training reads the pointer's text instead of data.", "Fetch the data: git lfs pull."),
    "ragged": (
        "warning",
        "Strict readers stop; lenient ones drop or shift values.",
        "Mend these rows: quote fields that hold the delimiter, or drop them on purpose.",
    ),
    "not-scanned": (
        "info",
        "Nothing is known about it.",
        "If it is meant to be data, move or rename it so that it is read.",
    ),
    "unseen": (
        "info",
        "Nothing is known about what these columns hold; rows that differ in them alone are no duplicates.",
        "If models learn from them, store what they hold in columns of numbers and texts to have it judged.",
    ),
}
"""Severity, consequence and remedy of each kind of problem."""


def _found(group: str, problems: list[Problem]) -> Found:
    severity, consequence, remedy = _WORDS[group]
    first = problems[0]
    left_out = " was left out of the scan" if group == "not-scanned" else ""
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    return Found(
        message=f"{first.path}{left_out}: {first.message}{more}",
        consequence=consequence,
        remedy=remedy,
        severity=severity,
        confidence=0.999 if group != "not-scanned" else 0.9,
        # One place per kind of problem: the files are named in the finding, so a new one is no new finding.
        subject=group,
        evidence={"files": len({problem.path for problem in problems})},
        files=[(problem.path, problem.message) for problem in problems],
    )
