"""The two kinds of work of the detection benchmark: scans of clean data, and scans of data with one rule's fault."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks.families import all_sets
from datalint.registry import find_rule
from datalint.testing import alarms, judge, plant, scan, status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.planting import Clean
    from datalint.report.models import Report
    from datalint.rule import Rule

JUDGED = frozenset({"found", "passed"})


def timed(data: Clean, *rules: type[Rule]) -> tuple[Report, float]:
    """A scan and its CPU seconds."""
    start = time.process_time()
    report = scan(data, *rules, cache=False, jobs=1)
    return report, time.process_time() - start


def clean_trial(seed: int, codes: Sequence[str], trained: bool) -> dict[str, Any]:
    """
    Scan every clean set of one seed.

    Args:
        seed: of the data.
        codes: the rules.
        trained: whether to run those that train a model.

    Returns:
        Scans and alarms by rule, alarms by rule and set, and how many sets were free of any alarm.
    """
    rules = [rule for rule in map(find_rule, codes) if trained or not rule.trains]
    scans: Counter[str] = Counter()
    alarming: dict[str, list[str]] = {}
    failed: dict[str, str] = {}
    quiet = 0
    sets = all_sets(seed) if rules else ()
    for data in sets:
        report, _ = timed(data, *rules)
        quiet += report.ok("warning")
        for rule in rules:
            state = status(report, rule)
            scans[rule.code] += state.status in JUDGED
            if state.status == "failed":
                failed[rule.code] = f"{data.name}, seed {seed}: {state.reason}"
            if found := alarms(report, rule):
                alarming.setdefault(rule.code, []).append(f"{data.name}, seed {seed}: {found[0].message}")
    return {"sets": len(sets), "quiet": quiet, "scans": dict(scans), "alarming": alarming, "failed": failed}


def planted_trial(code: str, seeds: tuple[int, int], strengths: Sequence[float], enough: int) -> dict[str, Any]:
    """
    Plant one rule's fault into every clean set that it judges.

    Args:
        code: of the rule.
        seeds: how many to try at least, and at most where few sets can hold the fault.
        strengths: of the fault.
        enough: faults of each strength.
    """
    rule = find_rule(code)
    hits: list[dict[str, Any]] = []
    seconds: list[float] = []
    for seed in range(seeds[1]):
        if seed >= seeds[0] and (not hits or len(hits) >= enough * len(strengths)):
            break
        for data in all_sets(seed):
            if data.modality not in rule.modalities:
                continue
            before, cost = timed(data, rule)
            if status(before, rule).status not in JUDGED:
                continue
            seconds.append(cost)
            for strength in strengths:
                fault = plant(rule, data, strength, seed)
                if fault is None:
                    continue
                report = scan(fault.data, rule, cache=False, jobs=1)
                hit = judge(rule, fault, report)
                mild = not hit.found and any(finding.code == code for finding in report.findings)
                hits.append(
                    {
                        "set": data.name,
                        "seed": seed,
                        "strength": strength,
                        "found": hit.found,
                        "mild": mild,
                        "elsewhere": hit.elsewhere,
                        "precision": hit.precision,
                        "recall": hit.recall,
                    }
                )
    return {"hits": hits, "seconds": seconds}
