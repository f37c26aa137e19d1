"""The life of findings over versions of a data set, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from datalint.core.errors import DatalintError
from datalint.service import history
from datalint.service.models import Dataset, Event, Finding, Occurrence, Scan
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from datalint.report.models import Report
    from datalint.service.database import Database


class Watched:
    """One data set, and what is known of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            session.add(Dataset(name="set"))

    def take(self, report: Report, ref: str = "main") -> Scan:
        """A scan with that report."""
        with self.database.write() as session:
            scan = Scan(dataset_id=1, ref=ref)
            session.add(scan)
            session.flush()
            history.take(session, scan, report)
        return scan

    def findings(self) -> dict[str, Finding]:
        """By the name that the test gave them."""
        with self.database.read() as session:
            return {f.message.split()[-1]: f for f in session.scalars(select(Finding))}

    def changes(self, scan: Scan) -> dict[str, str]:
        """What became of each finding in a scan."""
        with self.database.read() as session:
            rows = select(Finding.message, Occurrence.change).join(Occurrence).where(Occurrence.scan_id == scan.id)
            return {message.split()[-1]: change for message, change in session.execute(rows)}

    def events(self, *what: str) -> list[str]:
        """The texts of some events."""
        with self.database.read() as session:
            return list(session.scalars(select(Event.text).where(Event.what.in_(what)).order_by(Event.id)))

    def decide(self, name: str, state: str, reason: str = "", until: str | None = None) -> None:
        """Triage."""
        with self.database.write() as session:
            wanted = select(Finding).where(Finding.id == self.findings()[name].id)
            history.triage(session, [session.scalars(wanted).one()], "ann", state, reason, until)


@pytest.fixture
def watched(database: Database) -> Watched:
    return Watched(database)


def test_findings_are_new_still_there_worse_gone_and_back(watched: Watched) -> None:
    seen = [
        watched.changes(watched.take(report(*found)))
        for found in (
            [finding("a"), finding("b")],
            [finding("a", count=11), finding("b", count=100)],
            [finding("b", count=100)],
            [finding("a"), finding("b", count=100)],
        )
    ]
    assert seen == [
        {"a": "new", "b": "new"},
        {"a": "still", "b": "worse"},
        {"a": "gone", "b": "still"},
        {"a": "back", "b": "still"},
    ]
    assert len(watched.findings()) == 2  # one record each, for all time
    assert watched.events("reopened") == ["is back after it was gone"]


def test_a_rule_that_could_not_judge_closes_nothing(watched: Watched) -> None:
    watched.take(report(finding("a"), finding("b"), finding("c")))
    scan = watched.take(report(rules={"XMPa": "skipped", "XMPb": "failed"}))
    assert watched.changes(scan) == {"c": "gone"}
    assert {name: f.present for name, f in watched.findings().items()} == {"a": True, "b": True, "c": False}


def test_a_finding_that_another_explains_is_neither_gone_nor_new(watched: Watched) -> None:
    explained = finding("a", part_of=finding("b").fingerprint)
    watched.take(report(finding("a")))
    scan = watched.take(report(finding("b"), explained))
    assert watched.changes(scan) == {"a": "still", "b": "new"}
    assert (scan.fresh, watched.findings()["a"].folded) == (1, True)
    watched.take(report(finding("b"), finding("c", part_of=finding("b").fingerprint)))
    watched.take(report(finding("b"), run=1))
    assert watched.events("new", "gone") == ["10 samples are a", "10 samples are b"]


def test_what_was_accepted_is_open_again_when_it_is_worse(watched: Watched) -> None:
    watched.take(report(finding("a"), finding("b"), finding("c")))
    watched.decide("a", "accepted", "known")
    watched.decide("b", "false alarm", "it is meant")
    watched.decide("c", "to be fixed")
    watched.take(report(finding("a", count=12), finding("b", count=12), finding("c")))
    assert {n: f.state for n, f in watched.findings().items()} == {
        "a": "accepted",
        "b": "false alarm",
        "c": "to be fixed",
    }
    watched.take(report(finding("a", count=40), finding("b", count=40), finding("c")))
    assert {n: f.state for n, f in watched.findings().items()} == {"a": "open", "b": "false alarm", "c": "to be fixed"}
    assert watched.events("reopened") == ["was accepted at 10, is 40"]


def test_what_crept_up_since_it_was_accepted_is_open_again(watched: Watched) -> None:
    watched.take(report(finding("a", count=100)))
    watched.decide("a", "accepted", "known")
    scans = [watched.take(report(finding("a", count=count))) for count in (120, 140, 170)]
    assert [watched.changes(scan)["a"] for scan in scans] == ["still"] * 3
    assert watched.findings()["a"].state == "open"


def test_accepting_ends_on_its_day(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.take(report(finding("a", "error")))
    watched.decide("a", "accepted", "known", "2999-01-01")
    assert watched.take(report(finding("a", "error"))).passed
    monkeypatch.setattr(history, "today", lambda: "2999-01-02")
    with watched.database.write() as session:
        history.expire(session)
    assert watched.findings()["a"].state == "open"
    assert watched.events("reopened") == ["was accepted until 2999-01-01"]
    with watched.database.read() as session:
        assert session.scalars(select(Scan.passed).order_by(Scan.id.desc())).first() is False


@pytest.mark.parametrize(
    ("state", "reason", "until"),
    [
        ("accepted", " ", None),
        ("gone", "why", None),
        ("accepted", "why", "2020-01-01"),
        ("accepted", "why", "soon"),
        ("open", "", "2999-01-01"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    watched: Watched, state: str, reason: str, until: str | None
) -> None:
    watched.take(report(finding("a")))
    with pytest.raises(DatalintError):
        watched.decide("a", state, reason, until)
    assert watched.findings()["a"].state == "open"


def test_branches_share_what_was_decided(watched: Watched) -> None:
    watched.take(report(finding("a"), finding("b")))
    watched.decide("a", "false alarm", "it is meant")
    scan = watched.take(report(finding("a"), finding("c")), "branch")
    assert watched.changes(scan) == {"a": "still", "c": "new"}  # b is not gone: this ref never had it
    assert watched.findings()["a"].state == "false alarm"
    # Gone on the branch alone is not gone; back on it is not back on main.
    watched.take(report(), "branch")
    assert {n: f.present for n, f in watched.findings().items()} == {"a": True, "b": True, "c": False}
    assert watched.changes(watched.take(report(finding("a"), finding("b")))) == {"a": "still", "b": "still"}


def test_a_part_that_was_renamed_keeps_its_findings(watched: Watched) -> None:
    watched.take(report(finding("a", part="old"), part="old"))
    watched.decide("a", "accepted", "known")
    scan = watched.take(report(finding("a", part="new"), part="new"))
    assert watched.changes(scan) == {"a": "still"}
    (only,) = watched.findings().values()
    assert (only.state, only.part) == ("accepted", "new")


def test_the_gate_asks_for_nothing_new_and_no_open_error(watched: Watched) -> None:
    first = watched.take(report(finding("a")))
    assert first.passed  # what the first version has is no news
    same = watched.take(report(finding("a")))
    assert same.passed
    fresh = watched.take(report(finding("a"), finding("b"), finding("c", "info")))
    assert (fresh.passed, fresh.reasons) == (False, ["new warning: XMPb 10 samples are b"])
    again = watched.take(report(finding("a"), finding("b")))
    assert again.passed is False  # not by waiting
    watched.decide("b", "accepted", "known")
    worse = watched.take(report(finding("a", count=100), finding("b")))
    assert worse.reasons == ["worse warning: XMPa 100 samples are a"]
    with watched.database.write() as session:
        history.accept_version(session, session.get_one(Dataset, 1), "ann")
    broken = watched.take(report(finding("a", count=100), finding("b"), finding("d", "error")))
    assert broken.reasons == ["open error: XMPd 10 samples are d"]
    watched.decide("d", "false alarm", "it is meant")
    with watched.database.read() as session:
        assert session.get_one(Scan, broken.id).passed
    assert len(watched.events("gate failed")) == 3
    assert len(watched.events("gate passed")) == 4


def test_the_databases_are_whole(watched: Watched) -> None:
    for _ in range(3):
        watched.take(report(finding("a"), finding("b")))
    with watched.database.write() as session:
        session.delete(session.get_one(Dataset, 1))
    with watched.database.read() as session:
        for table in ("scan", "finding", "occurrence", "sighting", "report", "event"):
            count: Any = session.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            assert count == 0, table
