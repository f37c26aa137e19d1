"""How often rules were right when they were measured: each pack ships the figures of its rules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from datalint.rules.packs import pack_folders

FILE = "detection.json"
"""In the pack's folder: by code, the fields of :class:`Figures`."""


@dataclass(frozen=True)
class Figures:
    """What was measured of one rule."""

    promise: float
    """Strength of its own fault, 0 (barely there) to 1 (blatant), for which detection is told."""
    planted: int
    """Faults of that strength that were planted into clean data."""
    found: int
    found_from: float | None
    """Smallest strength from which 95 % were found; None if that is none."""
    clean_scans: int
    false_alarms: int
    """Clean scans with a warning or error of this rule."""
    at_most_per_1000: float
    """Upper end of the 95 % interval of false alarms per 1,000 clean scans."""
    precision: float | None = None
    """Share of the samples it names that are faulty; None for a rule that names none."""
    recall: float | None = None
    """Share of the faulty samples that it names, of faults that it finds."""
    clean_sets: int | None = None
    """How many different data sets the clean scans are of: each was drawn or shuffled many times."""
    cpu_ms: float | None = None
    """CPU time of one of these scans with this rule alone, in milliseconds."""

    def short(self) -> str:
        """In one line, for a finding."""
        found = f"finds {self.found:,} of {self.planted:,} planted faults; " if self.planted else ""
        return f"{found}{self.false_alarms:,} false alarms in {self.clean_scans:,} clean scans"

    def sentences(self) -> list[str]:
        """All of it, for the rule's page."""
        strength = f"strength {self.promise:g} (0 is barely there, 1 blatant)"
        said = []
        if self.planted:
            said.append(f"Found {self.found:,} of {self.planted:,} faults planted into clean data at {strength}.")
        if self.found_from is not None:
            said.append(f"At least 95 % are found from strength {self.found_from:g}.")
        of = f" of {self.clean_sets:,} data sets" if self.clean_sets else ""
        said.append(
            f"False alarms: {self.false_alarms:,} in {self.clean_scans:,} clean scans{of} "
            f"(at most {self.at_most_per_1000:g} per 1,000, with 95 % confidence)."
        )
        if self.precision is not None and self.recall is not None:
            said.append(
                f"Of the samples it names {self.precision:.0%} are faulty, and it names {self.recall:.0%} of the faulty ones."
            )
        if self.cpu_ms is not None:
            said.append(
                f"A scan of such a data set (some hundred samples) with it alone takes {self.cpu_ms:.0f} ms of CPU."
            )
        return said


def all_figures() -> dict[str, Figures]:
    """By code, of every rule of an installed pack that was measured."""
    found: dict[str, Figures] = {}
    for folder in pack_folders():
        try:
            told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for code, item in told.items():
            figures = _figures(item)
            if figures is not None:
                found.setdefault(code, figures)
    return found


def _figures(item: Any) -> Figures | None:
    """A record of a pack, if it is one that this version knows."""
    try:
        return Figures(**item)
    except TypeError:
        return None
