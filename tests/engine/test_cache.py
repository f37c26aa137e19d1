"""Unchanged data is not read again; changed, damaged or foreign entries never matter."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.engine.cache import Cache, Cached
from datalint.engine.engine import Serial
from datalint.engine.freeze import Damaged, freeze, thaw
from datalint.engine.plan import Plan
from datalint.measures.base import Settings
from datalint.measures.columns import NumberStats
from datalint.measures.order import LabelRuns
from datalint.measures.problems import Problems
from datalint.measures.sample import Sample

if TYPE_CHECKING:
    from pathlib import Path


def _write(path: Path, seed: int, rows: int = 200) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)).round(4), columns=["a", "b", "c"])
    frame["label"] = rng.choice(["x", "y"], rows)
    frame.to_csv(path, index=False)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(6):
        _write(folder / f"part-{k}.csv", k)
    return folder


def _bytes(report: datalint.Report) -> str:
    return report.model_dump_json(by_alias=True, exclude={"run"})


class Counting:
    """An engine that says which partitions it had to read."""

    name, jobs = "serial", 1

    def __init__(self) -> None:
        self.read: list[int] = []

    def measure(self, partitions: Any, plan: Any, progress: Any) -> Any:
        self.read += [number for number, _ in partitions]
        return Serial().measure(partitions, plan, progress)


def _read(folder: Path, cache: Cache, settings: Settings | None = None) -> list[int]:
    engine = Counting()
    tasks = list(enumerate(datalint.detect(folder)[0].partitions))
    plan = Plan.of((LabelRuns, NumberStats, Sample), settings or Settings())
    list(Cached(engine, cache).measure(tasks, plan, lambda _: None))
    return engine.read


def entries(folder: Path) -> list[Path]:
    """The files that hold results."""
    return sorted(path for path in folder.rglob("??/*") if len(path.name) == 62)


def test_second_scan_reads_nothing_and_says_the_same(shards: Path, tmp_path: Path) -> None:
    first = datalint.scan(shards, cache_dir=tmp_path / "cache")
    again = datalint.scan(shards, cache_dir=tmp_path / "cache")
    assert again.run.engine == "cache"
    assert _bytes(again) == _bytes(first) == _bytes(datalint.scan(shards, cache=False))


def test_appending_a_shard_reads_one(shards: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert _read(shards, cache) == [0, 1, 2, 3, 4, 5]
    assert _read(shards, cache) == []
    _write(shards / "part-6.csv", 6)
    assert _read(shards, cache) == [6]


def test_content_changed_with_the_same_size_and_time(shards: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    _read(shards, cache)
    victim = shards / "part-2.csv"
    before = victim.stat()
    text = victim.read_text()
    victim.write_text(text.replace("x", "y", 1) if "x\n" in text else text)
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert victim.stat().st_size == before.st_size
    assert _read(shards, cache) == [2]


def test_paranoid_sees_only_content(shards: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", paranoid=True)
    _read(shards, cache)
    (shards / "part-2.csv").touch()
    assert _read(shards, cache) == []
    _write(shards / "part-2.csv", 99)
    assert _read(shards, cache) == [2]


def test_other_settings_are_other_results(shards: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    _read(shards, cache)
    assert _read(shards, cache, Settings(batch_size=8)) == [0, 1, 2, 3, 4, 5]
    first = datalint.scan(shards, cache_dir=tmp_path / "cache", batch_size=8)
    other = datalint.scan(shards, cache_dir=tmp_path / "cache", batch_size=16)
    assert other.run.engine != "cache"
    assert first.datasets[0].facts["batches"] != other.datasets[0].facts["batches"]


def test_other_rules_are_other_results(shards: Path, tmp_path: Path) -> None:
    datalint.scan(shards, cache_dir=tmp_path / "cache", select=["ORD"])
    other = datalint.scan(shards, cache_dir=tmp_path / "cache", select=["LBL"])
    assert {status.code[:3] for status in other.datasets[0].rules} == {"LBL"}


def test_another_version_reads_again(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path / "cache")
    _read(shards, cache)
    monkeypatch.setattr("datalint.engine.cache.__version__", "999")
    assert _read(shards, Cache(tmp_path / "cache")) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_damaged_entries_are_ignored_and_rebuilt(shards: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "cache"
    first = datalint.scan(shards, cache_dir=folder, preset="fast")
    kept = entries(folder)
    assert len(kept) == 9  # six partitions, the report, its samples and its pictures
    for path in kept:
        data = path.read_bytes()
        middle = len(data) // 2
        broken = {
            "cut": data[:middle],
            "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "empty": b"",
            "foreign": b"cos\nsystem\n(S'true'\ntR.",
        }[damage]
        path.write_bytes(broken)
    again = datalint.scan(shards, cache_dir=folder, preset="fast")
    assert again.run.engine != "cache"
    assert _bytes(again) == _bytes(first)
    assert datalint.scan(shards, cache_dir=folder, preset="fast").run.engine == "cache"


def test_a_folder_that_others_can_write_to_is_not_trusted(shards: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    _read(shards, cache)
    (tmp_path / "cache").chmod(0o777)
    assert _read(shards, cache) == [0, 1, 2, 3, 4, 5]


def test_two_scans_at_once(shards: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "datalint", "scan", str(shards), "--no-report", "--format", "json"]
    command += ["--preset", "fast"]
    command += ["--cache-dir", str(tmp_path / "cache")]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: subprocess.run(command, capture_output=True, text=True, check=False), range(3)))
    reports = {_bytes(datalint.Report.model_validate_json(run.stdout)) for run in runs}
    assert len(reports) == 1
    assert not list((tmp_path / "cache").rglob("tmp*"))


def test_a_cache_that_cannot_be_written_does_no_harm(shards: Path) -> None:
    report = datalint.scan(shards, cache_dir="/dev/null/cache")
    assert report.run.engine == "serial"


def test_frozen_states_come_back_whole(shards: Path) -> None:
    tasks = list(enumerate(datalint.detect(shards)[0].partitions))
    plan = Plan.of((LabelRuns, NumberStats, Sample), Settings())
    (part, *_) = Serial().measure(tasks, plan, lambda _: None)
    data = freeze(part.states)
    assert freeze(thaw(data)) == data
    for cut in (0, 10, len(data) // 2):
        with pytest.raises(Damaged):
            thaw(data[:cut])


def test_a_partition_with_a_broken_file_is_kept_too(shards: Path, tmp_path: Path) -> None:
    with (shards / "part-2.csv").open("a") as file:
        file.write("1,2\n")
    (dataset,) = datalint.detect(shards, label="label")
    counting = Counting()
    for _ in range(2):
        engine = Cached(counting, Cache(tmp_path / "cache"))
        plan = Plan.of([Problems], Settings())
        parts = list(engine.measure(list(enumerate(dataset.partitions)), plan, lambda _: None))
    assert counting.read == [0, 1, 2, 3, 4, 5]
    (problems,) = parts[2].states["all"]
    assert isinstance(problems, Problems)
    assert [problem.kind for _, _, problem in problems.found] == ["ragged"]


def test_only_own_records_come_back() -> None:
    evil = freeze(Settings()).replace(b"datalint.measures.base:Settings", b"subprocess:Popen" + b" " * 15)
    with pytest.raises(Damaged):
        thaw(evil)
    with pytest.raises(TypeError, match="cannot be stored"):
        freeze(object())


def test_an_empty_class_folder_is_a_change(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        for k in range(3):
            Image.new("L", (8, 8), 40 * k + 10).save(tmp_path / "tree" / name / f"{k}.png")
    datalint.scan(tmp_path / "tree", cache_dir=tmp_path / "cache", preset="fast")
    assert datalint.scan(tmp_path / "tree", cache_dir=tmp_path / "cache", preset="fast").run.engine == "cache"
    (tmp_path / "tree" / "owl").mkdir()
    assert datalint.scan(tmp_path / "tree", cache_dir=tmp_path / "cache", preset="fast").run.engine != "cache"
