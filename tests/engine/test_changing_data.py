"""Data and machines that change under a scan: files that grow, shrink or vanish, a full disk, an interrupt, flat memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.engine.cache import MARK, TAG, Cache, Cached, sources_stamp
from datalint.engine.engine import Serial, Tally
from datalint.engine.measure import measure
from datalint.engine.plan import Measured, plan
from datalint.judge.judge import judge
from datalint.measures.base import Settings
from datalint.rules.packs import pack_folders
from datalint.rules.registry import select_rules
from tests.command import COMMAND, environment
from tests.engine.test_cache import _bytes, _read

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, rows: int, seed: int = 0, form: str = "csv") -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)).round(4), columns=["a", "b", "c", "d"])
    frame["label"] = rng.choice(["x", "y"], rows)
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)


def judged(dataset: Any) -> Any:
    rules = [rule() for rule in select_rules(["FIL101", "ORD101", "DUP101", "VAL101"])]
    return judge(measure(dataset, rules, Settings(), Serial()), rules).report


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("change", ["vanishes", "shrinks", "grows"])
def test_a_file_that_changes_after_it_was_recognised(tmp_path: Path, form: str, change: str) -> None:
    for k in range(3):
        write(tmp_path / f"part-{k}.{form}", 2_000, k, form)
    (dataset,) = datalint.detect(tmp_path)
    victim = tmp_path / f"part-1.{form}"
    content = victim.read_bytes()
    if change == "vanishes":
        victim.unlink()
    elif change == "shrinks":
        victim.write_bytes(content[: len(content) // 2])
    else:
        write(victim, 3_000, 1, form)
    report = judged(dataset)
    assert [status for status in report.rules if status.status == "failed"] == []
    samples = report.splits[0].samples
    if change == "grows":
        assert samples == 7_000
    elif form == "csv" and change == "shrinks":
        assert 4_000 < samples < 6_000
    else:
        assert samples == 4_000
        (finding,) = (finding for finding in report.findings if finding.code == "FIL101")
        assert f"part-1.{form}" in finding.affected.samples[0].id


def test_an_image_that_vanishes(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / label).mkdir()
        for k in range(5):
            Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).save(tmp_path / label / f"{k}.png")
    (dataset,) = datalint.detect(tmp_path)
    (tmp_path / "a" / "3.png").unlink()
    rules = [rule() for rule in select_rules(["IMG", "VAL101", "DUP101"]) if not rule.trains]
    report = judge(measure(dataset, rules, Settings(), Serial()), rules).report
    assert [status for status in report.rules if status.status == "failed"] == []
    assert any("3.png" in sample.id for f in report.findings for sample in f.affected.samples if f.code == "IMG103")


def test_a_full_disk_is_no_reason_to_fail(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 3_000)
    code = (
        "import datalint, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"  # what a full disk answers: a write that fails
        "report = datalint.scan('a.csv', cache_dir='cache', preset='fast')\n"
        "print(report.datasets[0].splits[0].samples)\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3000\n", "")
    # What is small enough fits; of the rest there is not even half an entry.
    left = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.name for path in left if path.parent.name == "cache"} <= {TAG, MARK}
    keys = [path.parent.name + path.name for path in left if path.parent.name != "cache"]
    assert all(Cache(tmp_path / "cache").get(key) is not None for key in keys)


def test_a_shard_in_the_middle_is_the_only_one_read(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for k in (0, 1, 2, 5, 6):
        write(folder / f"part-{k}.csv", 300, k)
    cache = Cache(tmp_path / "cache")
    _read(folder, cache)
    write(folder / "part-3.csv", 300, 3)
    assert _read(folder, cache) == [3]
    datalint.scan(folder, cache_dir=tmp_path / "cache")
    write(folder / "part-4.csv", 300, 4)
    kept = datalint.scan(folder, cache_dir=tmp_path / "cache")
    assert _bytes(kept) == _bytes(datalint.scan(folder, cache=False))


def test_one_more_image_reads_one_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from datalint.sources.images import files as images

    monkeypatch.setattr(images, "FILES", 8)
    monkeypatch.setattr(images.image_partitions, "__defaults__", (8,))
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    for label in "abc":
        (folder / label).mkdir(parents=True)
        for k in range(40):
            Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).save(folder / label / f"{k:03}.png")
    cache = Cache(tmp_path / "cache")
    whole = _read(folder, cache)
    assert len(whole) > 8
    assert _read(folder, cache) == []
    Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).save(folder / "a" / "0205.png")
    assert len(_read(folder, cache)) <= 2


def test_another_default_in_a_rule_is_another_result(tmp_path: Path) -> None:
    """The report's key holds the state of every rule's source."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "rule.py").write_text("cut = 3")
    before = sources_stamp(pack)
    assert sources_stamp(pack) == before
    (pack / "rule.py").write_text("cut = 4")
    assert sources_stamp(pack) != before
    assert {folder.name for folder in pack_folders()} >= {"datalint_rules"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_stops_at_once_and_leaves_the_cache_useful(tmp_path: Path, jobs: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "part-00.csv", 30_000)
    content = (folder / "part-00.csv").read_bytes()
    for k in range(1, 60):
        (folder / f"part-{k:02}.csv").write_bytes(content)
    cache = tmp_path / "cache"
    command = [
        *COMMAND,
        "scan",
        str(folder),
        "--no-report",
        "--preset",
        "fast",
        "--jobs",
        jobs,
        "--cache-dir",
        str(cache),
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for _ in range(6000):
            if process.poll() is not None or _entries(cache) >= 2:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "datalint: interrupted; no report was written")
    kept = _entries(cache)
    assert 2 <= kept < 60
    assert len(_again(folder, cache)) == 60 - kept


def _entries(cache: Path) -> int:
    return sum(1 for path in cache.rglob("*") if path.is_file() and path.name != "CACHEDIR.TAG" and len(path.name) > 60)


class Idle:
    """An engine that says which partitions it would have to read, and reads none."""

    name, jobs = "serial", 1

    def __init__(self) -> None:
        self.asked: list[int] = []

    def measure(self, partitions: Any, plan: Any, progress: Any) -> Any:
        self.asked += [number for number, _ in partitions]
        return iter([Measured({}) for _ in partitions])


def _again(folder: Path, cache: Path) -> list[int]:
    """Which partitions a second scan with the same rules has to read."""
    (dataset,) = datalint.detect(folder)
    quick = [rule() for rule in select_rules() if not rule.trains and "table" not in rule.searches]
    engine = Idle()
    tasks = list(enumerate(dataset.partitions))
    list(Cached(engine, Cache(cache)).measure(tasks, plan(quick, dataset, Settings()), lambda _: None))
    return engine.asked


def test_memory_stays_flat_when_the_data_is_ten_times_larger_than_the_budget(tmp_path: Path) -> None:
    """Peak memory of the process, on a stream whose hashes alone are ten times the budget, against a tenth of it."""
    peaks = []
    for rows in (80_000, 800_000):
        rng = np.random.default_rng(0)
        with (tmp_path / "t.csv").open("w") as file:
            file.write("a,b,label\n")
            for _ in range(rows // 40_000):
                block = rng.integers(0, 10**9, (40_000, 2))
                file.writelines(f"{a},{b},{'x' if a % 2 else 'y'}\n" for a, b in block)
        code = (
            "import datalint, json, resource\n"
            "report = datalint.scan('t.csv', label='label', cache=False, preset='fast', memory=3_200_000)\n"
            "rule = next(r for r in report.datasets[0].rules if r.code == 'DUP101')\n"
            "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "print(json.dumps([report.datasets[0].splits[0].samples, rule.coverage, peak]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=True,
        )
        samples, coverage, peak = json.loads(done.stdout)
        assert samples == rows
        assert coverage == "all samples" if rows == 80_000 else coverage.startswith("a sample of")
        peaks.append(peak)
    assert peaks[1] <= 1.2 * peaks[0]


def test_the_share_that_is_done_grows_to_one(tmp_path: Path) -> None:
    for k in range(4):
        write(tmp_path / f"part-{k}.csv", 500, k)
    told: list[tuple[int, float]] = []
    datalint.scan(tmp_path, cache=False, preset="fast", progress=lambda samples, share: told.append((samples, share)))
    assert sum(samples for samples, _ in told) == 2_000
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_partition_whose_file_is_gone_weighs_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 50)
    (dataset,) = datalint.detect(tmp_path)
    (tmp_path / "a.csv").unlink()
    told: list[float] = []
    Tally(dataset.partitions, lambda _, share: told.append(share)).finish(dataset.partitions[0])
    assert told == [0.0]
