"""What all requests to the web application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import func, select

from datalint.service.child import Limits
from datalint.service.kept import Answers
from datalint.service.models import Event
from datalint.service.security import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from datalint.service.database import Database
    from datalint.service.oidc import Provider
    from datalint.service.roots import Roots

Counted = TypeVar("Counted")
Total = TypeVar("Total")


LATE: Final = 20
"""Events that are looked at again: on PostgreSQL a number may be seen after a higher one."""


class Latest:
    """What was counted of each data set; counted again for those to which something happened."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, dict[int, Any], Any]] = {}

    def of(
        self,
        name: str,
        session: Session,
        count: Callable[[Sequence[int] | None], dict[int, Counted]],
        total: Callable[[Iterable[Counted]], Total],
    ) -> Total:
        """The total of that name; ``count`` counts some data sets or all."""
        last = session.scalar(select(func.max(Event.id))) or 0
        kept = self._kept.get(name)
        if kept is None or kept[0] != last:
            if kept is None:
                known = count(None)
            else:
                seen, known, _ = kept
                since = select(Event.dataset_id).where(Event.id > min(seen, last) - LATE, Event.dataset_id.is_not(None))
                changed = {number for number in session.scalars(since.distinct()) if number is not None}
                still = {number: counted for number, counted in known.items() if number not in changed}
                known = still | count(list(changed))
            kept = self._kept[name] = last, known, total(known.values())
        found: Total = kept[2]
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
    answers: Answers = field(default_factory=Answers)
