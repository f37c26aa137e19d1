"""
How often each rule is right: ``python -m benchmarks.detection``.

Clean reference sets (bundled with scikit-learn or generated, tables and images; shuffled, split or generated anew with every
seed) are scanned as they are, which gives the false alarms, and with each rule's own fault planted at three strengths,
which gives the detection rate and how well the faulty samples are named. An alarm is a finding of warning or error; a
finding of info counts neither as alarm nor as detection. Prints one line per rule and writes ``detection.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the reference sets are small: threads only get into each other's way

from datalint.registry import all_rules
from datalint.testing import alarms, judge, plant, scan, status
from tests.reference import clean_sets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.planting import Clean
    from datalint.report.models import Report
    from datalint.rule import Rule
    from datalint.testing import Hit

STRENGTHS = (0.0, 0.5, 1.0)
WANTED = 0.95
OUT = Path(__file__).with_name("detection.json")


@dataclass
class Tally:
    """What was counted for one rule."""

    scans: int = 0
    alarms: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By clean set."""
    seconds: list[float] = field(default_factory=list)
    """CPU seconds of scans with this rule alone."""
    hits: dict[float, list[Hit]] = field(default_factory=lambda: defaultdict(list))
    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Undetected faults by set."""


def interval(count: int, trials: int) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    z, p = 1.96, count / trials
    middle, scale = p + z * z / (2 * trials), 1 + z * z / trials
    spread = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def timed(data: Clean, *rules: type[Rule]) -> tuple[Report, float]:
    """A scan and its CPU seconds."""
    start = time.process_time()
    report = scan(data, *rules)
    return report, time.process_time() - start


def clean_scans(rules: list[type[Rule]], tallies: dict[str, Tally], seeds: Iterable[int], trained: int) -> int:
    """Count alarms on clean sets: all quick rules in one scan, those that train a model for the first seeds only."""
    quick = [rule for rule in rules if not rule.trains]
    noisy = 0
    for k, seed in enumerate(seeds):
        for data in clean_sets(seed):
            chosen = rules if k < trained else quick
            report = scan(data, *chosen)
            noisy += not report.ok("warning")
            for rule in chosen:
                if status(report, rule).status in {"found", "passed"}:
                    tallies[rule.code].scans += 1
                    tallies[rule.code].alarms[data.name] += bool(alarms(report, rule))
    return noisy


def planted_scans(rule: type[Rule], tally: Tally, seeds: Iterable[int]) -> None:
    """Plant the rule's fault into every clean set that it judges."""
    for seed in seeds:
        for data in clean_sets(seed):
            report, seconds = timed(data, rule)
            if status(report, rule).status not in {"found", "passed"}:
                continue
            tally.seconds.append(seconds)
            for strength in STRENGTHS:
                fault = plant(rule, data, strength, seed)
                if fault is not None:
                    hit = judge(rule, fault, scan(fault.data, rule))
                    tally.hits[strength].append(hit)
                    tally.missed[data.name] += not hit.found


def summary(rule: type[Rule], tally: Tally) -> dict[str, Any]:
    """The figures of one rule."""
    count = sum(tally.alarms.values())
    low, high = interval(count, tally.scans)
    detection = {}
    for strength in STRENGTHS:
        hits = tally.hits[strength]
        found = sum(hit.found for hit in hits)
        bounds = interval(found, len(hits))
        detection[f"{strength:g}"] = {
            "planted": len(hits),
            "found": found,
            "rate": round(found / max(len(hits), 1), 4),
            "low": round(bounds[0], 4),
            "high": round(bounds[1], 4),
        }
    enough = [s for s in STRENGTHS if tally.hits[s] and float(detection[f"{s:g}"]["rate"]) >= WANTED]
    named = [hit for hits in tally.hits.values() for hit in hits if hit.found and hit.precision is not None]
    return {
        "rule": rule.name,
        "severity": rule.severity,
        "clean_scans": tally.scans,
        "false_alarms": count,
        "false_alarms_per_1000": round(1000 * count / max(tally.scans, 1), 2),
        "false_alarms_per_1000_interval": [round(1000 * low, 2), round(1000 * high, 2)],
        "alarming_sets": {name: n for name, n in sorted(tally.alarms.items()) if n},
        "detection": detection,
        "smallest_strength_detected_in_95_percent": min(enough, default=None),
        "elsewhere": sum(hit.elsewhere for hits in tally.hits.values() for hit in hits),
        "precision": _mean([hit.precision for hit in named]),
        "recall": _mean([hit.recall for hit in named]),
        "missed_sets": {name: n for name, n in sorted(tally.missed.items()) if n},
        "cpu_ms": round(1000 * sum(tally.seconds) / max(len(tally.seconds), 1), 1),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def row(code: str, figures: dict[str, Any]) -> str:
    """One line of the table."""
    rates = [figures["detection"][f"{s:g}"] for s in STRENGTHS]
    shown = "  ".join(f"{100 * rate['rate']:5.1f}" if rate["planted"] else "    -" for rate in rates)
    low, high = figures["false_alarms_per_1000_interval"]
    naming = "  ".join(
        "   -" if value is None else f"{value:4.2f}" for value in (figures["precision"], figures["recall"])
    )
    return (
        f"{code}  {figures['rule']:24}  {shown}  {rates[0]['planted']:4}  "
        f"{figures['false_alarms_per_1000']:6.1f} ({low:.1f} to {high:.1f}) of {figures['clean_scans']:<5}  "
        f"{naming}  {figures['cpu_ms']:7.1f}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run it; exit status 1 if a rule gives more than 5 false alarms per 1,000 clean scans."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the scans; writes nothing")
    quick = parser.parse_args(arguments).quick
    rules = all_rules()
    tallies = {rule.code: Tally() for rule in rules}
    clean_seeds, trained_seeds = (6, 1) if quick else (53, 5)
    noisy = clean_scans(rules, tallies, range(100, 100 + clean_seeds), trained_seeds)
    for rule in rules:
        seeds = (1 if rule.trains else 2) if quick else (2 if rule.trains else 5)
        planted_scans(rule, tallies[rule.code], range(seeds))
    figures = {rule.code: summary(rule, tallies[rule.code]) for rule in rules}
    print("detection: share of planted faults found at strength 0, 0.5 and 1, in percent (n per strength)")
    print("false alarms: warnings and errors per 1,000 clean scans (95 % interval); naming: of faulty samples\n")
    print(f"{'':34}  {'detection':19}  {'n':>4}  {'false alarms':34}  {'prec.':>4} {'rec.':>4}  {'CPU ms':>6}")
    for code, item in figures.items():
        print(row(code, item))
    total = clean_seeds * len(clean_sets())
    print(f"\n{total - noisy:,} of {total:,} clean scans are free of warnings and errors")
    for code, item in figures.items():
        for name, where in (("alarms on", item["alarming_sets"]), ("missed in", item["missed_sets"])):
            if where:
                print(f"{code} {name} " + ", ".join(f"{data} ({n})" for data, n in where.items()))
    if not quick:
        clean = {"scans": total, "free_of_warnings_and_errors": total - noisy}
        OUT.write_text(json.dumps({"clean": clean, "rules": figures}, indent=1) + "\n")
    return int(any(item["false_alarms_per_1000"] > 5 for item in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
