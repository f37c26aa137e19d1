"""Memory and time are bounded whatever one cell, row or header says; a report is the same whatever the number of cores."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.judge.judge import MANY
from datalint.profile.learn.near_rows import near_texts
from tests.command import COMMAND, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Scan:
    """What one scan by a process of its own gave and took."""

    report: dict[str, Any]
    cpu: float
    """Seconds."""
    memory: float
    """Megabytes at the peak."""


MEASURED = """
import json, resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_AS, (6_000_000 << 10,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""A small process between this one and the scan, whose peak would count this one's memory: it starts as its twin."""


def scan(data: Path, folder: Path, *options: str, **env: str) -> Scan:
    """Scan under limits that keep a fault from harming the machine."""
    out = folder / "report.json"
    command = [*COMMAND, "scan", str(data), "--no-cache", "--no-report", "--json", str(out), *options]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=folder,
        env=environment(folder, env),
        capture_output=True,
        text=True,
        check=True,
    )
    status, cpu, peak = json.loads(done.stdout)
    assert status in {0, 1}, done.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    return Scan(json.loads(out.read_text()), cpu, peak * unit / MEGABYTE)


def failed(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Rules that broke, and why."""
    return [(r["code"], r["reason"]) for d in report["datasets"] for r in d["rules"] if r["status"] == "failed"]


def _long_cell(rng: np.random.Generator) -> str:
    rows = [f"{x:.3f},note {k % 50},{'ab'[k % 3 == 0]}" for k, x in enumerate(rng.normal(size=2_000))]
    rows[700] = "0.5," + "x" * 10_000_000 + ",a"
    return "a,note,label\n" + "\n".join(rows)


def _long_class(rng: np.random.Generator) -> str:
    names = ["y" * 20_000, "n"]
    rows = enumerate(rng.normal(size=(6_000, 2)))
    return "a,b,label\n" + "\n".join(f"{x:.3f},{y:.3f},{names[k % 40 > 0]}" for k, (x, y) in rows)


def _wide(rng: np.random.Generator) -> str:
    rows = rng.normal(size=(6, 30_000))
    return "\n".join([",".join(f"c{k}" for k in range(30_000)), *(",".join(f"{x:.2f}" for x in row) for row in rows)])


def _equal_rows(_: np.random.Generator) -> str:
    return "a,b,label\n" + "1,2,x\n" * 600_000


@pytest.mark.parametrize("make", [_long_cell, _long_class, _equal_rows, _wide])
def test_memory_is_bounded_by_what_the_data_holds(make: Callable[[np.random.Generator], str], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(make(np.random.default_rng(0)))
    done = scan(tmp_path / "data.csv", tmp_path)
    assert failed(done.report) == []
    assert done.memory < 600
    assert done.cpu < 40


def test_memory_of_objects_that_have_keys_of_their_own(tmp_path: Path) -> None:
    lines = [{"m": {f"k{k}_{j}": j for j in range(40)}, "label": "ab"[k % 2]} for k in range(2_000)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = scan(tmp_path / "data.jsonl", tmp_path, "--preset", "fast")
    assert failed(done.report) == []
    assert done.memory < 400


def test_memory_of_a_large_picture_with_alpha(tmp_path: Path) -> None:
    from PIL import Image

    for name, size in (("a", (11_000, 8_000)), ("b", (64, 64))):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGBA", size, (10, 200, 30, 128)).save(tmp_path / "data" / name / "x.png")
    done = scan(tmp_path / "data", tmp_path, "--preset", "fast", "--jobs", "1")
    assert failed(done.report) == []
    assert done.memory < 1000


def test_time_grows_with_the_columns_and_not_with_their_square(tmp_path: Path) -> None:
    taken = []
    for columns in (2_000, 8_000):
        folder = tmp_path / str(columns)
        folder.mkdir()
        np.save(folder / "X.npy", np.random.default_rng(0).normal(size=(20, columns)).astype(np.float32))
        np.save(folder / "y.npy", np.arange(20) % 2)
        done = scan(folder, tmp_path, "--preset", "fast")
        assert failed(done.report) == []
        taken.append(done.cpu)
    assert taken[1] < 4.5 * taken[0]


def test_comparing_texts_takes_little_more_than_the_texts() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"word{k}" for k in range(5_000)])
    texts = [" ".join(words[rng.integers(5_000, size=300)]) for _ in range(3_000)]
    texts[2_500] = texts[10] + " end"
    tracemalloc.start()
    try:
        pairs, _ = near_texts(texts, np.arange(3_000, dtype=np.uint64))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pairs.first.tolist() == [10]
    assert pairs.second.tolist() == [2_500]
    assert peak < 120 * MEGABYTE


def test_a_report_is_the_same_whatever_the_number_of_threads(tmp_path: Path) -> None:
    data = ROOT / "sample_data" / "digit_pictures_noisy"
    reports = [scan(data, tmp_path, "--select", "LBL102", OMP_NUM_THREADS=str(threads)).report for threads in (1, 2)]
    assert reports[0]["datasets"] == reports[1]["datasets"]


def test_a_finding_of_very_many_samples_can_still_name_each_of_them(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(MANY + 100) % 7, "b": 1.5, "label": "x"})
    report = datalint.scan(frame, label="label", cache=False, select=["DUP101"])
    rows = report.affected("DUP101")
    assert rows["index"].tolist() == list(range(7, MANY + 100))
    finding = report.datasets[0].findings[0]
    assert finding.affected.samples == tuple(report.samples(finding)[: len(finding.affected.samples)])
    assert len(pickle.loads(pickle.dumps(report)).affected("DUP101")) == len(rows)
