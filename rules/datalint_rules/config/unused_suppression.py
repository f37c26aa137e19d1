"""CFG101."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    AllWell,
    Clean,
    Found,
    Planted,
    Profile,
    Rule,
    Severity,
    Silence,
    SilenceKind,
    are,
    counted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class UnusedSuppression(Rule):
    """An ignore, a suppression or a baseline entry that silences nothing, or a suppression that has expired.

    It is judged once per scan, after all other rules, and stands with the first data set. An entry is judged only
    where its rules ran: what `--select`, `--preset fast` or a missing label kept from running is not called unused.

    ## Why it hurts

    What silences nothing today will silence the next fault of that kind, which nobody has looked at; a mistyped
    column or file name leaves the finding that it was meant for in the report. An expired suppression no longer
    counts: its finding is back.

    ## How to fix it

    Delete the entry, or correct the name in it; `datalint baseline PATH --prune` removes what the baseline no longer
    needs. Look at an expired suppression again and give it a new day, or mend the data.

    ## When it is wrong

    Where one file configures several data sets that are scanned one at a time, entries for one of them are unused in
    the scans of the others: name the files in them (`file = "..."`), or leave this rule out.

    ## Reference

    Ruff's RUF100, ESLint's unused suppressions.
    """

    code = "CFG101"
    name = "unused-suppression"
    severity: ClassVar[Severity] = "warning"
    item = "-"
    audits = True

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding for each kind of entry."""
        silences = profile.silences
        expired = [silence for silence in silences if silence.state == "expired"]
        if expired:
            yield self._found(
                expired,
                "expired",
                f"{counted(len(expired), 'suppression')} expired and no longer {'counts' if len(expired) == 1 else 'count'}",
                "Look at the finding again: give the suppression a new day, or delete it.",
                "What it silenced is reported again.",
            )
        kinds: tuple[tuple[SilenceKind, str], ...] = (("ignore", "ignore"), ("suppression", "suppression"))
        for kind, noun in kinds:
            unused = _unused(silences, kind)
            if unused:
                yield self._found(
                    unused,
                    kind,
                    f"{counted(len(unused), noun)} of {_number(silences, kind)} silenced nothing in this scan",
                    "Delete the entry, or correct the names in it.",
                    "It will silence the next fault of that kind, which nobody has looked at.",
                )
        stale = _unused(silences, "baseline")
        if stale:
            number = _number(silences, "baseline")
            yield self._found(
                stale,
                "baseline",
                f"{len(stale):,} of {number} findings in the baseline {are(len(stale))} no longer there",
                "Remove what is mended with `datalint baseline PATH --prune`.",
                "If the fault comes back, the baseline hides it.",
                "info",
            )
        if not silences:
            raise AllWell("nothing is silenced")

    def _found(
        self,
        entries: list[Silence],
        subject: str,
        message: str,
        remedy: str,
        consequence: str,
        severity: Severity | None = None,
    ) -> Found:
        by_file: dict[str, list[Silence]] = {}
        for entry in entries:
            by_file.setdefault(entry.file, []).append(entry)
        more = f" and {len(entries) - 3:,} more" if len(entries) > 3 else ""
        return Found(
            message=f"{message}: {'; '.join(entry.text for entry in entries[:3])}{more}",
            remedy=remedy,
            consequence=consequence,
            severity=severity,
            subject=subject,
            confidence=1.0,
            evidence={"entries": [{"file": entry.file, "entry": entry.text} for entry in entries]},
            files=[(file, counted(len(own), "entry")) for file, own in by_file.items()],
            count=len(entries),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Configure suppressions that expired long ago, one to ten."""
        gone = [
            {"fingerprint": rng.bytes(10).hex(), "reason": "looked at", "expires": "2001-01-01"}
            for _ in range(1 + round(9 * strength))
        ]
        return Planted(dataclasses.replace(clean, config={"suppressions": gone}))


def _unused(silences: tuple[Silence, ...], kind: SilenceKind) -> list[Silence]:
    return [silence for silence in silences if silence.kind == kind and silence.state == "unused"]


def _number(silences: tuple[Silence, ...], kind: SilenceKind) -> str:
    return f"{sum(silence.kind == kind for silence in silences):,}"
