"""Other tools on the same faulty data, where they have such a check.

Each gets the clean data and the data with a rule's fault at its promised strength, as files, and is run in its own
environment, with its defaults. Where it names samples, a fault is found if a faulty one is named; where it names columns,
if that of the fault is; else if it tells of that kind. What it said of the clean data, too, does not count, and is a false
alarm: of tools that grade nothing, everything they tell. datalint is judged in the same way, on the same data, by its
warnings and errors only.
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

from benchmarks import page
from benchmarks.families import SETS, clean_set
from benchmarks.rates import mean, per_thousand, share
from datalint.core.clean import Clean, Planted, rows_of
from datalint.rules.registry import find_rule
from datalint.testing import alarms, judge, plant, scan, status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.rules.base import Rule

ROOT = Path(__file__).resolve().parents[1]
PEER_SEED = 9_000
"""First seed of the data that other tools see: that of no other trial."""

Named = frozenset[tuple[str, int]]
"""Samples by split and position."""


@dataclass(frozen=True)
class Peer:
    """Another tool, and which of its issues answer to which rule."""

    name: str
    script: str
    modality: str
    place: str
    """Name that its environment has below ``--peers``."""
    needs: tuple[str, ...]
    checks: Mapping[str, tuple[str, ...]]
    """Its kinds of issue by rule; those of rules of splits are looked for in data with splits, the others without."""


DATALAB = Peer(
    "cleanlab Datalab",
    "sets_datalab",
    "table",
    "cleanlab",
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
    "cleanvision",
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
DEEPCHECKS = Peer(
    "Deepchecks",
    "sets_deepchecks",
    "table",
    "deepchecks",
    ("deepchecks",),
    {
        "DUP101": ("duplicates",),
        "LBL101": ("class_imbalance",),
        "LBL106": ("conflicting_labels",),
        "SIG102": ("feature_label_correlation",),
        "SPL101": ("samples_mix",),
        "SPL104": ("feature_drift",),
        "SPL105": ("label_drift", "new_label"),
        "SPL106": ("multivariate_drift", "feature_drift"),
        "SPL109": ("size_comparison",),
        "SPL110": ("new_category",),
        "TXT103": ("string_length",),
        "VAL103": ("nulls",),
        "VAL104": ("mixed_nulls", "special_characters"),
        "VAL105": ("single_value",),
        "VAL106": ("mixed_types",),
        "VAL108": ("feature_correlation",),
        "VAL110": ("string_mismatch",),
        "VAL111": ("outliers",),
    },
)
PROFILING = Peer(
    "fg-data-profiling",
    "sets_data_profiling",
    "table",
    "data-profiling",
    ("data_profiling",),
    {
        "DUP101": ("duplicates",),
        "LBL101": ("imbalance",),
        "NRM103": ("skewed",),
        "SIG102": ("high_correlation_label",),
        "VAL102": ("infinite",),
        "VAL103": ("missing",),
        "VAL105": ("constant",),
        "VAL106": ("unsupported",),
        "VAL107": ("unique",),
        "VAL108": ("high_correlation",),
    },
)
PEERS = (DATALAB, CLEANVISION, DEEPCHECKS, PROFILING)


@dataclass(frozen=True)
class Case:
    """One data set for the peer to look at."""

    name: str
    rule: type[Rule] | None
    """None for clean data."""
    data: Clean
    fault: Planted | None


def cases(peer: Peer, rules: Sequence[type[Rule]], seed: int) -> list[Case]:
    """The clean data of one seed, and each shared fault in all that can hold it."""
    found: list[Case] = []
    for name in SETS:
        data = clean_set(name, seed)
        if data.modality != peer.modality:
            continue
        hosts = [rule for rule in rules if rule.code in peer.checks and fits(rule, data)]
        faulty = []
        for rule in hosts:
            fault = plant(rule, data, rule.promise, seed)
            if fault is None or [*fault.data.tables] != [*data.tables]:
                continue
            if status(scan(data, rule, cache=False, jobs=1), rule).status in {"found", "passed"}:
                faulty.append(Case(f"{seed}-{data.name}-{rule.code}", rule, fault.data, fault))
        if faulty:
            found += [Case(f"{seed}-{data.name}", None, data, None), *faulty]
    return found


def fits(rule: type[Rule], data: Clean) -> bool:
    """Rules of splits need train and test; for the others a peer is given data of one split: most know no splits."""
    if data.files:
        return True
    return {"train", "test"} <= data.tables.keys() if rule.code.startswith("SPL") else len(data.tables) == 1


def there(folder: Path | None) -> dict[str, str | None]:
    """The interpreter to run each peer by; None for one that is not installed."""
    return {peer.name: environment_of(peer, folder) for peer in PEERS}


def trial(name: str, python: str, codes: Sequence[str], seed: int) -> dict[str, Any]:
    """Run one peer over the data of one seed.

    Args:
        name: of the peer.
        python: its interpreter.
        codes: rules of which to plant the faults.
        seed: of the data.

    Returns:
        ``version`` of the peer, CPU ``seconds`` and, by rule, how each side did on each data set.
    """
    peer = next(peer for peer in PEERS if peer.name == name)
    shared = [rule for rule in map(find_rule, codes) if rule.code in peer.checks]
    given = cases(peer, shared, seed)
    answers = ask(peer, python, given)
    return {
        "version": answers["version"],
        "seconds": sum(answer["seconds"] for answer in answers["jobs"].values()),
        "scans": len(given),
        "rules": {rule.code: one(peer, rule, given, answers["jobs"]) for rule in shared},
    }


def compared(trials: Mapping[str, Sequence[Mapping[str, Any]]], python: Mapping[str, str | None]) -> dict[str, Any]:
    """By peer and rule, what each found and what datalint did.

    Args:
        trials: of each peer that ran, seed by seed.
        python: the interpreter of each peer, None where it is not installed.
    """
    found: dict[str, Any] = {}
    for peer in PEERS:
        parts = trials.get(peer.name, ())
        if not parts:
            why = "not installed" if python.get(peer.name) is None else "no shared check asked for"
            found[peer.name] = {"run": False, "why": why}
            continue
        rules = {code: _summed(peer, code, [part["rules"][code] for part in parts]) for code in parts[0]["rules"]}
        scans = sum(part["scans"] for part in parts)
        found[peer.name] = {
            "run": True,
            "version": parts[0]["version"],
            "cpu_ms_per_scan": round(1000 * sum(part["seconds"] for part in parts) / scans, 1) if scans else 0.0,
            "rules": rules,
        }
    return found


def environment_of(peer: Peer, folder: Path | None) -> str | None:
    """The interpreter to run a peer by."""
    if folder is not None:
        python = folder.absolute() / peer.place / "bin" / "python"
        if python.exists():
            return str(python)
    return sys.executable if all(importlib.util.find_spec(module) for module in peer.needs) else None


def ask(peer: Peer, python: str, given: Sequence[Case]) -> dict[str, Any]:
    """What the peer says of each data set, ``jobs`` by name, and its ``version``."""
    if not given:
        return {"version": "", "jobs": {}}
    with tempfile.TemporaryDirectory(prefix="datalint-peer-") as place:
        root = Path(place)
        jobs = [_job(peer, case, root / f"{k:04d}") for k, case in enumerate(given)]
        asked, answered = root / "jobs.json", root / "answers.json"
        asked.write_text(json.dumps(jobs))
        quiet = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        command = [python, "-m", f"benchmarks.peers.{peer.script}", str(asked), str(answered)]
        done = subprocess.run(command, env=os.environ | quiet, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{peer.name} breaks down: {done.stderr[-500:]}")
        told: dict[str, Any] = json.loads(answered.read_text())
        return told


def _job(peer: Peer, case: Case, folder: Path) -> dict[str, Any]:
    """Lay a data set out on disk; returns what the peer's script is told of it."""
    data = case.data
    path = data.write(folder)
    codes = [case.rule.code] if case.rule is not None else [code for code in peer.checks if fits(find_rule(code), data)]
    job: dict[str, Any] = {"name": case.name, "path": str(path)}
    job["kinds"] = sorted({kind for code in codes for kind in peer.checks[code]})
    if data.tables:
        values = next(iter(data.tables.values()))[data.label]
        job["tables"] = {split: str(path / f"{split}.csv") for split in data.tables}
        job["label"] = str(data.label)
        job["task"] = "regression" if values.dtype.kind == "f" and values.nunique() > 20 else "classification"
    return job


@dataclass(frozen=True)
class Told:
    """What a peer says of one data set under some kinds of issue."""

    rows: Named | None
    """Samples; None if it names none of these kinds."""
    columns: frozenset[str]
    whole: bool
    """Whether it tells of the data set as a whole."""

    @property
    def anything(self) -> bool:
        """Whether it says anything at all."""
        return bool(self.rows or self.columns or self.whole)


def told_of(answer: Mapping[str, Any], kinds: Sequence[str], data: Clean) -> Told:
    """A peer's answer under some kinds."""
    rows = [answer["rows"][kind] for kind in kinds if kind in answer.get("rows", {})]
    columns = {str(name) for kind in kinds for name in answer.get("columns", {}).get(kind, ())}
    whole = any(kind in answer.get("sets", ()) for kind in kinds)
    return Told(_places({item for some in rows for item in some}, data) if rows else None, frozenset(columns), whole)


def _places(items: set[Any], data: Clean) -> Named:
    if data.files:
        found = rows_of(data, items & set(data.files))
        return frozenset((split, row) for split, rows in found.items() for row in rows)
    return frozenset(("all", int(row)) for row in items)


def one(peer: Peer, rule: type[Rule], given: Sequence[Case], answers: Mapping[str, Any]) -> dict[str, Any]:
    """One rule next to a peer on the data of one seed: a verdict for each fault, and alarms in the clean data."""
    kinds = peer.checks[rule.code]
    faulty = [case for case in given if case.rule is rule]
    hosts = {case.name.removesuffix(f"-{rule.code}") for case in faulty}
    clean = {case.name: case for case in given if case.rule is None and case.name in hosts}
    before = {name: told_of(answers[name], kinds, case.data) for name, case in clean.items()}
    theirs: list[Verdict] = []
    ours: list[Verdict] = []
    for case in faulty:
        if case.fault is None:
            continue
        said = told_of(answers[case.name], kinds, case.data)
        host = before[case.name.removesuffix(f"-{rule.code}")]
        theirs.append(verdict(said, host, case.fault))
        hit = judge(rule, case.fault, scan(case.data, rule, cache=False, jobs=1))
        ours.append((hit.found, hit.precision if hit.found else None, hit.recall if hit.found else _none(hit.recall)))
    noisy = sum(bool(alarms(scan(case.data, rule, cache=False, jobs=1), rule)) for case in clean.values())
    return {
        "broken": sum("error" in answers[case.name] for case in [*clean.values(), *faulty]),
        "clean": len(clean),
        "peer": {"verdicts": theirs, "alarming": sum(told.anything for told in before.values())},
        "datalint": {"verdicts": ours, "alarming": noisy},
    }


def _none(recall: float | None) -> float | None:
    """What is not found names nothing."""
    return None if recall is None else 0.0


Verdict = tuple[bool, float | None, float | None]
"""Whether it was found; precision and recall of the named samples."""


def verdict(said: Told, before: Told, fault: Planted) -> Verdict:
    """Whether a peer found a fault.

    Args:
        said: what it says of the faulty data.
        before: what it says of the clean data.
        fault: what was planted.
    """
    faulty = _rows(fault)
    if faulty and said.rows is not None:
        named = said.rows - _twins(fault.data, faulty)
        right = len(named & faulty)
        return right > 0, right / len(named) if right else None, right / len(faulty)
    columns = said.columns - before.columns
    if fault.column is not None and said.columns:
        return fault.column in columns, None, None
    if said.columns:
        return bool(columns), None, None
    return said.anything and not before.anything, None, None


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


def _summed(peer: Peer, code: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One rule next to a peer, all seeds together."""
    clean = sum(part["clean"] for part in parts)
    sides = {
        side: _figures(
            [tuple(found) for part in parts for found in part[side]["verdicts"]],
            sum(part[side]["alarming"] for part in parts),
            clean,
        )
        for side in ("peer", "datalint")
    }
    return {"kinds": list(peer.checks[code]), "broken": sum(part["broken"] for part in parts), **sides}


def _figures(verdicts: Sequence[Any], alarming: int, clean: int) -> dict[str, Any]:
    return {
        **share(sum(found for found, _, _ in verdicts), len(verdicts)),
        "precision": mean([precision for _, precision, _ in verdicts]),
        "recall": mean([recall for _, _, recall in verdicts]),
        **per_thousand(alarming, clean),
    }


def table(peers: Mapping[str, Any]) -> str:
    """The comparison in markdown, and what did not run."""
    rows = []
    for name, item in peers.items():
        for code, pair in item.get("rules", {}).items():
            for who, side in ((name, "peer"), ("datalint", "datalint")):
                figures = pair[side]
                naming = ["-" if figures[key] is None else f"{figures[key]:.2f}" for key in ("precision", "recall")]
                found = f"{figures['found']} of {figures['planted']}"
                alarms = f"{figures['false_alarms']} in {figures['clean_scans']}"
                kinds = ", ".join(pair["kinds"]) if side == "peer" else ""
                broken = str(pair["broken"]) if side == "peer" else ""
                rows.append([code, who, found, *naming, alarms, broken, kinds])
    head = ["rule", "tool", "found", "named right", "of faulty named", "clean sets told of", "not run", "its kinds"]
    notes = [
        f"* {name} {item['version']}: {item['cpu_ms_per_scan']:,.0f} ms of CPU for a data set and the checks asked for."
        if item["run"]
        else f"* {name} took no part: {item['why']}."
        for name, item in peers.items()
    ]
    return "\n\n".join(text for text in (page.table(head, rows) if rows else "", "\n".join(notes)) if text)


def merged(known: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Earlier figures with new ones in their place; what did not run now keeps what it has."""
    result = dict(known or {})
    for name, item in new.items():
        if item["run"] or name not in result:
            old = result.get(name, {}).get("rules", {})
            result[name] = {**item, "rules": dict(sorted((old | item["rules"]).items()))} if item["run"] else item
    return result
