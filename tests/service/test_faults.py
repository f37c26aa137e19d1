"""Workers and web processes that are killed, a database that goes away, a disk that is full."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from datalint.service import worker as working
from datalint.service.database import Database
from datalint.service.models import Dataset, Event, Scan, Stored
from datalint.service.worker import enqueue
from tests.service.conftest import SAMPLES, Postgres, Served

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 6


def wait(database: Database, seconds: float = 120) -> list[Scan]:
    """Until all scans are over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with database.write() as session:
            # Nobody wants to wait half a minute for each of the dead.
            session.execute(update(Scan).where(Scan.status == "running", Scan.lease > time.time() + 4).values(lease=0))
        with database.read() as session:
            scans = list(session.scalars(select(Scan).order_by(Scan.id)))
        if all(scan.status == "done" for scan in scans):
            return scans
        time.sleep(0.5)
    pytest.fail(f"not over: {[(scan.id, scan.status, scan.attempts, scan.reason) for scan in scans]}")


@pytest.mark.slow
def test_processes_that_are_killed_lose_no_scan_and_double_none(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "ATTEMPTS", 99)
    database = Database(url)
    with database.write() as session:
        session.add(Dataset(name="iris", root="sample_data", path="iris_sorted"))
    rng = random.Random(0)
    arguments = ["--database", url, "--root", str(SAMPLES), "--workers", "1"]
    served = Served(tmp_path, *arguments)
    for number in range(KILLS):
        with database.write() as session:
            dataset = session.scalars(select(Dataset).where(Dataset.name == "iris")).one()
            enqueue(session, dataset, "ann", f"r{number}")
            session.execute(update(Scan).values(attempts=0))
        time.sleep(rng.uniform(0, 4))
        served.process.send_signal(signal.SIGKILL)
        served.close()
        with database.write() as session:
            session.execute(update(Scan).where(Scan.status == "running").values(lease=0))
        served = Served(tmp_path, *arguments)
    scans = wait(database, 300)
    served.close()
    with database.read() as session:
        assert len(scans) == KILLS == session.scalar(select(func.count(Stored.scan_id)))
        assert session.scalar(select(func.count()).where(Event.what == "scan done")) == KILLS
    database.engine.dispose()
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()


def test_a_database_that_was_away_is_waited_for(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database()
    served = Served(tmp_path, "--database", url, "--root", str(SAMPLES))
    assert served.form("/datasets/iris_sorted/scan").status_code == 303
    postgres.stop()
    try:
        answer = served.client.get("/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert served.client.get("/healthz").status_code == 200
        assert served.client.get("/readyz").status_code == 503
    finally:
        postgres.start()
    database = Database(url)
    (scan,) = wait(database)
    assert served.client.get("/readyz").status_code == 200
    assert (scan.status, scan.warnings) == ("done", 1)
    database.engine.dispose()
    served.close()


def test_a_full_disk_stores_nothing_by_half(tmp_path: Path) -> None:
    from sqlalchemy.exc import OperationalError

    from datalint.service import history
    from tests.service.reports import finding, report

    database = Database(f"sqlite:///{tmp_path}/full.db")
    with database.write() as session:
        session.add(Dataset(name="set"))
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    found = [finding("a").model_copy(update={"fingerprint": f"{k:020x}", "message": "x" * 500}) for k in range(500)]
    with pytest.raises(OperationalError, match="full"), database.write() as session:
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages + 10}")
        history.push(session, session.get_one(Dataset, 1), report(*found), "ann")
    with database.read() as session:
        assert session.scalar(select(func.count(Scan.id))) == 0
        assert session.scalar(select(func.count(Event.id))) == 0
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.engine.dispose()
