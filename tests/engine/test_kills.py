"""Signals at random moments, to the command and to its workers: time is lost, and nothing else."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from tests.command import COMMAND, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 20
SHARDS = 24


@dataclass(frozen=True)
class Reference:
    """The data, and what comes of a scan that nobody disturbs."""

    folder: Path
    report: Any
    seconds: float


def scan(folder: Path, place: Path) -> subprocess.Popen[str]:
    """A scan with two workers in a process group of its own."""
    options = (
        "--preset",
        "fast",
        "--jobs",
        "2",
        "--cache-dir",
        str(place / "cache"),
        "--output-dir",
        str(place / "out"),
    )
    return subprocess.Popen(
        [*COMMAND, "scan", "data", *options, "--exit-zero"],
        cwd=folder,
        env=environment(folder, {"CI": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Shards enough that two workers have something to do."""
    place = tmp_path_factory.mktemp("kills")
    (place / "data").mkdir()
    rng = np.random.default_rng(0)
    for k in range(SHARDS):
        frame = pd.DataFrame(rng.normal(size=(1_500, 5)).round(4), columns=list("abcde"))
        frame["label"] = rng.choice(["x", "y"], len(frame))
        frame.to_csv(place / "data" / f"part-{k:02}.csv", index=False)
    began = time.monotonic()
    with scan(place, place) as process:
        out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, ""), out
    return Reference(place, read(place / "out" / "report.json"), time.monotonic() - began)


def read(path: Path) -> Any:
    """A report without the block of times and machine."""
    report = json.loads(path.read_bytes())
    report.pop("run")
    return report


def processes(group: int) -> Iterator[tuple[int, str]]:
    """The living processes of a group, with their command lines."""
    for entry in Path("/proc").iterdir():
        try:
            state, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if entry.name.isdigit() and int(of) == group and state not in "ZX":
                yield int(entry.name), (entry / "cmdline").read_text()
        except (OSError, ValueError):
            continue


def wait_for(what: Any, seconds: float) -> Any:
    """Ask again until there is an answer or time is up."""
    end = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < end:
        time.sleep(0.01)
    return answer


def nothing_is_broken(reference: Reference, place: Path, group: int, err: str, *, killed: bool = False) -> None:
    """No orphans, no halves, no traceback; and nothing that is not whole, but for a command that was ``killed``."""
    assert "Traceback" not in err
    assert wait_for(lambda: not list(processes(group)), 20), list(processes(group))
    written = {path.name for path in (place / "out").rglob("*")}
    if killed:  # what it was writing has a name of its own until it is whole
        written = {name for name in written if not name.startswith(".datalint-")}
    assert written <= {".gitignore", "report.json", "report.html"}
    if "report.json" in written:
        assert read(place / "out" / "report.json") == reference.report
    if "report.html" in written:
        assert (place / "out" / "report.html").read_text(encoding="utf-8").endswith("</html>\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_command_is_stopped(reference: Reference, tmp_path: Path, number: signal.Signals) -> None:
    r = random.Random(int(number))
    stopped = 0
    for time_ in range(TIMES):
        place = tmp_path / str(time_)
        place.mkdir()
        with scan(reference.folder, place) as process:
            # Before it has loaded anything, an interrupt is answered by Python itself, with a traceback.
            maps = Path(f"/proc/{process.pid}/maps")
            assert wait_for(lambda maps=maps: "numpy" in maps.read_text(), 60)
            time.sleep(r.uniform(0, 0.8 * reference.seconds))
            process.send_signal(number)
            _, err = process.communicate(timeout=120)
        nothing_is_broken(reference, place, process.pid, err, killed=number != signal.SIGINT)
        if process.returncode == 0:
            continue  # it had finished
        stopped += 1
        if number == signal.SIGINT and process.returncode == -signal.SIGINT:  # all was written
            assert (err, (place / "out" / "report.json").exists()) == ("", True)
        elif number == signal.SIGINT:
            assert process.returncode == 130
            (words,) = err.split("\n")[1:-1] if err.startswith("\n") else err.split("\n")[:-1]  # a line of its own
            assert words.startswith("datalint: interrupted")
            if "while the reports were written" not in err:
                assert ("no report was written" in err) == (not (place / "out" / "report.json").exists())
        else:
            assert (process.returncode, err) == (-number, "")
        again = datalint.scan(reference.folder / "data", preset="fast", cache_dir=place / "cache", jobs=1)
        assert {f.fingerprint for f in again.findings} == fingerprints(reference)
    assert stopped >= TIMES // 4


def fingerprints(reference: Reference) -> set[str]:
    """Of all that is found."""
    return {finding["fingerprint"] for dataset in reference.report["datasets"] for finding in dataset["findings"]}


@pytest.mark.slow
def test_a_worker_is_killed(reference: Reference, tmp_path: Path) -> None:
    r = random.Random(0)
    killed = 0
    for time_ in range(TIMES):
        place = tmp_path / str(time_)
        place.mkdir()
        with scan(reference.folder, place) as process:
            group = process.pid

            def workers(group: int = group) -> list[int]:
                return [pid for pid, command in processes(group) if "popen_loky" in command or "LokyProcess" in command]

            wait_for(lambda process=process, workers=workers: workers() or process.poll() is not None, 60)
            time.sleep(r.uniform(0, 0.3 * reference.seconds))
            if victims := workers():
                try:
                    os.kill(r.choice(victims), signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
            _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        nothing_is_broken(reference, place, group, err)
        assert read(place / "out" / "report.json") == reference.report
    assert killed >= TIMES // 4
