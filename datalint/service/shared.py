"""What all requests to the web application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datalint.service.child import Limits
from datalint.service.security import Attempts

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.service.database import Database
    from datalint.service.oidc import Provider
    from datalint.service.roots import Roots


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
