"""Where the work runs makes no difference to the report; a worker that dies costs time, not results."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import datalint
from datalint.engine.choose import choose
from datalint.engine.cluster import Cluster
from datalint.engine.engine import Last, Serial, Workers
from datalint.engine.plan import Plan
from datalint.engine.processes import start_workers
from datalint.measures.base import Settings
from datalint.measures.order import LabelRuns
from datalint.measures.problems import Problems
from tests.command import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))
hostile: Any = importlib.import_module("hostile")

cloudpickle.register_pickle_by_value(hostile)

PLAN = Plan.of((LabelRuns, Problems), Settings())


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits in twelve shards, partly sorted, with gaps and an all-zero row."""
    folder = tmp_path_factory.mktemp("shards")
    X, y = load_digits(return_X_y=True)
    frame = pd.DataFrame(X, columns=[f"p{j}" for j in range(64)])
    frame["kind"] = np.where(np.arange(len(frame)) % 7 == 0, "left", "right")
    frame["label"] = [f"digit {k}" for k in y]
    frame.loc[5, [f"p{j}" for j in range(64)]] = 0
    frame.loc[100:110, "p20"] = None
    for k in range(12):
        frame.iloc[k * 150 : (k + 1) * 150].to_csv(folder / f"part-{k:02}.csv", index=False)
    return folder


def _bytes(report: datalint.Report) -> str:
    return report.model_dump_json(by_alias=True, exclude={"run"})


def test_same_report_from_any_number_of_workers(shards: Path) -> None:
    for jobs, preset in ((2, None), (3, "fast")):
        serial = datalint.scan(shards, cache=False, jobs=1, preset=preset)
        assert serial.run.engine == "serial"
        parallel = datalint.scan(shards, cache=False, jobs=jobs, preset=preset)
        assert (parallel.run.engine, parallel.run.jobs) == ("local", jobs)
        assert _bytes(parallel) == _bytes(serial)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A real Dask cluster of two processes on this machine."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, worker_dashboard_address=None
    ) as running:
        yield running


@pytest.mark.filterwarnings("default")
def test_same_report_from_a_dask_cluster(shards: Path, cluster: Any) -> None:
    serial = datalint.scan(shards, cache=False, jobs=1, preset="fast")
    report = datalint.scan(
        shards, cache=False, preset="fast", engine="dask", scheduler=cluster.scheduler_address, jobs=2
    )
    assert report.run.engine == "dask"
    assert _bytes(report) == _bytes(serial)


@pytest.mark.filterwarnings("default")
def test_dask_worker_killed_in_mid_scan(cluster: Any, tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    fuse.write_text("")
    tasks = _tasks(8, deadly=3, fuse=fuse)
    found = list(Cluster(cluster.scheduler_address, 2).measure(tasks, PLAN, lambda _: None))
    assert not fuse.exists()
    assert _labels(found) == [10] * 8


def _tasks(count: int, deadly: int, fuse: Path | None) -> list[tuple[int, Any]]:
    return [(k, hostile.Killer("train", f"part {k}", fuse, k == deadly, os.getpid())) for k in range(count)]


def _labels(found: list[Any]) -> list[int]:
    return [part.states["train"][0].samples for part in found]


def test_worker_killed_in_mid_scan(tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    fuse.write_text("")
    found = list(Workers(2).measure(_tasks(9, deadly=4, fuse=fuse), PLAN, lambda _: None))
    assert not fuse.exists()
    assert _labels(found) == [10] * 9


@pytest.mark.timeout(60)
def test_worker_killed_in_the_midst_of_its_answer(tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    fuse.write_text("")
    tasks = [(k, hostile.Torn("train", f"part {k}", fuse, k == 4, os.getpid())) for k in range(9)]
    found = list(Workers(2).measure(tasks, PLAN, lambda _: None))
    assert not fuse.exists()
    assert _labels(found) == [10] * 9


@pytest.mark.parametrize("deadly", [0, 3, 5])
def test_partition_that_always_kills_becomes_a_problem(deadly: int) -> None:
    found = list(Workers(2).measure(_tasks(6, deadly=deadly, fuse=None), PLAN, lambda _: None))
    assert _labels(found) == [0 if k == deadly else 10 for k in range(6)]
    problems: Any = found[deadly].states["train"][1]
    ((row, part, problem),) = problems.found
    assert (row, part) == (-1, deadly)
    assert f"part {deadly}" in problem.path
    assert "took its process down" in problem.message


def test_progress_counts_every_sample() -> None:
    seen: list[int] = []
    list(Workers(2).measure(_tasks(5, deadly=-1, fuse=None), PLAN, seen.append))
    assert sum(seen) == 50


def test_small_data_stays_in_this_process(shards: Path) -> None:
    partitions = list(enumerate(datalint.detect(shards)[0].partitions))
    assert isinstance(choose(partitions, None), Serial)
    assert isinstance(choose(partitions, 2), Workers)
    assert isinstance(choose(partitions, 1), Serial)


def test_processes_started_early_are_those_that_read() -> None:
    assert start_workers(2, 1 << 20) is None
    assert start_workers(1, 1 << 40) is None
    starting = start_workers(2, 1 << 40)
    assert starting is not None
    starting.wait()
    ready = set(multiprocessing.active_children())
    list(Workers(2, starting=starting).measure(_tasks(8, deadly=-1, fuse=None), PLAN, lambda _: None))
    assert len(ready) >= 2
    assert set(multiprocessing.active_children()) == ready


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_whoever_started_processes_lets_them_go() -> None:
    starting = start_workers(2, 1 << 40)
    assert starting is not None
    starting.wait()
    own = {process.pid or 0 for process in multiprocessing.active_children() if "Loky" in process.name}
    assert len(own) >= 2 and all(map(_lives, own))
    loaded: list[int] = []
    engine = Last(Workers(2, starting=starting), starting, lambda: loaded.append(1))
    found = list(engine.measure(_tasks(8, deadly=-1, fuse=None), PLAN, lambda _: None))
    assert _labels(found) == [10] * 8 and loaded == [1]
    for _ in range(200):
        if not any(map(_lives, own)):
            break
        time.sleep(0.1)
    assert not any(map(_lives, own))
    # Whoever reads next gets new ones.
    again = list(Workers(2).measure(_tasks(8, deadly=-1, fuse=None), PLAN, lambda _: None))
    assert _labels(again) == [10] * 8


def test_pictures_made_in_several_threads_are_the_same(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for k in range(400):
            path = tmp_path / label / f"{k:03}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((40, 40 + k % 3), k % 251, np.uint8)).save(path)
    one, two = (datalint.scan(tmp_path, cache=False, jobs=jobs, preset="fast") for jobs in (1, 2))
    assert two.run.jobs == 2
    assert len(one.thumbnails) > 64
    assert dict(one.thumbnails) == dict(two.thumbnails)
    assert _bytes(one) == _bytes(two)


def test_data_in_memory_stays_in_this_process() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "label": ["a", "b"]})
    partitions = list(enumerate(datalint.detect({"train": frame, "test": frame})[0].partitions))
    assert isinstance(choose(partitions, 4), Serial)


def test_dask_needs_an_address() -> None:
    with pytest.raises(datalint.DatalintError, match="--scheduler"):
        choose([], None, "dask")


@pytest.mark.filterwarnings("default")
def test_nobody_answers_at_the_address(shards: Path) -> None:
    with pytest.raises(datalint.DatalintError, match="no Dask scheduler answers"):
        datalint.scan(shards, cache=False, engine="dask", scheduler="tcp://127.0.0.1:9")


@pytest.mark.filterwarnings("default")
def test_a_worker_that_cannot_see_the_path(shards: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name leads elsewhere in another process: /proc/self/cwd is where each of them was started."""
    monkeypatch.chdir(shards)
    with pytest.raises(datalint.DatalintError, match=r"worker tcp://.* cannot see /proc/self/cwd/part-00\.csv"):
        datalint.scan("/proc/self/cwd", cache=False, engine="dask", scheduler=cluster.scheduler_address)


@dataclass
class Bare:
    """A Dask cluster of plain processes, which nobody starts again."""

    address: str
    scheduler: int


@pytest.fixture
def bare(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bare]:
    place = tmp_path / "scheduler.json"
    said = (tmp_path / "err").open("w")
    quiet: dict[str, Any] = {"env": environment(tmp_path), "stdout": subprocess.DEVNULL, "stderr": said}
    dask = [sys.executable, "-m", "dask"]
    options = ["--scheduler-file", str(place), "--no-dashboard"]
    started = [subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *options], **quiet)]
    try:
        for _ in range(600):
            if place.exists() and place.read_text():
                break
            assert started[0].poll() is None, (tmp_path / "err").read_text()
            time.sleep(0.1)
        address = json.loads(place.read_text())["address"]
        worker = ["worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        started += [subprocess.Popen([*dask, *worker], **quiet) for _ in range(request.param)]
        yield Bare(address, started[0].pid)
    finally:
        for process in started:
            process.kill()
            process.wait()
        said.close()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("bare", [2], indirect=True)
@pytest.mark.parametrize("dies", ["scheduler", "workers"])
def test_a_cluster_that_is_lost_ends_the_scan(bare: Bare, dies: str, capfd: pytest.CaptureFixture[str]) -> None:
    tasks = _tasks(6, deadly=2 if dies == "workers" else -1, fuse=None)
    if dies == "scheduler":
        tasks[2] = (2, hostile.Assassin("train", "part 2", None, True, os.getpid(), victim=bare.scheduler))
    start = time.monotonic()
    with pytest.raises(datalint.DatalintError, match="the cluster was lost before all was read"):
        list(Cluster(bare.address, 2, workerless=20).measure(tasks, PLAN, lambda _: None))
    assert time.monotonic() - start < 120
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("bare", [0], indirect=True)
def test_a_cluster_without_workers(bare: Bare) -> None:
    with pytest.raises(datalint.DatalintError, match="the cluster has no worker; start one"):
        list(Cluster(bare.address, 2, workerless=1).measure(_tasks(3, -1, None), PLAN, lambda _: None))
