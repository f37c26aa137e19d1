"""The life of findings as a state machine, against a model that is a few lines long, on both databases."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from datalint.service import history
from datalint.service.database import Database
from datalint.service.models import Dataset, Event, Finding, Occurrence, Scan, Sighting
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from tests.service.conftest import Postgres

NAMES = "abc"
REFS = ("main", "branch")


class Life(RuleBasedStateMachine):
    """Scans with any findings of any size on two refs, and decisions between them."""

    postgres: Postgres | None = None

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.database = Database(self.postgres.database() if self.postgres else f"sqlite:///{self.folder}/x.db")
        self.states: dict[str, str] = {}
        self.present: dict[tuple[str, str], bool] = {}
        self.accepted: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.expected: dict[str, str] = {}
        self.scan_id = 0
        with self.database.write() as session:
            session.add(Dataset(name="set"))

    @rule(
        found=st.dictionaries(st.sampled_from(NAMES), st.sampled_from([10, 12, 100])),
        ref=st.sampled_from(REFS),
        silent=st.sets(st.sampled_from(NAMES)),
    )
    def scan(self, found: dict[str, int], ref: str, silent: set[str]) -> None:
        skipped = {f"XMP{name}": "skipped" for name in silent - set(found)}
        with self.database.write() as session:
            scan = Scan(dataset_id=1, ref=ref)
            session.add(scan)
            session.flush()
            history.take(session, scan, report(*(finding(n, count=c) for n, c in found.items()), rules=skipped))
            self.scan_id = scan.id
        self.expected = {}
        for name, count in found.items():
            here = self.present.get((name, ref))
            self.expected[name] = "new" if name not in self.states else "back" if here is False else "still"
            self.states.setdefault(name, "open")
            if self.states[name] == "accepted" and count == 100 and self.accepted[name] < 100:
                self.states[name] = "open"
            if here is False and self.states[name] == "to be fixed":
                self.states[name] = "open"
            self.present[name, ref] = True
            self.last[name] = count
        for name, where in list(self.present):
            if where == ref and self.present[name, ref] and name not in found and f"XMP{name}" not in skipped:
                self.present[name, ref] = False
                self.expected[name] = "gone"

    @rule(name=st.sampled_from(NAMES), state=st.sampled_from(["open", "to be fixed", "accepted", "false alarm"]))
    def decide(self, name: str, state: str) -> None:
        if name not in self.states:
            return
        with self.database.write() as session:
            found = session.scalars(select(Finding).where(Finding.code == f"XMP{name}")).one()
            history.triage(session, [found], "ann", state, "why")
        self.states[name] = state
        self.accepted[name] = self.last[name]

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.read() as session:
            rows = {f.code[-1]: f for f in session.scalars(select(Finding))}
            assert {name: f.state for name, f in rows.items()} == self.states
            seen = {
                (f.code[-1], s.ref): s.present for f, s in session.execute(select(Finding, Sighting).join(Sighting))
            }
            assert seen == self.present
            for name, f in rows.items():
                assert f.present == any(self.present.get((name, ref), False) for ref in REFS)
            changes = select(Finding.code, Occurrence.change).join(Occurrence).where(Occurrence.scan_id == self.scan_id)
            told = {code[-1]: change.replace("worse", "still") for code, change in session.execute(changes)}
            assert told == self.expected
            # One record of each for all time, and one event for each of its ends and returns.
            gone = session.scalar(select(func.count()).where(Event.what == "gone"))
            assert gone == session.scalar(select(func.count()).where(Occurrence.change == "gone"))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.engine.dispose()
            shutil.rmtree(self.folder)


def run(examples: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_on_sqlite() -> None:
    Life.postgres = None
    run(25)


def test_on_postgresql(postgres: Postgres) -> None:
    Life.postgres = postgres
    run(8)
