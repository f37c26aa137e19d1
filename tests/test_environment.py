"""The same findings wherever datalint runs: without a home, rights, descriptors, disk, locale or standard streams."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.command import ROOT, call, environment
from tests.test_bad_input import powerless

if TYPE_CHECKING:
    from collections.abc import Callable

SCAN = ("scan", "data", "--preset", "fast", "--exit-zero", "--output-dir", "out")
AS_MODULE = ("-m", "datalint")
ISOLATED = ("-I", "-c", f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'rules')]!r}; from datalint.cli import main; main()")  # fmt: skip
NOBODY = 65_534


def lay(folder: Path) -> Path:
    """Two tables with an odd name in them, in a folder that everybody may write to."""
    (folder / "data").mkdir()
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        frame = pd.DataFrame(rng.normal(size=(300, 3)).round(4), columns=["a", "b", "größe"])
        frame["label"] = np.sort(rng.choice(["катя", "x"], len(frame)))
        frame.to_csv(folder / "data" / f"{name}.csv", index=False)
    folder.chmod(0o777)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The tables, of which nothing is known yet."""
    return lay(tmp_path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is found in them where nothing is in the way."""
    folder = lay(tmp_path_factory.mktemp("usual"))
    assert call(folder, *SCAN).status == 0
    found = findings(folder)
    assert found
    return found


def run(
    place: Path,
    *more: str,
    python: tuple[str, ...] = AS_MODULE,
    extra: dict[str, str] | None = None,
    without: tuple[str, ...] = (),
    **options: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Scan; the report lies in ``out``."""
    settings = {name: value for name, value in environment(place, extra).items() if name not in without}
    return subprocess.run(
        [sys.executable, "-W", "error", *python, *SCAN, *more],
        cwd=place,
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
        **options,
    )


def findings(place: Path) -> set[str]:
    """Fingerprints of what the report holds."""
    report = json.loads((place / "out" / "report.json").read_bytes())
    return {finding["fingerprint"] for dataset in report["datasets"] for finding in dataset["findings"]}


def few_descriptors() -> None:
    """``ulimit -n 64``."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def full_disk() -> None:
    """What a full disk answers: a write that fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preexec_fn": few_descriptors}, ""),
        ({"without": ("HOME", "XDG_CACHE_HOME")}, None),
        ({"extra": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}}, ""),
        ({"extra": {"HOME": "/nowhere", "XDG_CACHE_HOME": "/nowhere/deep"}}, None),
        ({"extra": {"TMPDIR": "/nowhere"}}, ""),
        ({"python": ("-O", *AS_MODULE)}, ""),
        ({"python": ("-OO", *AS_MODULE)}, ""),
        ({"python": ISOLATED}, ""),
    ],
    ids=["64 descriptors", "no home", "C locale", "read-only home", "no TMPDIR", "-O", "-OO", "-I"],
)
def test_the_same_findings(place: Path, usual: set[str], options: dict[str, Any], words: str | None) -> None:
    done = run(place, **options)
    assert done.returncode == 0, done.stderr
    assert findings(place) == usual
    err = done.stderr.decode()
    if words is None:  # a notice that nothing can be kept
        assert all(line.startswith("datalint: ") for line in err.splitlines())
    else:
        assert err == words


def test_workers_with_few_descriptors(place: Path) -> None:
    done = run(place, "--jobs", "2", "--no-cache", preexec_fn=few_descriptors)
    assert (done.returncode, done.stderr) == (0, b"")
    assert findings(place)


def open_to_all(path: Path) -> bool:
    """Whether anybody may read what lies there."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


@pytest.mark.parametrize("number", [NOBODY, 54_321])
def test_somebody_without_rights_or_a_home(place: Path, number: int) -> None:
    """As nobody and as a user whom the system does not know, where the tests may become that; else as who runs them."""
    known = (Path(sys.executable), Path(json.__file__), Path(np.__file__), ROOT / "x", place / "x")
    options: dict[str, Any] = {}
    if os.geteuid() == 0 and all(map(open_to_all, known)):
        options = {"user": number, "group": number, "extra_groups": []}
    done = run(place, without=("HOME", "XDG_CACHE_HOME"), **options)
    assert done.returncode == 0, done.stderr
    assert findings(place)
    assert all(line.startswith(b"datalint: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_standard_streams_that_are_closed(place: Path, closed: str) -> None:
    command = f"exec {sys.executable} -m datalint {' '.join(SCAN)} {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=place, env=environment(place), capture_output=True, check=False)
    assert done.returncode == (2 if "full" in closed else 0)
    assert b"Traceback" not in done.stdout + done.stderr
    assert findings(place)


@pytest.mark.parametrize("trouble", [full_disk, powerless])
def test_a_report_that_cannot_be_written(place: Path, trouble: Callable[[], None]) -> None:
    """On a full disk, or in a folder that may only be read: one line, and the report that was there stays whole."""
    assert call(place, *SCAN).status == 0
    before = {path.name: path.read_bytes() for path in (place / "out").iterdir()}
    if trouble is powerless:
        (place / "out").chmod(0o555)
    try:
        done = run(place, preexec_fn=trouble)
    finally:
        (place / "out").chmod(0o755)
    assert done.returncode == 2
    assert done.stderr.startswith(b"datalint: cannot write") and done.stderr.count(b"\n") == 1
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == before


def test_a_cache_that_cannot_be_written(place: Path, usual: set[str]) -> None:
    assert call(place, *SCAN).status == 0
    (place / ".cache").chmod(0o555)
    for folder in list((place / ".cache").rglob("*")):
        folder.chmod(0o555 if folder.is_dir() else 0o444)
    (place / "data" / "more.csv").write_text("a,b,größe,label\n1,2,3,x\n")
    done = run(place, preexec_fn=powerless)
    assert done.returncode == 0
    assert all(line.startswith(b"datalint: ") for line in done.stderr.splitlines())
    assert findings(place) & usual


@pytest.mark.parametrize("more", [(), ("--no-cache", "--jobs", "2")], ids=["cache", "results of workers"])
def test_a_full_disk_costs_no_more_than_the_cache(place: Path, more: tuple[str, ...]) -> None:
    done = run(place, "--no-report", *more, preexec_fn=full_disk)
    assert done.returncode == 0, done.stderr
    assert b"more on a rule: datalint explain" in done.stdout
    assert all(line.startswith(b"datalint: ") for line in done.stderr.splitlines())
    assert run(place).returncode == 0  # and what was kept of it does no harm
    assert findings(place)


def test_data_that_may_only_be_read(place: Path) -> None:
    (place / "data").chmod(0o555)
    try:
        done = run(place, preexec_fn=powerless)
    finally:
        (place / "data").chmod(0o755)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in (place / "data").iterdir()) == ["test.csv", "train.csv"]


def test_no_room_for_temporary_files(place: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 10**9, (60_000, 3)), columns=["a", "b", "größe"]).assign(label="x")
    frame.to_csv(place / "data" / "train.csv", index=False)
    done = run(place, "--memory", "2MB", "--no-cache", "--no-report", preexec_fn=full_disk)
    assert done.returncode in {0, 2}
    assert done.stderr.count(b"\n") == (1 if done.returncode else 0)
    assert done.stderr.startswith(b"datalint: ") or not done.stderr
