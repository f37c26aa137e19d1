"""Who takes part in the speed benchmark, and the command of each."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.budgets import AGAIN, CLEANVISION, DRAFT, FAST, FASTDUP, GROUPS, HELP, ONE, PARSE, START, TWO, WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]

QUIET = {
    "MPLBACKEND": "Agg",
    "DO_NOT_TRACK": "1",
    "SENTRY_OPT_OUT": "1",
    "DEEPCHECKS_DISABLE_ANALYTICS": "1",
    "YDATA_PROFILING_NO_ANALYTICS": "True",
}
"""Peers that draw or phone home do neither."""


@dataclass(frozen=True)
class Contestant:
    """One command on one data set."""

    name: str
    command: list[str]
    cache: Path | None = None
    """datalint's cache, to read the whole report back from."""
    fresh: bool = False
    """Whether the cache is emptied before each run."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The same options for the Python API."""
    answer: Path | None = None
    """Where a peer says what it found."""


@dataclass(frozen=True)
class Peer:
    """Another tool for the same job."""

    name: str
    script: str
    works: frozenset[str]
    needs: tuple[str, ...]
    """Modules that must be there."""
    places: tuple[str, ...]
    """Names that its environment may have."""
    careful: bool = False
    """Whether broken files must be hidden from it."""


PEERS = (
    Peer(CLEANVISION, "cleanvision", frozenset({"I0", "I1"}), ("cleanvision",), (CLEANVISION,), careful=True),
    Peer(FASTDUP, "fastdup", frozenset({"I0", "I1"}), ("fastdup",), (FASTDUP,)),
    # On T1 it takes many minutes and more memory than most machines have: T0 alone takes 3 GB.
    Peer("cleanlab Datalab", "datalab", frozenset({"T0"}), ("cleanlab", "datasets"), ("cleanlab",)),
    Peer("pandera", "pandera", frozenset({"T0", "T1"}), ("pandera",), ("pandera",)),
    Peer("skrub", "skrub", frozenset({"T0", "T1"}), ("skrub",), ("skrub",)),
    Peer("deepchecks", "deepchecks", frozenset({"T0", "T1"}), ("deepchecks",), ("deepchecks", "deepchecks_pinned")),
    Peer(
        "fg-data-profiling (minimal)",
        "data_profiling",
        frozenset({"T0", "T1"}),
        ("data_profiling",),
        ("fgprofiling", "fg-data-profiling", "ydata"),
    ),
)


def environment() -> dict[str, str]:
    """Of all contestants: this checkout comes first, and compiled modules are kept as they are for users."""
    path = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "rules"), os.environ.get("PYTHONPATH")]))
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | QUIET | {"PYTHONPATH": path}


def installed(folder: Path | None) -> dict[Peer, str]:
    """The peers that can run here, each with the interpreter to run it by."""
    found = {}
    for peer in PEERS:
        places = [folder / place / "bin" / "python" for place in peer.places] if folder else []
        own = next((str(place) for place in places if place.exists()), None)
        if own is not None:
            found[peer] = own
        elif all(importlib.util.find_spec(module) for module in peer.needs):
            found[peer] = sys.executable
    return found


def version(peer: Peer, python: str) -> str:
    """The peer's version as its distribution tells it."""
    code = (
        "import sys, importlib.metadata as m\n"
        f"names = m.packages_distributions().get({peer.needs[0]!r}) or []\n"
        "print(m.version(names[0]) if names else '')"
    )
    told = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "of unknown version"


def limit(work: str) -> str:
    """What a data set's contestants are held against."""
    if work == "start":
        return START
    return DRAFT if work.startswith("I") else GROUPS if work.endswith("Parquet") else PARSE


def contestants(
    work: str, source: Path, folder: Path, peers: Mapping[Peer, str], broken: list[str]
) -> list[Contestant]:
    """All that run on one data set, in the order in which they take turns."""
    probe = {DRAFT: "draft", GROUPS: "groups", PARSE: "parse"}[limit(work)]
    here = folder / work.replace(" ", "-")
    fast = {"preset": "fast"}
    found = [
        Contestant(limit(work), [sys.executable, str(ROOT / "benchmarks" / "limits.py"), probe, str(source)]),
        _datalint(FAST, source, here / "fast", fast),
    ]
    if work == "T10":
        return [_datalint(ONE, source, here / "one", fast | {"jobs": 1})]
    if work.endswith("Parquet"):
        return found
    found += [
        _datalint(WHOLE, source, here / "whole", {}),
        _datalint(AGAIN, source, here / "whole", {}, fresh=False),
        _datalint(ONE, source, here / "one", fast | {"jobs": 1}),
        _datalint(TWO, source, here / "two", fast | {"jobs": 2}),
    ]
    for peer, python in peers.items():
        if work in peer.works:
            answer = here / f"{peer.script}.json"
            hidden = broken if peer.careful else []
            command = [python, "-m", f"benchmarks.peers.{peer.script}", str(source), str(answer), *hidden]
            found.append(Contestant(peer.name, command, answer=answer))
    return found


def _datalint(name: str, source: Path, here: Path, options: dict[str, Any], *, fresh: bool = True) -> Contestant:
    """A scan as anybody would run it: with cache and reports."""
    chosen = [text for option, value in options.items() for text in (f"--{option}", str(value))]
    places = ["--cache-dir", str(here / "cache"), "--output-dir", str(here / "report")]
    command = [sys.executable, "-m", "datalint", "scan", str(source), "--fail-on", "never", *places, *chosen]
    return Contestant(name, command, here / "cache", fresh, options)


def starts() -> list[Contestant]:
    """Starting up, with nothing to do."""
    return [
        Contestant(START, [sys.executable, str(ROOT / "benchmarks" / "limits.py"), "help"]),
        Contestant(HELP, [sys.executable, "-m", "datalint", "--help"]),
    ]
