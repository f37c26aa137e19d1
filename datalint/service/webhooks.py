"""Tells other services what happened: signed, in order, and again later where nobody answered."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import delete, exists, select
from sqlalchemy.exc import OperationalError

from datalint.core.errors import DatalintError
from datalint.core.network import is_private
from datalint.service.models import Dataset, Delivery, Event, Scan, Webhook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from datalint.service.database import Database

MOST: Final = 100
"""Events of one delivery."""

COMMIT: Final = re.compile(r"[0-9a-f]{40}")

LONGEST: Final = 3600.0
"""Seconds between two attempts, at most."""


def check(url: str, allowed: Collection[str]) -> None:
    """See that an address may be sent to: not one of this network, unless the operator named its host.

    Raises:
        DatalintError: it may not.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username:
        raise DatalintError(f"{url[:200]!r} is no address of a webhook: give http:// or https://")
    if host in allowed:
        return
    try:
        private = is_private(host, parts.port)
    except OSError as error:
        raise DatalintError(f"{host} cannot be resolved") from error
    if private:
        raise DatalintError(f"{host} lies in a private network: its operator can --allow-hook it")


def signature(secret: str, moment: str, body: bytes) -> str:
    """By which the receiver knows that it was us, and when."""
    return "sha256=" + hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def statuses(hook: Webhook, scans: Iterable[tuple[Scan, str]]) -> list[tuple[str, dict[str, str]]]:
    """Address and body of the commit status of each scan that names a commit, as GitHub takes them."""
    told = []
    for scan, name in scans:
        if COMMIT.fullmatch(scan.revision):
            state = {"done": "success" if scan.passed else "failure"}.get(scan.status, "error")
            why = "; ".join(scan.reasons) or scan.reason or "nothing that fails the gate"
            body = {"state": state, "context": f"datalint/{name}", "description": why[:140]}
            told.append((f"{hook.url.rstrip('/')}/statuses/{scan.revision}", body))
    return told


def payload(hook: Webhook, events: list[tuple[Event, str]]) -> dict[str, Any]:
    """What is sent."""
    told = [
        {
            "id": e.id,
            "at": e.at,
            "dataset": name,
            "event": e.what,
            "text": e.text,
            "scan": e.scan_id,
            "finding": e.finding_id,
        }
        for e, name in events
    ]
    if hook.kind == "slack":
        return {"text": "\n".join(f"{item['dataset']}: {item['event']} {item['text']}"[:300] for item in told[:20])}
    return {"events": told}


class Courier:
    """Sends until it is stopped; of several, one at a time takes a webhook."""

    def __init__(self, database: Database, allowed: Collection[str] = ()) -> None:
        self.stop = threading.Event()
        self._database, self._allowed = database, allowed

    def run(self) -> None:
        """Until :attr:`stop` is set."""
        while not self.stop.wait(1):
            try:
                while self.one() and not self.stop.is_set():
                    pass
            except OperationalError:
                continue

    def one(self) -> bool:
        """Send what one webhook was not told yet; False if there is none."""
        now = time.time()
        with self._database.write() as session:
            waiting = select(Webhook).where(Webhook.retry < now, exists().where(Delivery.webhook_id == Webhook.id))
            hook = session.scalar(waiting.order_by(Webhook.retry).limit(1).with_for_update(skip_locked=True))
            if hook is None:
                return False
            wanted = select(Event, Dataset.name).join(Delivery, Delivery.event_id == Event.id).join(Dataset)
            wanted = wanted.where(Delivery.webhook_id == hook.id).order_by(Event.id).limit(MOST)
            events = [(event, name) for event, name in session.execute(wanted)]
            hook.retry = now + 60  # whoever else looks in the meantime leaves it alone
            scans = [(s, name) for e, name in events if (s := session.get(Scan, e.scan_id or 0)) is not None]
        status = "200"
        for url, body in statuses(hook, scans) if hook.kind == "github" else [(hook.url, payload(hook, events))]:
            status = self._send(hook, url, json.dumps(body).encode())
            if not status.startswith("2"):
                break
        with self._database.write() as session:
            kept = session.get(Webhook, hook.id)
            if kept is not None:
                kept.status = status
                if status.startswith("2"):
                    kept.attempts, kept.retry = 0, 0.0
                    ids = [event.id for event, _ in events]
                    session.execute(delete(Delivery).where(Delivery.webhook_id == kept.id, Delivery.event_id.in_(ids)))
                else:
                    kept.attempts += 1
                    kept.retry = time.time() + min(2.0**kept.attempts, LONGEST)
        return True

    def _send(self, hook: Webhook, url: str, body: bytes) -> str:
        moment = str(int(time.time()))
        headers = {"content-type": "application/json"}
        if hook.kind == "github":
            headers |= {"authorization": f"Bearer {hook.secret}", "accept": "application/vnd.github+json"}
        else:
            headers["x-datalint-timestamp"] = moment
            headers["x-datalint-signature"] = signature(hook.secret, moment, body)
        try:
            check(url, self._allowed)
            return str(httpx2.post(url, content=body, headers=headers, timeout=10, follow_redirects=False).status_code)
        except (httpx2.HTTPError, DatalintError) as error:
            return (str(error) or type(error).__name__)[:200]
