"""What all requests to the web application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, select

from datalint.service.child import Limits
from datalint.service.models import Event
from datalint.service.security import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from datalint.service.database import Database
    from datalint.service.oidc import Provider
    from datalint.service.roots import Roots

Counted = TypeVar("Counted")


class Latest:
    """What was counted last, until something happens."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Any]] = {}

    def of(self, name: str, session: Session, count: Callable[[], Counted]) -> Counted:
        """The count of that name; counted again if there are other events than then."""
        last = session.scalar(select(func.max(Event.id))) or 0
        kept = self._kept.get(name)
        if kept is None or kept[0] != last:
            kept = self._kept[name] = last, count()
        found: Counted = kept[1]
        return found


@dataclass(frozen=True)
class Service:
    """The database, what may be scanned, and the limits."""

    database: Database
    roots: Roots = field(default_factory=dict)
    uploads: Path | None = None
    """Where data that is sent lies until it was scanned; None if none is taken."""
    largest: int = 0
    """Bytes of an upload."""
    limits: Limits = field(default_factory=Limits)
    hosts: tuple[str, ...] = ()
    insecure: bool = False
    oidc: Provider | None = None
    """Who else lets people in."""
    hooks: tuple[str, ...] = ()
    """Hosts of a private network that webhooks may be sent to."""
    attempts: Attempts = field(default_factory=Attempts)
    latest: Latest = field(default_factory=Latest)
