"""What the service keeps. Times are seconds since 1970, so that both databases compare them in the same way."""

from __future__ import annotations

import time
from typing import Any, Final, Literal, get_args

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

MOST: Final = 2**31 - 1
"""The highest number of a row."""

MAIN = "main"
"""The ref of a data set that is not kept in branches."""

State = Literal["open", "to be fixed", "accepted", "false alarm"]
STATES: Final[tuple[State, ...]] = get_args(State)
OPEN: Final = STATES[:2]
"""States of a finding that nobody has put up with."""

GATE = {"new": "warning", "open": "error"}
"""The default gate: no new finding of warning or error since the last accepted version, no open error."""


class Base(DeclarativeBase):
    """Of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, bytes: LargeBinary, str: Text}  # noqa: RUF012


class Dataset(Base):
    """A data set that is watched: a place below a root, or a name that reports are sent to."""

    __tablename__ = "dataset"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    root: Mapped[str | None] = mapped_column(default=None)
    path: Mapped[str] = mapped_column(default="")
    label: Mapped[str | None] = mapped_column(default=None)
    owner: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    ref: Mapped[str] = mapped_column(default=MAIN)
    gate: Mapped[dict[str, Any]] = mapped_column(default=lambda: dict(GATE))
    reference_id: Mapped[int | None] = mapped_column(default=None)
    """The scan of the last accepted version."""
    latest_id: Mapped[int | None] = mapped_column(default=None)
    """The last scan of the main ref that was done."""
    schedule: Mapped[str] = mapped_column(default="")
    """A cron expression, in UTC."""
    due: Mapped[float | None] = mapped_column(default=None, index=True)
    """When it is scanned next without being asked."""
    created: Mapped[float] = mapped_column(default=time.time)


class Scan(Base):
    """A run over one version of a data set; while it is queued or running, it is the job itself."""

    __tablename__ = "scan"
    __table_args__ = (
        Index("scan_of_dataset", "dataset_id", "id"),
        Index("scan_by_status", "status", "id"),
        UniqueConstraint("dataset_id", "ref", "digest", name="report_once"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    ref: Mapped[str] = mapped_column(String(200), default=MAIN)
    revision: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(String(20), default="queued")
    """queued, running, done, failed or cancelled."""
    by: Mapped[str] = mapped_column(default="")
    queued: Mapped[float] = mapped_column(default=time.time)
    started: Mapped[float | None] = mapped_column(default=None)
    finished: Mapped[float | None] = mapped_column(default=None)
    worker: Mapped[str | None] = mapped_column(default=None)
    lease: Mapped[float] = mapped_column(default=0.0)
    """When another worker may take over."""
    attempts: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(default="")
    share: Mapped[float] = mapped_column(default=0.0)
    upload: Mapped[str | None] = mapped_column(String(250), default=None, index=True)
    """Folder and name of the file that was sent, if that is what is scanned."""
    reason: Mapped[str] = mapped_column(default="")
    """Why it failed."""
    digest: Mapped[str | None] = mapped_column(String(64), default=None)
    tool: Mapped[str] = mapped_column(default="")
    samples: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    infos: Mapped[int] = mapped_column(default=0)
    fresh: Mapped[int] = mapped_column(default=0)
    """Findings that are new, worse or back."""
    passed: Mapped[bool | None] = mapped_column(default=None)
    """The verdict of the gate."""
    reasons: Mapped[list[str]] = mapped_column(default=list)

    dataset: Mapped[Dataset] = relationship()


class Stored(Base):
    """The report of a scan, compressed."""

    __tablename__ = "report"

    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True)
    json: Mapped[bytes]
    html: Mapped[bytes | None] = mapped_column(default=None)
    """The page with pictures, of a scan by a worker; without one it is made from the JSON."""
    pictures: Mapped[bytes | None] = mapped_column(default=None)
    """JSON of pictures in base64 by sample id."""


class Finding(Base):
    """One finding of a data set for all time: what was decided of it hangs here, never on a scan."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("dataset_id", "fingerprint", name="finding_once"),
        Index("finding_fires", "code", "present", "folded", "dataset_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(40))
    part: Mapped[str]
    """The name that the report gives the data set it is about."""
    code: Mapped[str] = mapped_column(String(20))
    rule: Mapped[str]
    severity: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(default="")
    message: Mapped[str]
    count: Mapped[int] = mapped_column(default=0)
    folded: Mapped[bool] = mapped_column(default=False)
    """Whether another finding explains it."""
    present: Mapped[bool] = mapped_column(default=True)
    """Whether any ref has it."""
    first_id: Mapped[int]
    last_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(20), default="open")
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str] = mapped_column(default="")
    until: Mapped[str | None] = mapped_column(String(10), default=None)
    assignee: Mapped[str] = mapped_column(default="")
    extent: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """How bad it was when it was accepted."""

    dataset: Mapped[Dataset] = relationship()


class Sighting(Base):
    """How a finding stands on one ref."""

    __tablename__ = "sighting"

    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    ref: Mapped[str] = mapped_column(String(200), primary_key=True)
    present: Mapped[bool]
    extent: Mapped[dict[str, Any]]


class Occurrence(Base):
    """A finding in one scan."""

    __tablename__ = "occurrence"
    __table_args__ = (Index("occurrence_of_finding", "finding_id", "scan_id"),)

    scan_id: Mapped[int] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    change: Mapped[str] = mapped_column(String(10))
    """new, still, worse, gone or back."""
    severity: Mapped[str | None] = mapped_column(String(10))
    """None where another finding explains it."""
    count: Mapped[int]
    samples: Mapped[int]


class Event(Base):
    """What happened and who did it: the audit log, the comments and the stream of events."""

    __tablename__ = "event"
    __table_args__ = (
        Index("event_of_finding", "finding_id", "id"),
        Index("event_of_dataset", "dataset_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(default=time.time)
    who: Mapped[str] = mapped_column(default="")
    what: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(default="")
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), default=None)
    scan_id: Mapped[int | None] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"), default=None)
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), default=None)


class Token(Base):
    """What lets somebody in; the secret itself is not kept."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(10))
    datasets: Mapped[list[str]] = mapped_column(default=list)
    """Names of those that it is for; all if empty."""
    digest: Mapped[str] = mapped_column(String(64))
    created: Mapped[float] = mapped_column(default=time.time)
    expires: Mapped[float | None] = mapped_column(default=None)
    revoked: Mapped[bool] = mapped_column(default=False)


class Login(Base):
    """A browser that a token was given to."""

    __tablename__ = "login"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id", ondelete="CASCADE"))
    expires: Mapped[float]


class Webhook(Base):
    """An address that is told what happens."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), default=None)
    """The only data set that it is told of; all if none."""
    url: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20), default="generic")
    secret: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    retry: Mapped[float] = mapped_column(default=0.0)
    """When to try again."""
    status: Mapped[str] = mapped_column(default="")
    """What came of the last attempt."""


class Delivery(Base):
    """An event that a webhook was not told yet; written with the event itself, so that none is forgotten."""

    __tablename__ = "delivery"

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True)


class Answer(Base):
    """What was answered to a request with an idempotency key, for a day."""

    __tablename__ = "answer"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of who asked for what, with which key."""
    digest: Mapped[str] = mapped_column(String(64))
    """Of the body that was sent."""
    status: Mapped[int | None] = mapped_column(default=None)
    """None while it is not answered yet."""
    body: Mapped[bytes] = mapped_column(default=b"")
    location: Mapped[str] = mapped_column(default="")
    at: Mapped[float] = mapped_column(default=time.time)
