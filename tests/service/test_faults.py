"""Workers and web processes that are killed, a database that goes away, a disk that is full."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from datalint.service import history
from datalint.service.database import Database
from datalint.service.models import Dataset, Event, Scan, Stored
from tests.service.conftest import SAMPLES, Postgres, Served
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("DATALINT_KILLS", "6"))


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
@pytest.mark.timeout(180 + 60 * KILLS)
def test_processes_that_are_killed_lose_no_scan_and_double_none(url: str, tmp_path: Path) -> None:
    database = Database(url)
    with database.write() as session:
        session.add(Dataset(name="iris", root="sample_data", path="iris_sorted"))
    rng = random.Random(0)
    common = ["--database", url, "--root", str(SAMPLES)]
    roles = {"web": [*common, "--workers", "0"], "worker": [*common, "--worker"]}
    running = {role: Served(tmp_path, *arguments) for role, arguments in roles.items()}
    for number in range(KILLS):
        with database.write() as session:
            session.execute(update(Scan).values(attempts=0))
        asked = running["web"].client.post("/api/v1/scans", json={"dataset": "iris", "revision": f"r{number}"})
        assert asked.status_code == 202
        time.sleep(rng.uniform(0, 4))
        for role in rng.choice((["web"], ["worker"], ["worker"], ["web", "worker"])):
            running[role].process.send_signal(signal.SIGKILL)
            running[role].close()
            running[role] = Served(tmp_path, *roles[role])
        with database.write() as session:  # whoever is dead or not: one that lives finds out that its scan was taken
            session.execute(update(Scan).where(Scan.status == "running").values(lease=0))
    scans = wait(database, 60 + 30 * KILLS)
    for served in running.values():
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


def test_what_was_acknowledged_while_the_database_restarts_is_there_once(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.database()
    served = Served(tmp_path, "--database", url, "--workers", "0")
    over = threading.Event()

    def send(name: str) -> tuple[list[int], set[int]]:
        """Reports until it is over; the scans that were acknowledged, and all that was answered."""
        kept: list[int] = []
        statuses: set[int] = set()
        with httpx2.Client(base_url=served.url, timeout=30, trust_env=False) as client:
            while not over.is_set():
                body = report(finding("a", count=len(kept) + 1)).to_json()
                answer = client.post("/api/v1/reports", params={"dataset": name}, content=body)
                statuses.add(answer.status_code)
                if answer.status_code == 201:
                    kept.append(answer.json()["id"])
                statuses.add(client.get("/api/v1/datasets").status_code)
        return kept, statuses

    with ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, f"set{k}") for k in range(4)]
        for mode in ("immediate", "fast"):
            time.sleep(2)
            postgres.stop(mode)
            postgres.start()
        time.sleep(2)
        over.set()
        sent = [future.result() for future in sending]
    database = Database(url)
    with database.read() as session:
        for k, (kept, statuses) in enumerate(sent):
            stored = session.scalars(select(Scan.id).join(Dataset).where(Dataset.name == f"set{k}").order_by(Scan.id))
            scans = list(stored)
            assert len(kept) > 5
            assert set(kept) <= set(scans)
            assert len(scans) <= len(kept) + 2  # stored, but the answer was lost with the server
            # 200: sent again after an answer that was lost.
            assert statuses <= {200, 201, 503}
        assert session.scalar(select(func.count(Scan.id))) == session.scalar(select(func.count(Stored.scan_id)))
    database.engine.dispose()
    served.close()


def test_a_full_disk_stores_nothing_by_half(tmp_path: Path) -> None:
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
