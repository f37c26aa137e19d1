"""Preflight: what is said of sound loops, of planted faults and of the bugs of published studies.

`python -m benchmarks.preflight [--seeds 3] [--only sound,published,unseen,plants] [--plants N] [--rules PRE101,...] [--loops a,...]`,
with PyTorch. Prints a line for each miss and the bars at the end; exit 1 when a bar is missed. `--plants` is the number of sound
loops, as many as can hold it, that each rule's fault is put into; `--rules` and `--loops` choose the rules whose faults are planted
and the loops that hold them (default: all).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import datalint
from benchmarks.loops import LOOPS, made
from benchmarks.published import FAULTS
from benchmarks.unseen.broken import BROKEN
from benchmarks.unseen.sound import SOUND
from datalint.rules.registry import loop_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.report.models import Report
    from datalint.rules.base import LoopRule

FOUND, FIRST, FOLLOW_UPS, PUBLISHED = 0.95, 0.95, 1, 0.75
"""Bars: shares of plants that are found, and that lead; other findings next to one; share of the published bugs that lead."""


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


def plants(most: int, codes: frozenset[str], names: frozenset[str]) -> bool:
    """Each rule's fault, in each sound loop that can hold it, is found, leads, and brings few others."""
    rules = [rule for rule in loop_rules() if not codes or rule.code in codes]
    hosts = dict.fromkeys((rule.code for rule in rules), 0)
    total, found, first, clear = 0, 0, 0, 0
    for make in LOOPS:  # loop by loop, so that each rule's first plants come early
        for rule in rules:
            if hosts[rule.code] >= most or (names and make.__name__ not in names):
                continue
            broken = rule.plant(made(make, 1), np.random.default_rng(0))
            if broken is None or (rule.severity == "info" and rule.code in _of_sound(make)):
                continue
            hosts[rule.code] += 1
            told = _told(rule, make, broken)
            total += 1
            found += rule.code in told
            first += told[:1] == [rule.code]
            clear += told[:1] == [rule.code] and len(told) <= 1 + FOLLOW_UPS
            if told[:1] != [rule.code] or len(told) > 1 + FOLLOW_UPS:
                print(f"  {rule.code} in {make.__name__}: {' '.join(told) or 'nothing'}", flush=True)
    print(
        f"plants: {found} of {total} found (bar: {FOUND:.0%}), {first} lead (bar: {FIRST:.0%}), {clear} of them with at most "
        f"{FOLLOW_UPS} other finding"
    )
    return min(found / FOUND, first / FIRST, clear / FIRST) >= total


def _told(rule: type[LoopRule], make: Any, broken: Any) -> list[str]:
    """What is said of a broken loop, the worst first; of a fault that is noted alone, what is not noted of the sound loop."""
    report, codes, _ = tried(*_parts(broken))
    if rule.severity != "info":
        return codes
    return codes + [code for code in _noted(report) if code not in _of_sound(make)]


@cache
def _of_sound(make: Any) -> list[str]:
    """What is noted of a sound loop."""
    return _noted(tried(*_parts(made(make, 1)))[0])


def _noted(report: Report) -> list[str]:
    """Codes of mere notes."""
    return [f.code for f in report.datasets[0].leading if f.severity == "info"]


def _parts(loop: Any) -> tuple[Any, Any, Any, Any]:
    return loop.model, loop.loss, loop.loader, loop.optimizer


def published() -> bool:
    """The bugs of published studies are named first."""
    return _named(FAULTS, 1, "published")


def unseen(seeds: int) -> bool:
    """Loops that no rule was written on: the fault of each broken one is named first, and of sound ones nothing is said."""
    named = _named(BROKEN, seeds, "unseen, broken")
    wrong, total = 0, 0
    for make in SOUND:
        for seed in range(seeds):
            torch.manual_seed(seed)
            report, codes, _ = tried(*make())
            failed = [rule.code for rule in report.datasets[0].rules if rule.status == "failed"]
            total += 1
            if codes or failed:
                wrong += 1
                print(
                    f"  {make.__name__}, seed {seed}: {' '.join(codes)}{' failed: ' * bool(failed)}{' '.join(failed)}",
                    flush=True,
                )
    print(f"unseen, sound: {wrong} of {total} raise an alarm (bar: none)", flush=True)
    return named and wrong == 0


def _named(faults: Mapping[str, tuple[Any, frozenset[str]]], seeds: int, what: str) -> bool:
    """Whether the first finding names the cause in enough of them."""
    named = alarms = total = 0
    for name, (make, accepted) in faults.items():
        for seed in range(seeds):
            torch.manual_seed(seed)
            _, codes, _ = tried(*make())
            total += 1
            alarms += bool(codes)
            named += codes[:1] != [] and codes[0] in accepted
            if not codes or codes[0] not in accepted or len(codes) > 1 + FOLLOW_UPS:
                print(
                    f"  {name}, seed {seed}: {' '.join(codes) or 'nothing'}, expected {' or '.join(sorted(accepted))}",
                    flush=True,
                )
    print(f"{what}: {named} of {total} named first (bar: {PUBLISHED:.0%}), an alarm in {alarms}", flush=True)
    return named >= PUBLISHED * total


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plants", type=int, default=len(LOOPS))
    parser.add_argument("--rules", default="")
    parser.add_argument("--loops", default="")
    parser.add_argument("--only", default="sound,published,unseen,plants")
    typed = parser.parse_args()
    codes, names = (frozenset(given.split(",")) - {""} for given in (typed.rules, typed.loops))
    runs = {
        "sound": lambda: sound(typed.seeds),
        "published": published,
        "unseen": lambda: unseen(typed.seeds),
        "plants": lambda: plants(typed.plants, codes, names),
    }
    return 0 if all(tuple(runs[name]() for name in typed.only.split(","))) else 1


if __name__ == "__main__":
    sys.exit(main())
