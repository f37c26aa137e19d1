"""How often each rule is right: ``python -m benchmarks.detection``.

Clean data (bundled with scikit-learn or generated, tables and images, made anew with every seed: ``tests/reference.py`` and
``benchmarks/families.py``) is scanned as it is, which gives the false alarms, and with each rule's own fault planted at
five strengths, which gives the detection rate and how well the faulty samples are named. An alarm is a finding of warning
or error; a finding of info counts neither as alarm nor as detection. Other tools look at the same faulty data where they
have such a check. With ``--write``, ``benchmarks/detection.json`` gets all of it, the package each rule's figures, and
``benchmarks/README.md`` the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the reference sets are small: threads only get into each other's way

from benchmarks import bars, beside, page
from benchmarks.families import SETS
from benchmarks.rates import mean, per_thousand, share, smallest
from benchmarks.stamps import digest, stamp_of
from benchmarks.trials import clean_trial, planted_trial
from datalint.rules.detection_figures import FILE
from datalint.rules.registry import all_rules, find_rule, select_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from datalint.rules.base import Rule

ROOT = Path(__file__).resolve().parents[1]
OUT = Path(__file__).with_name("detection.json")
SHIPPED = ROOT / "rules" / "datalint_rules" / FILE
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)

ENOUGH, ENOUGH_TRAINED = 40, 24
"""Faults of each strength at least: one missed of them is still 95 %, three of 40 are not. Models cost a second each."""

FIRST_SEED = 100
"""Of the scans for false alarms: other data than those into which faults are planted, and than those of the tests."""

CLEAN_SEEDS = 40
"""Each gives one scan of every clean set with all rules."""

ENOUGH_CLEAN = 800
"""Clean scans that a rule is to judge: from 765 on, none with an alarm has an interval that ends below 5 per 1,000."""

MOST_CLEAN_SEEDS = 900
"""For rules that judge a single set; more would tell little new."""

PEER_SEEDS = 3

Work = tuple[str, "Callable[[], Any]"]
"""A name, and the work."""

CleanSets = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""By seed, set and rule what :func:`clean_trial` tells."""


# ---------------------------------------------------------------- the work, piece by piece


def tasks(rules: Sequence[type[Rule]], quick: bool, keep: Path | None) -> list[Work]:
    """The faults of each rule and the clean data of each seed; the longest first."""
    codes = [rule.code for rule in rules]
    strengths = (0.0, 0.5, 1.0) if quick else STRENGTHS
    planted: list[Work] = []
    for rule in sorted(rules, key=lambda rule: (not rule.trains, not rule.searches)):
        enough = 1 if quick else ENOUGH_TRAINED if rule.trains else ENOUGH
        steps = tuple(sorted({*strengths, rule.promise}))
        work = partial(planted_trial, rule.code, steps, enough, 1 if quick else 60)
        same = [stamp_of(rule), list(steps), enough]
        planted.append((rule.code, partial(kept, _file(keep, f"planted-{rule.code}"), same, work)))
    wanted = dict.fromkeys(SETS, codes)
    seeds = range(FIRST_SEED, FIRST_SEED + (1 if quick else CLEAN_SEEDS))
    clean = [clean_work(seed, wanted, keep) for seed in seeds]
    models = sum(rule.trains for rule in rules)
    return [*planted[:models], *clean, *planted[models:]]


def clean_work(seed: int, wanted: Mapping[str, Sequence[str]], keep: Path | None) -> Work:
    """The clean data of one seed."""
    stamps = {code: stamp_of(find_rule(code)) for code in {code for codes in wanted.values() for code in codes}}
    return f"clean-{seed}", partial(clean_piece, seed, wanted, stamps, _file(keep, f"clean-{seed}"))


def clean_piece(
    seed: int, wanted: Mapping[str, Sequence[str]], stamps: Mapping[str, str], file: Path | None
) -> dict[str, dict[str, dict[str, Any]]]:
    """What rules say of the clean data of one seed; only those are run of which no earlier run has left it.

    Args:
        seed: of the data.
        wanted: codes of rules by name of the set.
        stamps: by code, what a kept result must bear.
        file: where results are kept.
    """
    known: dict[str, dict[str, dict[str, Any]]] = {}
    if file is not None and file.exists():
        known = json.loads(file.read_text())
    need = {
        name: [code for code in codes if known.get(name, {}).get(code, {}).get("stamp") != stamps[code]]
        for name, codes in wanted.items()
    }
    need = {name: codes for name, codes in need.items() if codes}
    if need:
        for name, said in clean_trial(seed, need).items():
            known.setdefault(name, {}).update({code: item | {"stamp": stamps[code]} for code, item in said.items()})
        _put(file, known)
    return {
        name: {code: {key: value for key, value in known[name][code].items() if key != "stamp"} for code in codes}
        for name, codes in wanted.items()
    }


def more(clean: CleanSets, rules: Sequence[type[Rule]], keep: Path | None) -> list[Work]:
    """More clean data for the rules that have judged too few sets: of those they judge, with further seeds.

    Args:
        clean: what was scanned so far.
        rules: those to be measured.
        keep: folder of what earlier runs have left.
    """
    further: dict[int, dict[str, list[str]]] = {}
    for rule in rules:
        judged = Counter(name for sets in clean.values() for name, said in sets.items() if said[rule.code]["judged"])
        lacking = ENOUGH_CLEAN - judged.total()
        if not judged or lacking <= 0:
            continue
        each = judged.total() / len(clean)
        for k in range(min(MOST_CLEAN_SEEDS, int(lacking / each) + 1)):
            for name in judged:
                further.setdefault(FIRST_SEED + len(clean) + k, {}).setdefault(name, []).append(rule.code)
    return [clean_work(seed, wanted, keep) for seed, wanted in further.items()]


def run(work: Sequence[Work], jobs: int) -> dict[str, Any]:
    """Do the work in some processes."""
    from joblib import Parallel, delayed

    done: dict[str, Any] = {}
    start = time.monotonic()
    for name, result in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
        delayed(_named)(name, call) for name, call in work
    ):
        done[name] = result
        if len(work) < 200 or len(done) % 50 == 0:
            told = f"{len(done)}/{len(work)} {name} ({time.monotonic() - start:.0f} s)"
            print(told, file=sys.stderr, flush=True)
    return done


def _named(name: str, call: Callable[[], Any]) -> tuple[str, Any]:
    return name, call()


def kept(file: Path | None, same: Any, work: Callable[[], Any]) -> Any:
    """The result of some work, or what an earlier run has left of it.

    Args:
        file: where it is kept.
        same: what must be the same for it to hold.
        work: what makes it, as JSON knows it.
    """
    if file is not None and file.exists():
        known = json.loads(file.read_text())
        if known["of"] == same:
            return known["result"]
    result = json.loads(json.dumps(work()))
    _put(file, {"of": same, "result": result})
    return result


def _file(keep: Path | None, name: str) -> Path | None:
    return None if keep is None else keep / f"{name}.json"


def _put(file: Path | None, content: Any) -> None:
    """Whole or not at all: a run may be broken off."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(content))
        part.replace(file)


def peer_tasks(
    rules: Sequence[type[Rule]], pythons: Mapping[str, str | None], quick: bool, keep: Path | None
) -> list[Work]:
    """The data of each seed for each peer that is there and shares a check."""
    found: list[Work] = []
    for peer in beside.PEERS:
        shared = [rule for rule in rules if rule.code in peer.checks]
        python = pythons[peer.name]
        if python is None or not shared:
            continue
        codes = [rule.code for rule in shared]
        scripts = [ROOT / "benchmarks" / "peers" / f"{name}.py" for name in (peer.script, "sets_protocol", "protocol")]
        code = digest([*scripts, ROOT / "benchmarks" / "beside.py"], map(stamp_of, shared))
        for seed in range(beside.PEER_SEED, beside.PEER_SEED + (1 if quick else PEER_SEEDS)):
            name = f"peer-{peer.place}-{seed}"
            work = partial(beside.trial, peer.name, python, codes, seed)
            found.append((name, partial(kept, _file(keep, name), [code, python], work)))
    return found


# ---------------------------------------------------------------- figures


def summary(rule: type[Rule], planted: Mapping[str, Any], clean: CleanSets) -> dict[str, Any]:
    """The figures of one rule."""
    said = [
        (f"{name}, seed {seed}", name, item)
        for seed, sets in clean.items()
        for name, codes in sets.items()
        if (item := codes.get(rule.code)) is not None
    ]
    alarming = [f"{where}: {item['alarm'][1]}" for where, _, item in said if item["judged"] and "alarm" in item]
    hits = planted["hits"]
    counts = {
        strength: (
            sum(hit["found"] for hit in hits if hit["strength"] == strength),
            sum(hit["strength"] == strength for hit in hits),
        )
        for strength in sorted({hit["strength"] for hit in hits})
    }
    named = [hit for hit in hits if hit["found"] and hit["precision"] is not None]
    missed = Counter(hit["set"] for hit in hits if not hit["found"] and hit["strength"] == rule.promise)
    return {
        "rule": rule.name,
        "severity": rule.severity,
        "trains": rule.trains,
        "promise": rule.promise,
        **per_thousand(len(alarming), sum(item["judged"] for _, _, item in said)),
        "clean_sets": len({name for _, name, item in said if item["judged"]}),
        "alarms": alarming[:10],
        "failed": next((f"{where}: {item['failed']}" for where, _, item in said if "failed" in item), None),
        "detection": {f"{strength:g}": share(*found) for strength, found in counts.items()},
        "found_from": smallest(counts),
        "mild": sum(hit["mild"] for hit in hits if hit["strength"] == rule.promise),
        "elsewhere": sum(hit["elsewhere"] for hit in hits),
        "precision": mean([hit["precision"] for hit in named]),
        "recall": mean([hit["recall"] for hit in named]),
        "sets": len({hit["set"] for hit in hits}),
        "missed": dict(sorted(missed.items())),
        "cpu_ms": round(1000 * (mean(planted["seconds"], 6) or 0), 1),
    }


def whole(clean: CleanSets, rules: Iterable[type[Rule]]) -> dict[str, int]:
    """How many clean sets were scanned with all these rules, and how many of them were free of warnings and errors."""
    codes = {rule.code for rule in rules}
    scans = [said for sets in clean.values() for said in sets.values() if codes <= said.keys()]
    loud = sum(any("alarm" in said[code] and said[code]["alarm"][0] != "info" for code in codes) for said in scans)
    return {"scans": len(scans), "free_of_warnings_and_errors": len(scans) - loud}


def shipped(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What each rule's page tells of its figures; it goes into the package."""
    return {
        code: {
            "promise": item["promise"],
            "planted": at["planted"],
            "found": at["found"],
            "found_from": item["found_from"],
            "clean_scans": item["clean_scans"],
            "clean_sets": item["clean_sets"],
            "false_alarms": item["false_alarms"],
            "at_most_per_1000": item["false_alarms_per_1000_interval"][1],
            "precision": item["precision"],
            "recall": item["recall"],
            "cpu_ms": item["cpu_ms"],
        }
        for code, item in sorted(rules.items())
        if (at := item["detection"].get(f"{item['promise']:g}")) is not None
    }


# ---------------------------------------------------------------- what is told


def rule_table(rules: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures of all rules as a markdown table."""
    shown = [f"{strength:g}" for strength in STRENGTHS]
    head = [
        "rule",
        "severity",
        *shown,
        "faults",
        "95 % from",
        "false alarms",
        "per 1,000",
        "named right",
        "of faulty named",
    ]
    return page.table(
        [*head, "CPU ms"],
        [[f"{code} {item['rule']}", *_cells(item), f"{item['cpu_ms']:.1f}"] for code, item in rules.items()],
    )


def _cells(item: Mapping[str, Any]) -> list[str]:
    rates = [item["detection"].get(f"{strength:g}") for strength in STRENGTHS]
    at = item["detection"].get(f"{item['promise']:g}")
    low, high = item["false_alarms_per_1000_interval"]
    alarms = item["false_alarms_per_1000"]
    return [
        item["severity"],
        *("" if not rate or not rate["planted"] else f"{100 * rate['rate']:.0f}" for rate in rates),
        f"{at['planted'] if at else 0} in {item['sets']} sets",
        "-" if item["found_from"] is None else f"{item['found_from']:g}",
        f"{item['false_alarms']} of {item['clean_scans']:,}, {item['clean_sets']} sets",
        "-" if alarms is None else f"{alarms:.1f} ({low:.1f} to {high:.1f})",
        *("-" if value is None else f"{value:.2f}" for value in (item["precision"], item["recall"])),
    ]


def section(result: Mapping[str, Any]) -> str:
    """The tables and verdicts of a run, for the page of the benchmarks."""
    clean = result["clean"]
    quiet = f"{clean['free_of_warnings_and_errors']:,} of {clean['scans']:,}" if clean else "none"
    verdicts = [
        [bar["bar"], bar["verdict"], "; ".join([*bar["fails"], *(f"undecided: {text}" for text in bar["undecided"])])]
        for bar in result["bars"]
    ]
    safe = [[cell.replace("|", "\\|").replace("<", "&lt;") for cell in row] for row in verdicts]
    return "\n\n".join(
        [
            result["run"],
            page.table(["bar", "verdict", "what fails it"], safe),
            f"Clean scans with all rules that are free of warnings and errors: {quiet}.",
            "### Rules",
            rule_table(result["rules"]),
            "### Beside other tools",
            beside.table(result["peers"]),
        ]
    )


# ---------------------------------------------------------------- the command


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection", description=(__doc__ or "").split("\n\n")[1]
    )
    parser.add_argument("--only", default="", metavar="CODES", help="these rules; the figures of the others stay")
    parser.add_argument("--quick", action="store_true", help="a small part of the scans, for a look; cannot be written")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    place = Path(tempfile.gettempdir()) / "datalint-detection"
    parser.add_argument("--keep", type=Path, default=place, help=f"where finished work waits for another run ({place})")
    parser.add_argument("--peers", type=Path, help="folder of virtual environments of other tools (cleanlab/, ...)")
    parser.add_argument("--write", action="store_true", help="put the figures into the repository")
    chosen = parser.parse_args(arguments)
    if chosen.quick and chosen.write:
        parser.error("--quick measures too little to be written")
    return chosen


def measure(
    rules: Sequence[type[Rule]], pythons: Mapping[str, str | None], jobs: int, quick: bool, keep: Path | None
) -> tuple[dict[str, Any], dict[str, int], dict[str, Any]]:
    """The figures of the rules, the clean scans as wholes, and what other tools found."""
    done = run([*peer_tasks(rules, pythons, quick, keep), *tasks(rules, quick, keep)], jobs)
    clean: CleanSets = {name: result for name, result in done.items() if name.startswith("clean-")}
    clean = {name.removeprefix("clean-"): sets for name, sets in clean.items()}
    told = whole(clean, rules)
    if not quick:
        added = run(more(clean, rules, keep), jobs)
        clean |= {name.removeprefix("clean-"): sets for name, sets in added.items()}
    peers: dict[str, list[Any]] = {}
    for peer in beside.PEERS:
        peers[peer.name] = [result for name, result in sorted(done.items()) if name.startswith(f"peer-{peer.place}-")]
    figures = {rule.code: summary(rule, done[rule.code], clean) for rule in rules}
    return figures, told, beside.compared(peers, pythons)


def joined(known: Mapping[str, Any], new: Mapping[str, Any], all_of_them: bool) -> dict[str, Any]:
    """What is told after a run of some rules: the figures of the others as they were.

    Args:
        known: what was told before.
        new: ``rules``, ``clean`` and ``peers`` of this run.
        all_of_them: whether this run was of all rules.
    """
    codes = {rule.code for rule in all_rules()}
    before = {} if all_of_them else known.get("rules", {})
    rules = {code: item for code, item in sorted((before | new["rules"]).items()) if code in codes}
    clean = new["clean"] if all_of_them else known.get("clean")
    peers = beside.merged(None if all_of_them else known.get("peers"), new["peers"])
    verdicts = [bar.plain() for bar in bars.bars(rules, clean, peers)]
    return {"run": new["run"], "bars": verdicts, "clean": clean, "rules": rules, "peers": peers}


def main(arguments: list[str] | None = None) -> int:
    """Run it; exit status 1 if something falls short of the bars."""
    chosen = options(arguments)
    rules = select_rules([code for code in chosen.only.split(",") if code])
    pythons = beside.there(chosen.peers)
    start = time.monotonic()
    keep = None if chosen.quick else chosen.keep
    figures, clean, peers = measure(rules, pythons, chosen.jobs, chosen.quick, keep)
    versions = {name: item["version"] for name, item in peers.items() if item["run"]}
    told = f"{page.machine()}. {page.versions(versions)}."
    new: dict[str, Any] = {"run": told, "rules": figures, "clean": None if chosen.only else clean, "peers": peers}
    print(section(joined({}, new, True)))
    verdicts = bars.bars(figures, new["clean"], peers)
    print(f"\n{bars.told(verdicts)}\n\n{(time.monotonic() - start) / 60:.1f} minutes")
    if chosen.write:
        known = json.loads(OUT.read_text()) if OUT.exists() else {}
        result = joined(known, new, not chosen.only)
        OUT.write_text(json.dumps(result, indent=1) + "\n")
        SHIPPED.write_text(json.dumps(shipped(result["rules"]), indent=1) + "\n")
        page.put("detection", section(result))
    return int(any(bar.fails for bar in verdicts))


if __name__ == "__main__":
    sys.exit(main())
