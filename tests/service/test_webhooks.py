"""Webhooks, with a receiver that is really there."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from datalint.core.errors import DatalintError
from datalint.service import history
from datalint.service.models import Dataset, Delivery, Event, Webhook
from datalint.service.webhooks import Courier, check, signature
from tests.service.reports import finding, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.service.database import Database


class Receiver:
    """Keeps what it is sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.answer = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.append(self.path)
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.answer)
                self.send_header("location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def push(database: Database, *findings: Any, run: int) -> None:
    with database.write() as session:
        history.push(session, session.get_one(Dataset, 1), report(*findings, run=run), "ann")


def test_what_is_new_is_told_signed_and_until_somebody_answers(database: Database, receiver: Receiver) -> None:
    with database.write() as session:
        session.add_all([Dataset(name="set"), Dataset(name="other")])
        session.flush()
        session.add(Webhook(url=receiver.url, secret="s3cret"))
        session.add(Webhook(url=receiver.url, secret="x", dataset_id=2))
    courier = Courier(database, ["127.0.0.1"])
    assert not courier.one()
    push(database, finding("a"), run=1)
    receiver.answer = 302  # which is not followed
    assert courier.one()
    assert not courier.one()  # not before its time
    with database.write() as session:
        (hook,) = session.scalars(select(Webhook).where(Webhook.attempts == 1))
        assert (hook.secret, hook.status, hook.retry > 0) == ("s3cret", "302", True)
        session.execute(update(Webhook).values(retry=0))
    push(database, finding("a", "error"), run=2)
    receiver.answer = 204
    assert courier.one()
    assert not courier.one()
    headers, body = receiver.got[-1]
    assert headers["x-datalint-signature"] == signature("s3cret", headers["x-datalint-timestamp"], body)
    told = [event["event"] for event in json.loads(body)["events"]]
    assert told == ["new", "gate passed", "worse", "gate failed"]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert len(receiver.got) == 2


def test_nothing_is_told_of_what_was_rolled_back(database: Database, receiver: Receiver) -> None:
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.add(Webhook(url=receiver.url, secret="s", kind="slack"))
    with pytest.raises(RuntimeError), database.write() as session:
        history.push(session, session.get_one(Dataset, 1), report(finding("a")), "ann")
        raise RuntimeError
    courier = Courier(database, ["127.0.0.1"])
    assert not courier.one()
    push(database, finding("a"), run=1)
    assert courier.one()
    assert json.loads(receiver.got[0][1])["text"].splitlines()[0] == "set: new 10 samples are a"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:8650/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f000001/",
        "http://2130706433/",
        "file:///etc/passwd",
        "http://user:pass@example.org/",
        "gopher://x",
        "nonsense",
    ],
)
def test_addresses_of_the_own_network_are_refused(url: str) -> None:
    with pytest.raises(DatalintError):
        check(url, [])


def test_an_address_that_turned_private_is_not_sent_to(database: Database, receiver: Receiver) -> None:
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.add(Webhook(url=receiver.url, secret="s"))
    push(database, finding("a"), run=1)
    assert Courier(database).one()
    assert receiver.got == []
    with database.read() as session:
        assert "private network" in session.scalars(select(Webhook.status)).one()
        assert session.scalar(select(func.count(Event.id)))


def test_a_commit_gets_its_status(database: Database, receiver: Receiver) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.add(Webhook(url=receiver.url, secret="gh_token", kind="github"))
        session.flush()
        for run, revision in enumerate(("", commit, commit, "v1"), 1):
            found = report(finding("a", "error"), run=run) if run == 3 else report(run=run)
            history.push(session, session.get_one(Dataset, 1), found, "ann", "branch", revision)
    assert Courier(database, ["127.0.0.1"]).one()
    assert not Courier(database, ["127.0.0.1"]).one()
    assert set(receiver.paths) == {f"/hook/statuses/{commit}"}
    assert [json.loads(body)["state"] for _, body in receiver.got] == ["success", "failure"]
    assert json.loads(receiver.got[1][1])["description"] == "open error: XMPa 10 samples are a"
    assert receiver.got[0][0]["authorization"] == "Bearer gh_token"
    assert "x-datalint-signature" not in receiver.got[0][0]
