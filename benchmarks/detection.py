"""
How often each rule is right: ``python -m benchmarks.detection``.

Clean data (bundled with scikit-learn or generated, tables and images, made anew with every seed: ``tests/reference.py`` and
``benchmarks/families.py``) is scanned as it is, which gives the false alarms, and with each rule's own fault planted at
five strengths, which gives the detection rate and how well the faulty samples are named. An alarm is a finding of warning
or error; a finding of info counts neither as alarm nor as detection. Other tools look at the same faulty data where they
have such a check. Writes ``benchmarks/detection.json`` (all of it) and each rule's figures to the package, for its page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the reference sets are small: threads only get into each other's way

from benchmarks import beside
from benchmarks.rates import WANTED, mean, per_thousand, share, smallest
from benchmarks.trials import clean_trial, planted_trial
from datalint.cache import sources_stamp
from datalint.figures import FILE
from datalint.registry import all_rules, select_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from datalint.rule import Rule

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(__file__).with_name("detection.json")
SHIPPED = ROOT / "rules" / "datalint_rules" / FILE
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
ENOUGH = 40
"""Faults of each strength: one missed of them is still 97.5 %, three are not 95 %."""

FIRST_SEED = 100
"""Of the scans for false alarms: other data than those into which faults are planted."""

Task = tuple[str, "Callable[..., dict[str, Any]]", tuple[Any, ...]]
"""A name for its file, and the work."""


# ---------------------------------------------------------------- the work, piece by piece


def tasks(rules: Sequence[type[Rule]], quick: bool) -> list[Task]:
    """Every piece of work: the clean data of one seed, or the faults of one rule; the longest first."""
    codes = [rule.code for rule in rules]
    clean_seeds, trained_seeds = (2, 1) if quick else (40, 8)
    strengths = (0.0, 0.5, 1.0) if quick else STRENGTHS
    found: list[Task] = []
    for rule in sorted(rules, key=lambda rule: (not rule.trains, not rule.searches)):
        seeds = (1, 1) if quick else (2, 4) if rule.trains else (3, 20)
        found.append((rule.code, planted_trial, (rule.code, seeds, strengths, ENOUGH)))
    clean = [(FIRST_SEED + k, codes, k < trained_seeds) for k in range(clean_seeds)]
    return found + [(f"clean-{k}", clean_trial, arguments) for k, arguments in enumerate(clean)]


def run(work: Sequence[Task], jobs: int, keep: Path | None) -> dict[str, dict[str, Any]]:
    """
    Do the work in some processes.

    Args:
        work: the pieces.
        jobs: processes.
        keep: folder in which finished pieces wait for the next run, should this one be broken off.
    """
    from joblib import Parallel, delayed

    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    stamp = [sources_stamp(ROOT / folder) for folder in ("datalint", "rules/datalint_rules", "tests", "benchmarks")]
    done: dict[str, dict[str, Any]] = {}
    for name, result in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
        delayed(_piece)(name, task, arguments, keep, stamp) for name, task, arguments in work
    ):
        done[name] = result
        print(f"{len(done)}/{len(work)} {name}", file=sys.stderr, flush=True)
    return done


def _piece(
    name: str, task: Callable[..., dict[str, Any]], arguments: tuple[Any, ...], keep: Path | None, stamp: list[str]
) -> tuple[str, dict[str, Any]]:
    """One piece of work, or what an earlier run of the same code has left of it."""
    file = None if keep is None else keep / f"{name}.json"
    same = [stamp, repr(arguments)]
    if file is not None and file.exists():
        kept = json.loads(file.read_text())
        if kept["of"] == same:
            return name, kept["result"]
    result = json.loads(json.dumps(task(*arguments)))
    if file is not None:
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"of": same, "result": result}))
        part.replace(file)
    return name, result


# ---------------------------------------------------------------- figures


def summary(rule: type[Rule], planted: Mapping[str, Any], clean: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of one rule."""
    clean = list(clean)
    alarming = [line for part in clean for line in part["alarming"].get(rule.code, ())]
    hits = planted["hits"]
    counts = {
        strength: (
            sum(hit["found"] for hit in hits if hit["strength"] == strength),
            sum(hit["strength"] == strength for hit in hits),
        )
        for strength in sorted({hit["strength"] for hit in hits})
    }
    named = [hit for hit in hits if hit["found"] and hit["precision"] is not None]
    missed = Counter(hit["set"] for hit in hits if not hit["found"] and hit["strength"] >= rule.promise)
    return {
        "rule": rule.name,
        "severity": rule.severity,
        "trains": rule.trains,
        "promise": rule.promise,
        **per_thousand(len(alarming), sum(part["scans"].get(rule.code, 0) for part in clean)),
        "alarms": alarming[:10],
        "failed": next((part["failed"][rule.code] for part in clean if rule.code in part["failed"]), None),
        "detection": {f"{strength:g}": share(*found) for strength, found in counts.items()},
        "found_from": smallest(counts),
        "mild": sum(hit["mild"] for hit in hits if hit["strength"] >= rule.promise),
        "elsewhere": sum(hit["elsewhere"] for hit in hits),
        "precision": mean([hit["precision"] for hit in named]),
        "recall": mean([hit["recall"] for hit in named]),
        "sets": len({hit["set"] for hit in hits}),
        "missed_at_promise_or_above": dict(sorted(missed.items())),
        "cpu_ms": round(1000 * (mean(planted["seconds"], 6) or 0), 1),
    }


def shipped(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each rule's page tells of its figures; it goes into the package."""
    return {
        code: {
            "promise": item["promise"],
            "planted": at["planted"],
            "found": at["found"],
            "found_from": item["found_from"],
            "clean_scans": item["clean_scans"],
            "false_alarms": item["false_alarms"],
            "at_most_per_1000": item["false_alarms_per_1000_interval"][1],
            "precision": item["precision"],
            "recall": item["recall"],
        }
        for code, item in sorted(rules.items())
        if (at := item["detection"].get(f"{item['promise']:g}")) is not None
    }


def short(item: Mapping[str, Any]) -> list[str]:
    """What falls short of the bars, in words."""
    found = []
    at = item["detection"].get(f"{item['promise']:g}")
    if at is None:
        found.append("its fault could be planted nowhere")
    elif at["rate"] < WANTED:
        sets = ", ".join(f"{name} ({n})" for name, n in item["missed_at_promise_or_above"].items())
        found.append(f"finds {at['found']} of {at['planted']} at strength {item['promise']:g}; missed in {sets}")
    if item["false_alarms_per_1000"] is None:
        found.append("judges no clean set")
    elif item["false_alarms_per_1000"] > 5:
        found.append(f"{item['false_alarms']} false alarms in {item['clean_scans']}: {item['alarms'][0]}")
    if item["precision"] is not None and item["precision"] < (0.8 if item["trains"] else 0.99):
        found.append(f"names other samples, too: precision {item['precision']}")
    if item["failed"]:
        found.append(f"breaks down: {item['failed']}")
    return found


def row(code: str, item: Mapping[str, Any]) -> str:
    """One line of the table."""
    rates = [item["detection"].get(f"{strength:g}") for strength in STRENGTHS]
    shown = " ".join(f"{100 * rate['rate']:5.1f}" if rate and rate["planted"] else "    -" for rate in rates)
    count = next((rate["planted"] for rate in rates if rate), 0)
    low, high = item["false_alarms_per_1000_interval"]
    naming = " ".join("   -" if value is None else f"{value:4.2f}" for value in (item["precision"], item["recall"]))
    alarms = "-" if item["false_alarms_per_1000"] is None else f"{item['false_alarms_per_1000']:.1f}"
    return (
        f"{code} {item['rule']:28} {shown} {count:4}  {alarms:>5} ({low:.1f} to {high:.1f}) of {item['clean_scans']:<5} "
        f"{naming} {item['cpu_ms']:7.1f}"
    )


# ---------------------------------------------------------------- the command


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--only", default="", metavar="CODES", help="these rules; the figures of the others stay")
    parser.add_argument("--quick", action="store_true", help="a small part of the scans; writes nothing")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    keep = Path(tempfile.gettempdir()) / "datalint-detection"
    parser.add_argument("--keep", type=Path, default=keep, help=f"where finished pieces wait for another run ({keep})")
    parser.add_argument("--peers", type=Path, help="folder of virtual environments of other tools (cleanlab/, ...)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run it; exit status 1 if something falls short of the bars."""
    chosen = options(arguments)
    rules = select_rules([code for code in chosen.only.split(",") if code])
    done = run(tasks(rules, chosen.quick), chosen.jobs, None if chosen.quick else chosen.keep)
    clean = [result for name, result in done.items() if name.startswith("clean-")]
    figures = {rule.code: summary(rule, done[rule.code], clean) for rule in rules}
    print("detection: share of planted faults found at strength 0, 0.25, 0.5, 0.75 and 1, in percent; n per strength")
    print("false alarms: warnings and errors per 1,000 clean scans (95 % interval); naming: of faulty samples\n")
    print(f"{'':35} {'detection':29} {'n':>4}  {'false alarms':30} {'prec.':>4} {'rec.':>4} {'CPU ms':>6}")
    for code, item in figures.items():
        print(row(code, item))
    full = [part for part in clean if len(part["scans"]) == len(rules)]
    sets, quiet = sum(part["sets"] for part in full), sum(part["quiet"] for part in full)
    print(f"\n{quiet:,} of {sets:,} clean scans with all of these rules are free of warnings and errors")
    bad = {code: short(item) for code, item in figures.items()}
    for code, lines in bad.items():
        for line in lines:
            print(f"{code} {line}")
    peers = beside.compare(rules, chosen.peers, chosen.quick)
    print("\n" + beside.told(peers))
    if not chosen.quick:
        known = json.loads(OUT.read_text()) if OUT.exists() and chosen.only else {}
        codes = {rule.code for rule in all_rules()}
        every = {code: item for code, item in (known.get("rules", {}) | figures).items() if code in codes}
        told = known.get("clean") if chosen.only else {"scans": sets, "free_of_warnings_and_errors": quiet}
        others = beside.merged(known.get("peers"), peers)
        OUT.write_text(
            json.dumps({"clean": told, "rules": dict(sorted(every.items())), "peers": others}, indent=1) + "\n"
        )
        SHIPPED.write_text(json.dumps(shipped(every), indent=1) + "\n")
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main())
