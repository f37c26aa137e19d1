"""The promises about speed, and whether a run keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from benchmarks.scoring import Score

MB = 1e6


@dataclass(frozen=True)
class Figures:
    """What one contestant took for one data set: medians over the runs."""

    cpu: float
    """Seconds of user and system time of the whole process tree."""
    wall: float
    memory: float
    """Peak resident bytes of the tree."""
    runs: int = 1
    status: str = ""
    """What went wrong; empty if nothing did."""
    scores: Mapping[str, Score] | None = None


Measured = Mapping[tuple[str, str], Figures]
"""By data set and contestant."""


@dataclass(frozen=True)
class Verdict:
    """One promise and what came of it."""

    promise: str
    limit: float
    value: float | None
    """None where something that it needs was not measured."""
    at_least: bool = False
    unit: str = "x"
    why: str = ""

    @property
    def word(self) -> Literal["PASS", "FAIL", "not measured"]:
        """The verdict."""
        if self.value is None:
            return "not measured"
        return "PASS" if (self.value >= self.limit if self.at_least else self.value <= self.limit) else "FAIL"


FAST, WHOLE, AGAIN = "datalint --preset fast", "datalint", "datalint, second scan"
ONE, TWO = "datalint --preset fast --jobs 1", "datalint --preset fast --jobs 2"
PARSE, GROUPS, DRAFT = "limit: pyarrow CSV parse", "limit: pyarrow Parquet read", "limit: Pillow 1/4 draft decode"
START, HELP = "limit: interpreter + click --help", "datalint --help"
CLEANVISION, FASTDUP = "cleanvision", "fastdup"


def verdicts(measured: Measured) -> list[Verdict]:
    """All promises, in the order in which they are made."""

    def ratio(work: str, of: str, to: str, what: str = "cpu") -> float | None:
        a, b = measured.get((work, of)), measured.get((work, to))
        if a is None or b is None or a.status or b.status or not getattr(b, what):
            return None
        return float(getattr(a, what) / getattr(b, what))

    fast, big = measured.get(("T1", FAST)), measured.get(("T10", ONE))
    alone = measured.get(("T1", ONE))
    # One process each: T10 is large enough for workers, each of which has its libraries in memory.
    grown = None if alone is None or big is None or alone.status or big.status else big.memory / alone.memory
    resident = None if fast is None or fast.status else fast.memory / MB
    missed = _missed(measured, "I1", ONE, (CLEANVISION, FASTDUP))
    return [
        Verdict("start: `datalint --help` against the bare interpreter with click", 2, ratio("start", HELP, START)),
        Verdict("T1 CSV, all single-pass rules, CPU against a bare parse", 1.5, ratio("T1", FAST, PARSE)),
        Verdict("T1 CSV, all single-pass rules, peak memory", 500, resident, unit=" MB"),
        Verdict("T1 CSV, whole default rule set, CPU against a bare parse", 6, ratio("T1", WHOLE, PARSE)),
        Verdict("ten times the rows (T10), peak memory against T1", 1.2, grown),
        Verdict("I1, all image rules, CPU against a quarter-scale decode", 1.5, ratio("I1", ONE, DRAFT)),
        Verdict("I1, CPU against CleanVision", 1 / 15, ratio("I1", ONE, CLEANVISION)),
        Verdict("I1, CPU against fastdup", 1 / 8, ratio("I1", ONE, FASTDUP)),
        Verdict(
            "I1, planted faults that CleanVision or fastdup finds and datalint misses",
            0,
            None if missed is None else float(sum(missed.values())),
            unit="",
            why=", ".join(f"{kind} {count}" for kind, count in (missed or {}).items() if count),
        ),
        Verdict("T1, second scan of unchanged data, CPU against the first", 1 / 20, ratio("T1", AGAIN, WHOLE)),
        Verdict("I1, second scan of unchanged data, CPU against the first", 1 / 20, ratio("I1", AGAIN, WHOLE)),
        Verdict("I1, throughput of two workers against one", 1.7, ratio("I1", ONE, TWO, "wall"), at_least=True),
    ]


def _missed(measured: Measured, work: str, ours: str, peers: Iterable[str]) -> dict[str, int] | None:
    """By kind, the planted faults that a peer finds and we do not; None unless all were measured."""
    own = measured.get((work, ours))
    others = [measured.get((work, peer)) for peer in peers]
    if own is None or own.scores is None:
        return None
    missed: dict[str, set[object]] = {}
    for other in others:
        if other is None or other.scores is None:
            return None
        for kind, score in other.scores.items():
            mine = own.scores[kind].found if kind in own.scores else frozenset()
            missed.setdefault(kind, set()).update(score.found - mine)
    return {kind: len(items) for kind, items in missed.items()}
