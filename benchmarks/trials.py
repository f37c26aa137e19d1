"""The two kinds of work of the detection benchmark: scans of clean data, and scans of data with one rule's fault."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.families import SETS, clean_set
from datalint.rules.registry import find_rule
from datalint.testing import alarms, judge, plant, scan, status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.core.clean import Clean
    from datalint.report.models import Report
    from datalint.rules.base import Rule

JUDGED = frozenset({"found", "passed"})

PLANTED_SEED = 5_000
"""First seed of the data into which faults are planted: neither that of the tests nor that of the clean scans."""

MOST_SEEDS = 60
"""Of planted faults, where few sets can hold them."""


def timed(data: Clean, *rules: type[Rule]) -> tuple[Report, float]:
    """A scan and its CPU seconds."""
    start = time.process_time()
    report = scan(data, *rules, cache=False, jobs=1)
    return report, time.process_time() - start


def clean_trial(seed: int, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Scan clean sets of one seed, each once with all the rules that are asked for.

    Args:
        seed: of the data.
        wanted: codes of rules by name of the set.

    Returns:
        By set and rule: ``judged``, whether it came to a verdict; ``alarm``, the severity and the message of its first
        alarm; ``failed``, the reason if it broke down.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, codes in wanted.items():
        data = clean_set(name, seed)
        rules = [rule for rule in map(find_rule, codes) if data.modality in rule.modalities]
        found[name] = {code: {"judged": False} for code in codes}
        if rules:
            report, _ = timed(data, *rules)
            found[name] |= {rule.code: outcome(report, rule) for rule in rules}
    return found


def outcome(report: Report, rule: type[Rule]) -> dict[str, Any]:
    """What a rule said of a clean set."""
    state = status(report, rule)
    said: dict[str, Any] = {"judged": state.status in JUDGED}
    if state.status == "failed":
        said["failed"] = state.reason
    if found := alarms(report, rule):
        said["alarm"] = [found[0].severity, found[0].message]
    return said


def planted_trial(code: str, strengths: Sequence[float], enough: int, most: int = MOST_SEEDS) -> dict[str, Any]:
    """Plant one rule's fault into every clean set that it judges, with seed after seed until there are enough.

    The first seed takes all sets; of later ones the last may be cut short. A set in which the rule finds something already
    is passed over: that is a false alarm, and counted as one among the clean scans.

    Args:
        code: of the rule.
        strengths: of the fault.
        enough: faults of each strength.
        most: seeds to try.
    """
    rule = find_rule(code)
    hits: list[dict[str, Any]] = []
    seconds: list[float] = []
    useful: set[str] = set()
    names = list(SETS)
    for k in range(most):
        for place in np.random.default_rng(k).permutation(len(names)):
            counts = [sum(hit["strength"] == strength for hit in hits) for strength in strengths]
            if k and min(counts) >= enough:
                return {"hits": hits, "seconds": seconds}
            tried = _one_set(rule, names[place], PLANTED_SEED + k, strengths, seconds)
            hits += tried
            if tried:
                useful.add(names[place])
        if k:  # what held no fault with two seeds hardly will with another
            names = [name for name in names if name in useful]
    return {"hits": hits, "seconds": seconds}


def _one_set(
    rule: type[Rule], name: str, seed: int, strengths: Sequence[float], seconds: list[float]
) -> list[dict[str, Any]]:
    """The faults of one set; ``seconds`` gets the CPU time of the scan of the clean one."""
    data = clean_set(name, seed)
    if data.modality not in rule.modalities:
        return []
    faults = {strength: plant(rule, data, strength, seed) for strength in strengths}
    if not any(faults.values()):
        return []
    before, cost = timed(data, rule)
    if status(before, rule).status not in JUDGED or alarms(before, rule):
        return []
    seconds.append(cost)
    hits = []
    for strength, fault in faults.items():
        if fault is None:
            continue
        report = scan(fault.data, rule, cache=False, jobs=1)
        hit = judge(rule, fault, report)
        hits.append(
            {
                "set": data.name,
                "seed": seed,
                "strength": strength,
                "found": hit.found,
                "mild": not hit.found and any(finding.code == rule.code for finding in report.findings),
                "elsewhere": hit.elsewhere,
                "precision": hit.precision,
                "recall": hit.recall,
            }
        )
    return hits
