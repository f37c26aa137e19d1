"""Preflight: what is said of sound loops, of planted faults and of the bugs of published studies.

`python -m benchmarks.preflight [--seeds 3] [--plants N] [--only sound,plants,published]`, with PyTorch. Prints a line for each miss
and the bars at the end; exit 1 when a bar is missed. `--plants` is the number of sound loops, as many as can hold it, that each
rule's fault is put into (default: all).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import datalint
from benchmarks.loops import LOOPS, made
from benchmarks.published import FAULTS
from datalint.rules.registry import loop_rules

if TYPE_CHECKING:
    from datalint.report.models import Report

FOUND, FIRST, FOLLOW_UPS, PUBLISHED = 0.95, 0.95, 1, 0.75
"""Bars: share of plants that are found, and that lead; other findings next to one; share of the published bugs that lead."""


def tried(model: Any, loss: Any, loader: Any, optimizer: Any) -> tuple[Report, list[str], float]:
    """The report, the codes of what it raises, the worst first, and CPU seconds."""
    started = time.process_time()
    report = datalint.preflight(model, loss, loader, optimizer, config=False, budget=120)
    spent = time.process_time() - started
    found = [f for f in report.datasets[0].leading if f.severity != "info"]
    return report, list(dict.fromkeys(f.code for f in found)), spent


def sound(seeds: int) -> bool:
    """No loop that is sound raises a warning or an error, and no probe breaks down."""
    wrong, times = 0, []
    for make in LOOPS:
        for seed in range(seeds):
            loop = made(make, seed)
            report, codes, spent = tried(*_parts(loop))
            broken = [rule.code for rule in report.datasets[0].rules if rule.status == "failed"]
            times.append(spent)
            if codes or broken:
                wrong += 1
                print(
                    f"  {make.__name__}, seed {seed}: {' '.join(codes)} {'failed: ' * bool(broken)}{' '.join(broken)}"
                )
    print(
        f"sound: {wrong} of {len(times)} raise an alarm (bar: none); CPU seconds {statistics.median(times):.1f} in the middle, "
        f"{max(times):.1f} at most"
    )
    return wrong == 0


def plants(most: int) -> bool:
    """Each rule's fault, in each sound loop that can hold it, is found and leads."""
    total = found = first = crowded = 0
    for rule in loop_rules():
        hosts = 0
        for make in LOOPS:
            broken = rule.plant(made(make, 1), np.random.default_rng(0)) if hosts < most else None
            if broken is None:
                continue
            hosts += 1
            report, codes, _ = tried(*_parts(broken))
            told = codes
            if rule.severity == "info":  # next to what is said of the sound loop
                known = _noted(tried(*_parts(made(make, 1)))[0])
                told = [code for code in _noted(report) if code not in known]
            total, found, first = total + 1, found + (rule.code in told), first + (told[:1] == [rule.code])
            crowded += len(codes) > 1 + FOLLOW_UPS
            if told[:1] != [rule.code]:
                print(f"  {rule.code} in {make.__name__}: {' '.join(told) or 'nothing'}")
    print(
        f"plants: {found} of {total} found (bar: {FOUND:.0%}), {first} lead (bar: {FIRST:.0%}), {crowded} with more than "
        f"{FOLLOW_UPS} other finding"
    )
    return found >= FOUND * total and first >= FIRST * total


def _noted(report: Report) -> list[str]:
    """Codes of mere notes."""
    return [f.code for f in report.datasets[0].leading if f.severity == "info"]


def _parts(loop: Any) -> tuple[Any, Any, Any, Any]:
    return loop.model, loop.loss, loop.loader, loop.optimizer


def published() -> bool:
    """The bugs of published studies are named first."""
    named = alarms = 0
    for name, (make, accepted) in FAULTS.items():
        torch.manual_seed(0)
        _, codes, _ = tried(*make())
        alarms += bool(codes)
        named += codes[:1] != [] and codes[0] in accepted
        if not codes or codes[0] not in accepted:
            print(f"  {name}: {' '.join(codes) or 'nothing'}, expected {' or '.join(sorted(accepted))}")
    print(f"published: {named} of {len(FAULTS)} named first (bar: {PUBLISHED:.0%}), an alarm in {alarms}")
    return named >= PUBLISHED * len(FAULTS)


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plants", type=int, default=len(LOOPS))
    parser.add_argument("--only", default="sound,published,plants")
    typed = parser.parse_args()
    runs = {"sound": lambda: sound(typed.seeds), "published": published, "plants": lambda: plants(typed.plants)}
    return 0 if all(tuple(runs[name]() for name in typed.only.split(","))) else 1


if __name__ == "__main__":
    sys.exit(main())
