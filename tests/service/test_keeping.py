"""Scans without being asked, what is removed in time, and a second file of all of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from datalint.core.errors import DatalintError
from datalint.service import history, keeping
from datalint.service.database import Database
from datalint.service.models import Dataset, Finding, Scan, Stored
from datalint.service.schedules import following
from datalint.service.worker import enqueue_due
from tests.command import run
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


def test_a_schedule_is_cron_in_utc() -> None:
    three = 20_000 * DAY + 3 * 3600
    assert following("0 3 * * *", three - 1) == three
    assert following("0 3 * * *", three) == three + DAY
    assert following("") is None
    for wrong in ("often", "0 3 31 2 *", "61 * * * *", "* * * *"):
        with pytest.raises(DatalintError, match="is no schedule"):
            following(wrong)


def test_what_is_due_is_queued_once(database: Database) -> None:
    with database.write() as session:
        session.add_all([Dataset(name="here", root="r"), Dataset(name="there", root="other"), Dataset(name="sent")])
        session.flush()
        for number in (1, 2):
            history.change(session, session.get_one(Dataset, number), "ann", {"schedule": "*/5 * * * *"})
        with pytest.raises(DatalintError, match="has no place below a root"):
            history.change(session, session.get_one(Dataset, 3), "ann", {"schedule": "*/5 * * * *"})
    for late, queued in ((0, []), (3 * DAY, ["schedule"]), (0, ["schedule"])):
        with database.write() as session:
            if late:  # nobody worked for days
                session.execute(update(Dataset).where(Dataset.due.is_not(None)).values(due=time.time() - late))
            enqueue_due(session, ["r"])
            assert list(session.scalars(select(Scan.by))) == queued
            assert (session.get_one(Dataset, 1).due or 0) > time.time()
    with database.write() as session:
        history.change(session, session.get_one(Dataset, 1), "ann", {"schedule": ""})
        assert session.get_one(Dataset, 1).due is None


def filled(database: Database) -> None:
    """Four scans of one data set, of which the last is a minute old; what was found in the first is gone since the second."""
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.flush()
        for number, items in enumerate(([finding("a")], [], [finding("b")], [finding("b")]), 1):
            history.push(session, session.get_one(Dataset, 1), report(*items, run=number), "ann")
            session.execute(
                update(Scan).where(Scan.id == number).values(finished=time.time() - (5 - number) * 100 * DAY)
            )
        session.execute(update(Scan).where(Scan.id == 4).values(finished=time.time() - 60))
        history.triage(session, session.scalars(select(Finding)).all(), "ann", "accepted", "as it is")


def test_old_scans_go_and_what_was_decided_stays(database: Database) -> None:
    filled(database)
    assert keeping.prune(database, 1000) == 0
    assert keeping.prune(database, 30) == 1
    with database.read() as session:
        # The first saw both ends of one finding, the third the beginning of the other.
        assert list(session.scalars(select(Scan.id).order_by(Scan.id))) == [1, 3, 4]
        assert list(session.scalars(select(Stored.scan_id).order_by(Stored.scan_id))) == [1, 3, 4]
        assert {f.state for f in session.scalars(select(Finding))} == {"accepted"}
    assert keeping.prune(database, 30) == 0


def test_a_backup_is_a_database(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path}/service.db", tmp_path / "copy.db"
    database = Database(url)
    filled(database)
    with database.read():  # the service goes on
        assert run(tmp_path, "serve", "--database", url, "--backup", str(copy)).status == 0
    restored = Database(f"sqlite:///{copy}")
    for each in (database, restored):
        with each.read() as session:
            assert len(list(session.scalars(select(Scan)))) == 4
        each.engine.dispose()
    again = run(tmp_path, "serve", "--database", url, "--backup", str(copy))
    assert (again.status, again.err) == (2, f"datalint: --backup {copy}: it exists, and nothing is replaced\n")
    nowhere = run(tmp_path, "serve", "--database", url, "--backup", str(tmp_path / "no" / "copy.db"))
    assert (nowhere.status, nowhere.err.count("\n")) == (2, 1)
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    pruned = run(tmp_path, "serve", "--database", url, "--prune", "30")
    assert (pruned.status, pruned.err) == (0, "datalint: removed 1 scans\n")
