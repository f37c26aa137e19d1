"""datalint next to what cannot be undercut and next to its peers: ``python -m benchmarks.speed``.

Makes the data, runs every contestant as a process of its own, in turns, and prints what each took (CPU seconds of the
whole process tree, wall time, peak memory), what each found of the planted faults, and which budgets are kept. CPU seconds
and their ratios within one run can be quoted from a busy machine; wall times cannot. With ``--write`` the outcome replaces
the section in ``benchmarks/README.md``. Needs Linux, and scikit-image for the photos.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import data, page
from benchmarks.budgets import FAST, Figures, verdicts
from benchmarks.contestants import PEERS as ALL_PEERS
from benchmarks.contestants import ROOT, contestants, environment, installed, limit, starts, version
from benchmarks.scoring import Score, of_datalint, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.contestants import Contestant

BIG = 10
"""How many times T1 is written over for the memory budget."""

Results = dict[tuple[str, str], list[Figures]]


def run(contestant: Contestant, folder: Path, seconds: float) -> Figures:
    """One run of one contestant."""
    if contestant.fresh and contestant.cache is not None:
        shutil.rmtree(contestant.cache, ignore_errors=True)
    if contestant.answer is not None:
        contestant.answer.unlink(missing_ok=True)
    for path in (contestant.cache, contestant.answer):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    out, log = folder / "figures.json", folder / "log.txt"
    meter = [sys.executable, str(ROOT / "benchmarks" / "meter.py"), str(out), str(seconds)]
    # Peers leave files where they run; datalint's cache knows a scan by where it was run.
    place = folder if contestant.answer is not None else None
    with log.open("wb") as file:
        subprocess.run(
            [*meter, *contestant.command], stdout=file, stderr=file, env=environment(), cwd=place, check=True
        )
    figures = json.loads(out.read_text())
    status = ""
    if figures["stopped"]:
        status = f"stopped after {seconds:,.0f} CPU s"
    elif figures["status"]:
        status = f"failed (exit status {figures['status']})"
        print("\n".join(log.read_text(errors="replace").splitlines()[-5:]), file=sys.stderr)
    return Figures(figures["cpu"], figures["wall"], figures["memory"], 1, status)


def scores(work: str, source: Path, truth: data.Truth, contestant: Contestant) -> dict[str, Score] | None:
    """What a contestant found; None for those that look for nothing."""
    if contestant.answer is not None:
        return score(work, truth, json.loads(contestant.answer.read_text()))
    if contestant.cache is None:
        return None
    from datalint import scan

    # The same scan again comes out of the cache, and with all samples: the report's file lists the first hundred.
    report = scan([str(source)], splits={}, cache_dir=contestant.cache, **contestant.options)
    findings = [(finding, report.samples(finding)) for finding in report.datasets[0].findings]
    judged = {rule.code for rule in report.datasets[0].rules if rule.status in {"found", "passed"}}
    return score(work, truth, of_datalint(work, findings, judged))


def contest(
    work: str, source: Path, truth: data.Truth, entrants: Sequence[Contestant], folder: Path, options: Any
) -> Results:
    """All contestants on one data set, in turns."""
    _read(source)
    results: Results = {}
    for turn in range(options.runs):
        for contestant in entrants:
            peer = contestant.answer is not None
            if peer and turn:
                continue  # minutes each; their ratios are far from any bound
            figures = run(contestant, folder, options.seconds)
            last = peer or turn == options.runs - 1
            if last and not figures.status and work != "T10":
                told = scores(work, source, truth, contestant)
                figures = Figures(figures.cpu, figures.wall, figures.memory, 1, "", told)
            results.setdefault((work, contestant.name), []).append(figures)
            shown = figures.status or f"{figures.cpu:.2f} CPU s, {figures.wall:.2f} s, {figures.memory / 1e6:,.0f} MB"
            print(f"{work}, run {turn + 1}: {contestant.name}: {shown}", file=sys.stderr, flush=True)
    return results


def _read(source: Path) -> None:
    """Read all there is once, so that no contestant pays for the disk."""
    for file in sorted(source.rglob("*.*")) if source.is_dir() else [source]:
        with file.open("rb", 0) as content:
            while content.read(1 << 20):
                pass


def measure(options: Any, folder: Path) -> tuple[dict[tuple[str, str], Figures], dict[str, str]]:
    """Run everything that was asked for."""
    peers = installed(options.peers)
    results: Results = {}
    for peer in ALL_PEERS:
        if peer not in peers:
            print(f"{peer.name} is not installed", file=sys.stderr)
    # The first start of a checkout compiles it.
    warm = [
        sys.executable,
        "-m",
        "datalint",
        "scan",
        str(ROOT / "sample_data"),
        "--exit-zero",
        "--no-report",
        "--no-cache",
    ]
    subprocess.run(warm, env=environment(), capture_output=True, check=True)
    for _ in range(max(5, options.runs)):
        for contestant in starts():
            results.setdefault(("start", contestant.name), []).append(run(contestant, folder, 60))
    for work in options.work:
        print(f"making {work} in {options.data}", file=sys.stderr, flush=True)
        truth = data.ensure(options.data, work)
        if work.startswith("I"):
            broken = [name for name, _ in truth["corrupt"]]
            plans = [(work, options.data / work, contestants(work, options.data / work, folder, peers, broken))]
        else:
            files = {work: options.data / f"{work}.csv", f"{work} Parquet": options.data / f"{work}.parquet"}
            plans = [(name, file, contestants(name, file, folder, peers, [])) for name, file in files.items()]
        for name, source, entrants in plans:
            results |= contest(name, source, truth, entrants, folder, options)
        if work == "T1":
            results |= _ten_times(options, folder)
    found = {peer.name: version(peer, python) for peer, python in peers.items() if peer.works & set(options.work)}
    return {key: page.median(runs) for key, runs in results.items()}, found


def _ten_times(options: Any, folder: Path) -> Results:
    """T1 ten times over, scanned and removed."""
    big = options.data / "T10.csv"
    needed, free = 11 * (options.data / "T1.csv").stat().st_size, shutil.disk_usage(options.data).free
    if free < needed:
        print(f"T10 left out: it needs {needed / 1e9:.1f} GB in {options.data}", file=sys.stderr)
        return {}
    print(f"making T10 in {options.data}", file=sys.stderr, flush=True)
    try:
        data.times(options.data / "T1.csv", big, BIG)
        return contest("T10", big, {}, contestants("T10", big, folder, {}, []), folder, options)
    finally:
        big.unlink(missing_ok=True)


def text(measured: dict[tuple[str, str], Figures], peers: dict[str, str], options: Any) -> str:
    """The outcome as markdown."""
    runs = "one run each" if options.runs == 1 else f"medians of {options.runs} runs in turns, of peers one run"
    parts = [f"{page.machine()}. {runs[0].upper()}{runs[1:]}. {page.versions(peers)}."]
    works = list(dict.fromkeys(work for work, _ in measured))
    for work in works:
        parts += [f"### {TITLES.get(work, work)}", page.contest(work, measured, limit(work), FAST)]
    parts += ["### Budgets", page.promises(verdicts(measured))]
    return "\n\n".join(parts)


TITLES = {
    "start": "Start-up",
    "T0": "T0: table of 50,000 x 30, 13 MB of CSV",
    "T0 Parquet": "T0 as Parquet",
    "T1": "T1: table of 1,000,000 x 30, 265 MB of CSV",
    "T1 Parquet": "T1 as Parquet",
    "T10": "T10: T1 ten times over with fresh noise, 2.6 GB of CSV",
    "I0": "I0: 1,000 JPEG photos, 68 MB",
    "I1": "I1: 10,000 JPEG photos, 693 MB",
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    about = (__doc__ or "").split("\n\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=about)
    default = Path(tempfile.gettempdir()) / "datalint-benchmarks"
    parser.add_argument(
        "--data", type=Path, default=default, metavar="DIR", help=f"where the data is or goes ({default})"
    )
    parser.add_argument("--peers", type=Path, metavar="DIR", help="folder of virtual environments named like the peers")
    parser.add_argument("--work", metavar="NAMES", help="data sets: T0,T1,I0,I1 (all)")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each contestant (3)")
    parser.add_argument("--seconds", type=float, default=900, metavar="S", help="CPU seconds that a run may take (900)")
    parser.add_argument("--quick", action="store_true", help="T0 and I0, one run")
    parser.add_argument("--write", action="store_true", help=f"keep the outcome in {page.PAGE.name}")
    options = parser.parse_args(arguments)
    known = [*data.ROWS, *data.PHOTOS]
    options.work = options.work.split(",") if options.work else ["T0", "I0"] if options.quick else known
    options.runs = options.runs or (1 if options.quick else 3)
    if not set(options.work) <= set(known):
        parser.error(f"--work: choose from {','.join(known)}")
    # Contestants run elsewhere.
    options.data = options.data.resolve()
    options.peers = options.peers.resolve() if options.peers else None
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; exit status 1 if a budget is not kept, 2 if it cannot run."""
    options = parse(arguments)
    if not Path("/proc/self/stat").exists():
        print("this benchmark reads /proc: it needs Linux", file=sys.stderr)
        return 2
    os.environ.pop("DATALINT_CACHE_DIR", None)
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        try:
            measured, peers = measure(options, Path(name))
        except data.NoPhotos as error:
            print(error, file=sys.stderr)
            return 2
        outcome = text(measured, peers, options)
    print(outcome)
    if options.write:
        page.put("speed", outcome)
    return int(any(verdict.word == "FAIL" for verdict in verdicts(measured)))


if __name__ == "__main__":
    sys.exit(main())
