"""Scans what is queued, one after another, each in a child process.

The row of a scan is the job: a worker claims it for a short time and renews that while the child runs, so that a scan whose
worker died is run again by whoever is there. No library does that on both databases: procrastinate needs PostgreSQL; huey
takes a task out of its table when it hands it out, so that it dies with the worker; dbos has the work of another machine
taken up again by its commercial conductor alone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import OperationalError

from datalint.core.errors import DatalintError
from datalint.report.models import Report
from datalint.service import history, uploads
from datalint.service.child import Running
from datalint.service.models import Dataset, Scan
from datalint.service.roots import place
from datalint.service.schedules import following

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from datalint.service.child import Limits
    from datalint.service.database import Database
    from datalint.service.roots import Roots

LEASE = 30.0
"""Seconds after which a worker that was not heard of is taken for dead."""

BEAT = 1.0
"""Seconds between two signs of life."""

ATTEMPTS = 5
"""Workers that one scan may take with it."""


def enqueue(session: Session, dataset: Dataset, who: str, revision: str = "") -> Scan:
    """The queued scan of a data set: the one that waits already, or another one."""
    session.get_one(Dataset, dataset.id, with_for_update=True)
    waiting = select(Scan).where(Scan.dataset_id == dataset.id, Scan.status == "queued", Scan.revision == revision)
    scan = session.scalar(waiting.where(Scan.upload.is_(None)).limit(1))
    if scan is None:
        if dataset.root is None:
            raise DatalintError(f"{dataset.name} has no place below a root: send reports of it")
        scan = Scan(dataset_id=dataset.id, ref=dataset.ref, revision=revision, by=who)
        session.add(scan)
        session.flush()
        history.note(session, who, "scan queued", dataset_id=dataset.id, scan_id=scan.id)
    return scan


def claim(session: Session, worker: str, roots: list[str]) -> tuple[int, str, str, str | None] | None:
    """Scan, root, path and label of the oldest scan that waits; those of dead workers wait again."""
    now = time.time()
    dead = and_(Scan.status == "running", Scan.lease < now)
    session.execute(
        update(Scan)
        .where(dead, Scan.attempts >= ATTEMPTS)
        .values(status="failed", finished=now, reason=f"its worker ended {ATTEMPTS} times while it ran")
    )
    here = and_(Scan.upload.is_(None), Dataset.root.in_(roots))
    if uploads.ROOT in roots:
        here = or_(here, Scan.upload.is_not(None))
    free = (
        select(Scan)
        .join(Dataset)
        .where(or_(Scan.status == "queued", dead), here)
        .order_by(Scan.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Scan)
    )
    scan = session.scalar(free)
    if scan is None:
        return None
    scan.status, scan.worker, scan.lease, scan.started = "running", worker, now + LEASE, now
    scan.attempts += 1
    dataset = session.get_one(Dataset, scan.dataset_id)
    root, path = (dataset.root or "", dataset.path) if scan.upload is None else (uploads.ROOT, scan.upload)
    return scan.id, root, path, dataset.label


def enqueue_due(session: Session, roots: Iterable[str]) -> None:
    """Queue the data sets whose time has come; what was missed while nobody worked is made up for once."""
    due = select(Dataset).where(Dataset.due <= time.time(), Dataset.root.in_(list(roots)))
    for dataset in session.scalars(due.with_for_update(skip_locked=True)):
        enqueue(session, dataset, "schedule")
        dataset.due = following(dataset.schedule)


class Worker:
    """Works until it is stopped; several may, on several machines."""

    def __init__(self, database: Database, roots: Roots, limits: Limits) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.stop = threading.Event()
        self._database, self._roots, self._limits = database, roots, limits
        self._swept = 0.0

    def run(self) -> None:
        """Until :attr:`stop` is set. A database that is away for a while is waited for."""
        while not self.stop.is_set():
            try:
                if not self.one():
                    self.stop.wait(BEAT)
            except OperationalError:
                self.stop.wait(BEAT)

    def one(self) -> bool:
        """Do one scan if one waits."""
        if time.time() - self._swept > 60:
            with self._database.write() as session:
                history.expire(session)
            self._swept = time.time()
            self._sweep()
        with self._database.write() as session:
            enqueue_due(session, self._roots)
            claimed = claim(session, self.name, list(self._roots))
        if claimed is None:
            return False
        scan_id, root, path, label = claimed
        try:
            self._scan(scan_id, str(place(self._roots, root, path)), label)
        except (DatalintError, OSError, ValueError) as error:
            self._end(scan_id, str(error)[:1000])
        if root == uploads.ROOT:
            self._sweep()
        return True

    def _sweep(self) -> None:
        folder = self._roots.get(uploads.ROOT)
        if isinstance(folder, Path):
            uploads.sweep(self._database, folder)

    def _scan(self, scan_id: int, path: str, label: str | None) -> None:
        running = Running("scan", {"path": path, "label": label}, self._limits)
        try:
            while not running.wait(BEAT):
                if self.stop.is_set():
                    self._release(scan_id)
                    return
                if not self._beat(scan_id, running):
                    return
            folder = running.folder.path
            report = Report.model_validate_json((folder / "json").read_bytes())
            kept = {name: (folder / name).read_text(encoding="utf-8") for name in ("html", "pictures")}
        finally:
            running.close()
        self._keep(scan_id, report, kept)

    def _mine(self, session: Session, scan_id: int) -> Scan | None:
        """The scan, unless it was cancelled or given to another worker meanwhile."""
        mine = select(Scan).where(Scan.id == scan_id, Scan.worker == self.name, Scan.status == "running")
        return session.scalar(mine.with_for_update())

    def _beat(self, scan_id: int, running: Running) -> bool:
        """Whether to go on; a database that is away is no reason to stop.

        Only what is news is written: every answer that is kept ends with it.
        """
        stage, share = running.told.get("stage", ""), round(running.told.get("share", 0.0), 2)
        with contextlib.suppress(OperationalError), self._database.write() as session:
            scan = self._mine(session, scan_id)
            if scan is None:
                return False
            if (scan.stage, scan.share) != (stage, share) or scan.lease < time.time() + LEASE * 2 / 3:
                scan.lease, scan.stage, scan.share = time.time() + LEASE, stage, share
        return True

    def _keep(self, scan_id: int, report: Report, kept: dict[str, str]) -> None:
        while True:
            try:
                with self._database.write() as session:
                    scan = self._mine(session, scan_id)
                    if scan is not None:
                        history.take(session, scan, report, **kept)
                return
            except OperationalError:
                if self.stop.wait(BEAT):
                    return

    def _release(self, scan_id: int) -> None:
        with self._database.write() as session:
            scan = self._mine(session, scan_id)
            if scan is not None:
                scan.status, scan.worker = "queued", None
                scan.attempts -= 1

    def _end(self, scan_id: int, reason: str) -> None:
        with self._database.write() as session:
            scan = self._mine(session, scan_id)
            if scan is not None:
                scan.status, scan.finished, scan.reason = "failed", time.time(), reason
                history.note(session, scan.by, "scan failed", reason, dataset_id=scan.dataset_id, scan_id=scan.id)
