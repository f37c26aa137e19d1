"""The queue: no scan is lost, and none is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from datalint.service import worker as working
from datalint.service.child import Limits, Running, call
from datalint.service.models import Dataset, Event, Scan
from datalint.service.worker import Worker, claim, enqueue
from tests.command import environment
from tests.service.conftest import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.service.database import Database

ROOTS = {"samples": SAMPLES}


def watch(database: Database, *paths: str, root: str = "samples") -> None:
    with database.write() as session:
        session.add_all([Dataset(name=path.replace("/", " "), root=root, path=path) for path in paths])


def queue(database: Database, count: int = 1) -> None:
    with database.write() as session:
        for number in range(count):
            enqueue(session, session.scalars(select(Dataset)).first(), "ann", f"r{number}")  # type: ignore[arg-type]


def scans(database: Database) -> list[Scan]:
    with database.read() as session:
        return list(session.scalars(select(Scan).order_by(Scan.id)))


def test_a_worker_does_what_is_queued(database: Database) -> None:
    watch(database, "iris_sorted")
    queue(database)
    queue(database)  # the same click twice is one scan
    worker = Worker(database, ROOTS, Limits())
    assert worker.one()
    assert not worker.one()
    (scan,) = scans(database)
    assert (scan.status, scan.warnings, scan.samples, scan.attempts) == ("done", 1, 150, 1)
    with database.read() as session:
        assert session.scalars(select(Event.what)).all()[0] == "scan queued"


def test_a_scan_is_claimed_once_by_workers_that_race(database: Database) -> None:
    watch(database, "iris_sorted")
    queue(database, 30)
    claimed: list[int] = []
    gate = threading.Barrier(6)

    def race(name: str) -> None:
        gate.wait()
        while True:
            with database.write() as session:
                found = claim(session, name, ["samples"])
            if found is None:
                return
            claimed.append(found[0])

    threads = [threading.Thread(target=race, args=(f"w{k}",)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(claimed) == {scan.id: 1 for scan in scans(database)}


def test_a_worker_takes_only_scans_below_its_roots(database: Database) -> None:
    watch(database, "iris_sorted", root="elsewhere")
    queue(database)
    assert not Worker(database, ROOTS, Limits()).one()


def test_the_scan_of_a_dead_worker_is_done_by_another_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "LEASE", 0.0)
    watch(database, "iris_sorted")
    queue(database)
    with database.write() as session:
        assert claim(session, "dead", ["samples"])
    time.sleep(0.01)
    monkeypatch.undo()
    assert Worker(database, ROOTS, Limits()).one()
    (scan,) = scans(database)
    assert (scan.status, scan.attempts) == ("done", 2)


def test_a_scan_that_kills_every_worker_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "LEASE", -1.0)
    watch(database, "iris_sorted")
    queue(database)
    for _ in range(working.ATTEMPTS):
        with database.write() as session:
            assert claim(session, "dead", ["samples"])
    with database.write() as session:
        assert claim(session, "alive", ["samples"]) is None
    (scan,) = scans(database)
    assert (scan.status, scan.reason) == ("failed", "its worker ended 5 times while it ran")


def test_a_worker_that_was_taken_for_dead_stores_nothing(database: Database) -> None:
    watch(database, "iris_sorted")
    queue(database)
    worker = Worker(database, ROOTS, Limits())
    done = threading.Event()

    def take_over() -> None:
        while not done.is_set():
            with database.write() as session:
                session.execute(update(Scan).where(Scan.status == "running").values(worker="other"))
            time.sleep(0.05)

    thief = threading.Thread(target=take_over)
    thief.start()
    worker.one()
    done.set()
    thief.join()
    (scan,) = scans(database)
    assert (scan.status, scan.worker) == ("running", "other")


def test_a_running_scan_can_be_cancelled(database: Database, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "big.csv").write_text("a,b,label\n" + "1.5,2.5,x\n2.5,1.5,y\n" * 400_000)
    watch(database, "data", root="mine")
    queue(database)
    worker = Worker(database, {"mine": tmp_path}, Limits())
    thread = threading.Thread(target=worker.one)
    thread.start()
    while scans(database)[0].status != "running":
        time.sleep(0.05)
    with database.write() as session:
        session.execute(update(Scan).values(status="cancelled"))
    thread.join(20)
    assert not thread.is_alive()
    assert scans(database)[0].status == "cancelled"


def test_a_worker_that_stops_gives_its_scan_back(database: Database) -> None:
    watch(database, "iris_sorted")
    queue(database)
    worker = Worker(database, ROOTS, Limits())
    worker.stop.set()
    worker.one()
    (scan,) = scans(database)
    assert (scan.status, scan.attempts) == ("queued", 0)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(Limits(memory=64 << 20), ""), (Limits(seconds=0.1), "took longer than 0 seconds")],
    ids=["memory", "time"],
)
def test_a_scan_that_needs_too_much_fails_alone(database: Database, limits: Limits, reason: str) -> None:
    watch(database, "iris_sorted", "gone")
    queue(database)
    assert Worker(database, ROOTS, limits).one()
    (scan,) = scans(database)
    assert scan.status == "failed"
    assert reason in scan.reason
    assert scan.reason


def test_what_went_wrong_is_one_line(database: Database) -> None:
    watch(database, "../tests", "nothing")
    queue(database)
    with database.write() as session:
        enqueue(session, session.get_one(Dataset, 2), "ann")
    worker = Worker(database, ROOTS, Limits())
    assert worker.one()
    assert worker.one()
    assert [scan.reason for scan in scans(database)] == [
        "'../tests' lies outside of samples",
        "'nothing' is not there below samples",
    ]


def test_a_mistake_in_the_configuration_of_a_data_set_is_one_line(database: Database, tmp_path: Path) -> None:
    (tmp_path / "fruit").mkdir()
    (tmp_path / "fruit" / "fruit.csv").write_text("x,label\n1,a\n2,b\n", encoding="utf-8")
    (tmp_path / "fruit" / "datalint.toml").write_text("select = [", encoding="utf-8")
    with database.write() as session:
        session.add(Dataset(name="fruit", root="mine", path="fruit"))
        session.flush()
        enqueue(session, session.get_one(Dataset, 1), "ann")
    assert Worker(database, {"mine": tmp_path}, Limits()).one()
    (scan,) = scans(database)
    assert scan.status == "failed"
    assert "datalint.toml" in scan.reason
    assert "\n" not in scan.reason


def test_a_child_sees_no_secret_and_ends_with_its_parent(tmp_path: Path) -> None:
    code = """
import os, sys, time
from datalint.service.child import Limits, Running
running = Running("scan", {"path": sys.argv[1], "label": None}, Limits())
print(running.process.pid, flush=True)
time.sleep(60)
"""
    (tmp_path / "big.csv").write_text("a,b,label\n" + "1.5,2.5,x\n2.5,1.5,y\n" * 400_000)
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "big.csv")],
        stdout=subprocess.PIPE,
        env=environment(tmp_path, {"SECRET_TOKEN": "s3cret"}),
    )
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(0.5)
        with open(f"/proc/{child}/environ", "rb") as file:  # noqa: PTH123
            assert b"s3cret" not in file.read()
        parent.send_signal(signal.SIGKILL)
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{child}/stat") as stat:  # noqa: PTH123
            if stat.read().rpartition(")")[2].split()[0] == "Z":  # nobody waits for orphans in some containers
                return
        time.sleep(0.1)
    pytest.fail("the child outlives its parent")


def test_nothing_is_left_of_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert call("detect", {"paths": [str(SAMPLES / "iris_sorted")]}, Limits())["found"][0][0]["label"] == "species"
    running = Running("scan", {"path": str(SAMPLES / "iris_sorted"), "label": None}, Limits())
    assert list(tmp_path.iterdir())
    running.close()
    assert list(tmp_path.iterdir()) == []
