"""
Other tools on the same faulty data, where they have such a check.

Each gets the clean data and the data with a rule's fault at its promised strength, as files, and is run once over all of
it in its own environment. A fault is found where a faulty sample is named (or, of faults that are of no single sample,
where anything of that kind is told that the clean data has not); clean data in which anything of that kind is named counts
as a false alarm. datalint is judged in the same way, on the same data.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.families import all_sets
from benchmarks.rates import mean, per_thousand, share
from datalint.planting import Clean, Planted, rows_of
from datalint.testing import alarms, judge, plant, scan, status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.rule import Rule

ROOT = Path(__file__).resolve().parents[1]
Named = frozenset[tuple[str, int]]
"""Samples by split and position."""


@dataclass(frozen=True)
class Peer:
    """Another tool, and which of its issues answer to which rule."""

    name: str
    script: str
    modality: str
    places: tuple[str, ...]
    """Names that its environment may have."""
    needs: tuple[str, ...]
    checks: Mapping[str, tuple[str, ...]]


DATALAB = Peer(
    "cleanlab Datalab",
    "sets_datalab",
    "table",
    ("cleanlab",),
    ("cleanlab", "datasets"),
    {
        "DUP101": ("near_duplicate",),
        "DUP102": ("near_duplicate",),
        "LBL101": ("class_imbalance",),
        "LBL102": ("label",),
        "ORD101": ("non_iid",),
        "ORD102": ("non_iid",),
        "ORD103": ("non_iid",),
        "VAL103": ("null",),
        "VAL111": ("outlier",),
    },
)
CLEANVISION = Peer(
    "CleanVision",
    "sets_cleanvision",
    "images",
    ("cleanvision",),
    ("cleanvision",),
    {
        "DUP101": ("exact_duplicates",),
        "DUP102": ("exact_duplicates", "near_duplicates"),
        "IMG101": ("odd_aspect_ratio", "odd_size"),
        "IMG104": ("grayscale",),
        "IMG105": ("odd_size", "odd_aspect_ratio"),
        "IMG106": ("dark", "light", "low_information"),
        "IMG108": ("dark", "light", "blurry", "low_information"),
        "VAL101": ("dark", "low_information"),
    },
)
PEERS = (DATALAB, CLEANVISION)
ABSENT = {"deepchecks": ("deepchecks",), "fg-data-profiling": ("data_profiling",)}
"""Tools with such checks that have no script here yet; they are listed as not run."""


@dataclass(frozen=True)
class Case:
    """One data set for the peer to look at."""

    name: str
    rule: type[Rule] | None
    """None for clean data."""
    data: Clean
    fault: Planted | None


def cases(peer: Peer, rules: Sequence[type[Rule]], seeds: int) -> list[Case]:
    """The clean data, and each shared fault in all that can hold it; data of one split only: peers know no splits."""
    found: list[Case] = []
    for seed in range(seeds):
        for data in all_sets(seed):
            if data.modality != peer.modality or (peer.modality == "table" and len(data.tables) != 1):
                continue
            found.append(Case(f"{seed}-{data.name}", None, data, None))
            for rule in rules:
                fault = plant(rule, data, rule.promise, seed) if rule.code in peer.checks else None
                judged = fault is not None and status(scan(data, rule, cache=False, jobs=1), rule).status != "skipped"
                if fault is not None and judged and [*fault.data.tables] == [*data.tables]:
                    found.append(Case(f"{seed}-{data.name}-{rule.code}", rule, fault.data, fault))
    return found


def compare(rules: Sequence[type[Rule]], folder: Path | None, quick: bool) -> dict[str, Any]:
    """Run the peers that are there; by peer and rule, what each found and what datalint did."""
    found: dict[str, Any] = {}
    for peer in PEERS:
        shared = [rule for rule in rules if rule.code in peer.checks]
        python = environment_of(peer, folder)
        if python is None or not shared:
            found[peer.name] = {"run": False, "why": "not installed" if python is None else "no shared check asked for"}
            continue
        given = cases(peer, shared, 1 if quick else 3)
        answers = ask(peer, python, given)
        found[peer.name] = {"run": True, "rules": {rule.code: one(peer, rule, given, answers) for rule in shared}}
    for name, modules in ABSENT.items():
        there = all(importlib.util.find_spec(module) for module in modules)
        found[name] = {"run": False, "why": "no script" if there else "not installed"}
    return found


def environment_of(peer: Peer, folder: Path | None) -> str | None:
    """The interpreter to run a peer by."""
    for place in peer.places if folder else ():
        python = Path(str(folder)) / place / "bin" / "python"
        if python.exists():
            return str(python)
    return sys.executable if all(importlib.util.find_spec(module) for module in peer.needs) else None


def ask(peer: Peer, python: str, given: Sequence[Case]) -> dict[str, Any]:
    """What the peer says of each data set."""
    with tempfile.TemporaryDirectory(prefix="datalint-peer-") as place:
        root = Path(place)
        jobs = []
        for k, case in enumerate(given):
            path = case.data.write(root / f"{k:04d}")
            job = {"name": case.name, "path": str(path)}
            if case.data.tables:
                label = case.data.label
                values = case.data.tables["all"][label]
                regression = values.dtype.kind == "f" and values.nunique() > 20
                job |= {"path": str(path / "all.csv"), "label": str(label)}
                job |= {"task": "regression" if regression else "classification"}
            jobs.append(job)
        asked, answered = root / "jobs.json", root / "answers.json"
        asked.write_text(json.dumps(jobs))
        quiet = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        command = [python, "-m", f"benchmarks.peers.{peer.script}", str(asked), str(answered)]
        done = subprocess.run(command, env=os.environ | quiet, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{peer.name} breaks down: {done.stderr[-500:]}")
        told: dict[str, Any] = json.loads(answered.read_text())
        return told


def named(answer: Mapping[str, Any], kinds: Sequence[str], data: Clean) -> Named:
    """The samples that a peer's answer names under some kinds."""
    told = {item for kind in kinds for item in answer.get("rows", {}).get(kind, ())}
    if data.files:
        return frozenset((split, row) for split, rows in rows_of(data, told & set(data.files)).items() for row in rows)
    return frozenset(("all", int(row)) for row in told)


def one(peer: Peer, rule: type[Rule], given: Sequence[Case], answers: Mapping[str, Any]) -> dict[str, Any]:
    """One rule beside a peer."""
    kinds = peer.checks[rule.code]
    hosts = {case.data.name for case in given if case.rule is rule}
    clean = {case.name: case for case in given if case.rule is None and case.data.name in hosts}
    faulty = [case for case in given if case.rule is rule]
    broken = sum("error" in answers[case.name] for case in [*clean.values(), *faulty])
    before = {name: named(answers[name], kinds, case.data) for name, case in clean.items()}
    theirs = []
    for case in faulty:
        host = before.get(case.name.removesuffix(f"-{rule.code}"), frozenset())
        rows = _rows(case.fault)
        theirs.append(verdict(named(answers[case.name], kinds, case.data) - _twins(case.data, rows), host, rows))
    ours = []
    for case in faulty:
        if case.fault is not None:
            report = scan(case.data, rule, cache=False, jobs=1)
            hit = judge(rule, case.fault, report)
            ours.append((hit.found, hit.precision if hit.found else None, hit.recall))
    noisy = [bool(alarms(scan(case.data, rule, cache=False, jobs=1), rule)) for case in clean.values()]
    return {
        "kinds": list(kinds),
        "broken": broken,
        "peer": _figures(theirs, sum(map(bool, before.values())), len(before)),
        "datalint": _figures(ours, sum(noisy), len(clean)),
    }


Verdict = tuple[bool, float | None, float | None]
"""Whether it was found; precision and recall of the named samples."""


def verdict(named: Named, before: Named, faulty: Named) -> Verdict:
    """
    Whether a peer found a fault.

    Args:
        named: samples that it names in the faulty data.
        before: those that it names in the clean data.
        faulty: those that are faulty; none if the fault is of no single sample.
    """
    if not faulty:
        return bool(named) and not before, None, None
    right = len(named & faulty)
    return right > 0, right / len(named) if right else None, right / len(faulty)


def _twins(data: Clean, faulty: Named) -> Named:
    """Samples that are the same as a faulty one: of two copies it is a matter of taste which to name."""
    content: dict[tuple[str, int], Any] = {}
    for split, table in data.tables.items():
        content |= {(split, row): value for row, value in enumerate(pd.util.hash_pandas_object(table, index=False))}
    for path in data.files:
        ((split, rows),) = rows_of(data, {path}).items()
        content[split, next(iter(rows))] = data.files[path]
    wrong = {content[place] for place in faulty if place in content}
    return frozenset(place for place, value in content.items() if value in wrong) - faulty


def _rows(fault: Planted | None) -> Named:
    if fault is None:
        return frozenset()
    return frozenset((split, row) for split, rows in fault.rows.items() for row in rows)


def _figures(verdicts: Sequence[Verdict], alarming: int, clean: int) -> dict[str, Any]:
    return {
        **share(sum(found for found, _, _ in verdicts), len(verdicts)),
        "precision": mean([precision for _, precision, _ in verdicts]),
        "recall": mean([recall for _, _, recall in verdicts]),
        **per_thousand(alarming, clean),
    }


def told(peers: Mapping[str, Any]) -> str:
    """The comparison as a table."""
    lines = [
        "beside other tools, at the promised strength: found of planted, precision, recall; false alarms on clean data"
    ]
    for name, item in peers.items():
        if not item["run"]:
            lines.append(f"{name}: not run ({item['why']})")
        for code, pair in item.get("rules", {}).items():
            for who, figures in ((name, pair["peer"]), ("datalint", pair["datalint"])):
                naming = [("-" if figures[key] is None else f"{figures[key]:.2f}") for key in ("precision", "recall")]
                lines.append(
                    f"{code} {who:18} {figures['found']:3} of {figures['planted']:3}  {naming[0]:>5} {naming[1]:>5}  "
                    f"{figures['false_alarms']:3} in {figures['clean_scans']}"
                )
    return "\n".join(lines)


def merged(known: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Earlier figures with new ones in their place; what did not run now keeps what it has."""
    result = dict(known or {})
    for name, item in new.items():
        if item["run"] or name not in result:
            old = result.get(name, {}).get("rules", {})
            result[name] = {**item, "rules": dict(sorted((old | item["rules"]).items()))} if item["run"] else item
    return result
