"""The interface for programs, tokens and roles, on the running service."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from sqlalchemy import select, text

import datalint
from datalint.config.schema import Config
from datalint.core.errors import DatalintError
from datalint.report.models import Affected, AffectedSample
from datalint.service.database import Database
from datalint.service.models import Dataset, Webhook
from tests.command import call, environment, run
from tests.service.conftest import SAMPLES, Postgres, Served, serving
from tests.service.reports import finding, fingerprint, report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

V1 = "/api/v1"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class Team:
    """A service with an admin, a triager, a reader, and a reader of one data set."""

    def __init__(self, served: Served, admin: str) -> None:
        self.served, self.tokens = served, {"admin": admin}
        for name, role, only in (("triager", "triager", []), ("reader", "reader", []), ("one", "triager", ["mine"])):
            if only:
                self.ask("admin", "POST", "/datasets", json={"name": "mine"})
            made = self.ask("admin", "POST", "/tokens", json={"name": name, "role": role, "datasets": only})
            self.tokens[name] = made.json()["token"]

    def ask(self, who: str, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request with the token of somebody."""
        options["headers"] = {**options.get("headers", {}), **(bearer(self.tokens[who]) if who else {})}
        return httpx2.request(method, self.served.url + V1 + path, trust_env=False, timeout=30, **options)

    def push(self, who: str, dataset: str, *findings: Any, run: int = 0, **params: str) -> httpx2.Response:
        """Send a report."""
        body = report(*findings, run=run).to_json()
        return self.ask(who, "POST", "/reports", params={"dataset": dataset, **params}, content=body)


def started(folder: Path, url: str) -> Iterator[Team]:
    made = run(folder, "serve", "--database", url, "--create-token", "ann")
    assert (made.status, made.err) == (0, "")
    shutil.copytree(SAMPLES / "iris_sorted", folder / "data" / "iris_sorted")
    with serving(folder, "--root", "data", "--database", url, "--workers", "2") as served:
        yield Team(served, made.out.strip())


@pytest.fixture
def team(tmp_path: Path, url: str) -> Iterator[Team]:
    yield from started(tmp_path, url)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    yield from started(folder, f"sqlite:///{folder}/service.db")


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Team]:
    yield from started(tmp_path_factory.mktemp("team"), postgres.database())


def test_the_way_of_a_finding_through_the_interface(team: Team) -> None:
    first = team.push("triager", "set", finding("a"), revision="abc")
    assert (first.status_code, first.json()["passed"], first.json()["revision"]) == (201, True, "abc")
    again = team.push("triager", "set", finding("a"), revision="abc")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])  # sent twice, one scan
    assert team.push("triager", "set", finding("a"), finding("b"), run=1).json()["passed"] is False
    verdict = team.ask("reader", "GET", "/datasets/set/gate").json()
    assert (verdict["passed"], verdict["reasons"]) == (False, ["new warning: XMPb 10 samples are b"])
    (b,) = (f for f in team.ask("reader", "GET", "/datasets/set/findings").json()["items"] if f["code"] == "XMPb")
    decision = {
        "state": "accepted",
        "reason": 'known "é" 😀',
        "until": "2999-01-01",
        "assignee": "bob",
        "comment": "hm",
    }
    decided = team.ask("triager", "PATCH", f"/findings/{b['id']}", json=decision).json()
    assert (decided["state"], decided["decided_by"], decided["assignee"]) == ("accepted", "triager", "bob")
    assert team.ask("reader", "GET", "/datasets/set/gate").json()["passed"] is True
    told = team.ask("reader", "GET", f"/findings/{b['id']}/history").json()
    assert [(seen["scan_id"], seen["change"], seen["count"]) for seen in told["scans"]] == [(2, "new", 10)]
    assert [(e["what"], e["who"]) for e in told["log"]][:3] == [
        ("comment", "triager"),
        ("assigned", "triager"),
        ("triage", "triager"),
    ]
    exported = tomllib.loads(team.ask("reader", "GET", "/datasets/set/suppressions.toml").text)
    (only,) = Config.model_validate(exported).suppressions
    assert (only.fingerprint, only.reason, str(only.expires)) == (b["fingerprint"], 'known "é" 😀', "2999-01-01")
    scans = team.ask("reader", "GET", "/scans", params={"dataset": "set", "limit": 1}).json()
    assert [scan["id"] for scan in scans["items"]] == [2]
    older = team.ask("reader", "GET", "/scans", params={"dataset": "set", "after": scans["next"]}).json()
    assert ([scan["id"] for scan in older["items"]], older["next"]) == ([1], None)
    changes = team.ask("reader", "GET", "/scans/1/diff/2").json()
    assert [change["finding"]["code"] for change in changes["new"]] == ["XMPb"]
    assert "passed" in team.ask("reader", "GET", "/datasets/set/badge.svg").text


def test_named_samples_are_taken_out_for_relabelling(shared: Team) -> None:
    named = [
        AffectedSample(id=f"/data/{name}", index=k, split="train", fingerprint=f"f{k}", detail={"label": label})
        for k, (name, label) in enumerate((("cat/1.png", "dog"), ("=cat/2.png", "=1+1")))
    ]
    item = finding("a").model_copy(update={"affected": Affected(count=2, samples=tuple(named))})
    sent = report(item, part="pets")
    (part,) = sent.datasets
    sent = sent.model_copy(update={"datasets": (part.model_copy(update={"path": "/data", "modality": "images"}),)})
    shared.ask("triager", "POST", "/reports?dataset=pets", content=sent.to_json())
    (found,) = shared.ask("reader", "GET", "/datasets/pets/findings").json()["items"]
    page, headers = f"{shared.served.url}/findings/{found['id']}", bearer(shared.tokens["reader"])
    rows = list(csv.DictReader(httpx2.get(f"{page}/samples.csv", headers=headers, trust_env=False).text.splitlines()))
    assert [(row["split"], row["id"], row["label"]) for row in rows] == [
        ("train", "cat/1.png", "dog"),
        ("train", "'=cat/2.png", "'=1+1"),  # a spreadsheet would run it
    ]
    tasks = httpx2.get(f"{page}/tasks.json", headers=headers, trust_env=False).json()
    assert tasks[0] == {
        "data": {"id": "cat/1.png", "split": "train", "label": "dog", "image": "cat/1.png"},
        "meta": {"fingerprint": "f0"},
    }
    assert len(tasks) == 2


def test_many_that_send_the_same_report_at_once_make_one_scan(team: Team) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: team.push("triager", "set", finding("a")), range(16)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(team.ask("reader", "GET", "/scans", params={"dataset": "set"}).json()["items"]) == 1


def test_the_client_scans_pushes_and_asks_the_gate(team: Team, tmp_path: Path) -> None:
    client = datalint.Client(team.served.url, team.tokens["triager"])
    found = client.scan("iris_sorted")
    assert {f.code for f in found.findings} >= {"ORD101"}
    assert client.gate("iris_sorted")["passed"] is True
    with pytest.raises(DatalintError, match="no data set is called 'none'"):
        client.gate("none")
    with pytest.raises(DatalintError, match="a valid token is needed"):
        datalint.Client(team.served.url, "dlt_1_" + "x" * 43).gate("iris_sorted")
    with pytest.raises(DatalintError, match="no answer from"):
        datalint.Client("http://127.0.0.1:1", "x").gate("iris_sorted")
    extra = {"DATALINT_TOKEN": team.tokens["triager"]}
    scanned = call(tmp_path, "scan", str(SAMPLES / "iris_sorted"), "-q", "--push", team.served.url, extra=extra)
    assert scanned.status == 0
    assert f"datalint: sent to {team.served.url} as scan 2 of iris: the gate passed\n" in scanned.err
    sent = ["push", "datalint-report/report.json", "--server", team.served.url, "--dataset", "iris"]
    assert "as scan 2 of iris" in call(tmp_path, *sent, extra=extra).err  # the same report
    team.push("triager", "bad", finding("a", "error"))
    asked = call(tmp_path, "gate", "bad", "--server", team.served.url, extra=extra)
    assert (asked.status, asked.out) == (1, "open error: XMPa 10 samples are a\n")
    assert call(tmp_path, "gate", "iris", "--server", team.served.url, extra=extra).status == 0
    refused = call(tmp_path, "gate", "iris", "--server", team.served.url)
    assert (refused.status, refused.err) == (2, f"datalint: {team.served.url} refuses: a valid token is needed\n")


def test_a_place_below_a_root_is_scanned_without_being_added_first(shared: Team) -> None:
    asked = {"dataset": "flowers", "root": "data", "path": "iris_sorted/iris.csv", "label": "species"}
    assert shared.ask("triager", "POST", "/scans", json=asked).status_code == 403
    assert shared.ask("admin", "POST", "/scans", json=asked | {"path": "../../etc"}).status_code == 422
    assert shared.ask("reader", "GET", "/datasets/flowers").status_code == 404
    assert shared.ask("admin", "POST", "/scans", json=asked).status_code == 202
    found = shared.ask("reader", "GET", "/datasets/flowers").json()
    assert (found["root"], found["path"], found["label"]) == ("data", "iris_sorted/iris.csv", "species")
    assert shared.ask("admin", "POST", "/scans", json=asked | {"path": "iris_sorted"}).status_code == 409
    client = datalint.Client(shared.served.url, shared.tokens["triager"])
    report = client.scan("flowers", root="data", path="iris_sorted/iris.csv")
    assert {f.code for f in report.findings} >= {"ORD101"}


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("", "GET", "/datasets", 401),
        ("", "POST", "/reports?dataset=x", 401),
        ("reader", "POST", "/scans", 403),
        ("reader", "POST", "/reports?dataset=x", 403),
        ("reader", "PATCH", "/findings/1", 403),
        ("triager", "POST", "/tokens", 403),
        ("triager", "GET", "/tokens", 403),
        ("triager", "GET", "/webhooks", 403),
        ("triager", "POST", "/datasets", 403),
        ("triager", "PATCH", "/datasets/iris_sorted", 403),
        ("one", "GET", "/datasets/iris_sorted", 404),
        ("one", "GET", "/datasets/iris_sorted/gate", 404),
        ("one", "GET", "/datasets/iris_sorted/badge.svg", 404),
        ("one", "POST", "/reports?dataset=other", 404),
    ],
)
def test_nobody_does_more_than_the_role_says(shared: Team, who: str, method: str, path: str, status: int) -> None:
    body = report().to_json() if path.startswith("/reports") else json.dumps({"dataset": "iris_sorted"})
    answer = shared.ask(who, method, path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_for_one_data_set_sees_nothing_of_others(shared: Team) -> None:
    shared.push("admin", "secret set", finding("a"))
    mine = shared.push("one", "mine", finding("b"))
    assert mine.status_code == 201
    assert [d["name"] for d in shared.ask("one", "GET", "/datasets").json()["items"]] == ["mine"]
    assert {scan["dataset"] for scan in shared.ask("one", "GET", "/scans").json()["items"]} == {"mine"}
    hidden = shared.ask("admin", "GET", "/datasets/secret%20set/findings").json()["items"][0]
    for path in (f"/findings/{hidden['id']}", f"/scans/{hidden['last_id']}", f"/scans/{hidden['last_id']}/report.json"):
        assert shared.ask("one", "GET", path).status_code == 404
        assert shared.ask("one", "GET", path).json()["status"] == 404
    assert shared.ask("one", "PATCH", f"/findings/{hidden['id']}", json={"comment": "x"}).status_code == 404
    own = {"authorization": bearer(shared.tokens["one"])["authorization"], "accept": "text/html"}
    for path in ("/", "/rules/XMPa", "/compare", f"/findings/{hidden['id']}", f"/findings/{hidden['id']}/samples.csv"):
        assert "secret" not in httpx2.get(shared.served.url + path, headers=own, trust_env=False).text


def test_wrong_tokens_are_soon_refused_unread(tmp_path: Path) -> None:
    for team in started(tmp_path, "sqlite:///service.db"):
        wrong = [httpx2.get(team.served.url + V1 + "/rules", headers=bearer("dlt_1_" + "x" * 43)) for _ in range(11)]
        assert [answer.status_code for answer in wrong] == [401] * 10 + [429]
        assert team.ask("reader", "GET", "/rules").status_code == 429
        assert wrong[-1].headers["retry-after"] == "60"


def test_secrets_are_kept_hashed_and_shown_once(tmp_path: Path) -> None:
    for team in started(tmp_path, "sqlite:///service.db"):
        secret = team.tokens["admin"].split("_", 2)[2]
        page = team.served.client.get("/settings", headers=bearer(team.tokens["admin"]))
        assert page.status_code == 200
        assert secret not in page.text
        database = Database(f"sqlite:///{tmp_path}/service.db")
        with database.write() as session:
            session.add(Webhook(url="https://example.org", secret="s3cret"))
        database.engine.dispose()
        listed = team.ask("admin", "GET", "/tokens").json()
        assert [token["name"] for token in listed] == ["one", "reader", "triager", "ann"]
        assert set(listed[0]) == {"id", "name", "role", "datasets", "created", "expires", "revoked"}
        (hook,) = team.ask("admin", "GET", "/webhooks").json()
        assert (hook["url"], hook["dataset"], "s3cret" in str(hook)) == ("https://example.org", None, False)
        kept = b"".join(path.read_bytes() for path in tmp_path.glob("service.db*"))
        assert secret.encode() not in kept


def test_a_browser_logs_in_and_out(shared: Team) -> None:
    with httpx2.Client(base_url=shared.served.url, headers={"accept": "text/html"}, trust_env=False) as browser:
        assert browser.get("/").headers["location"] == "/login"
        browser.get("/login")
        fields = {"csrf": browser.cookies["datalint_csrf"], "token": shared.tokens["admin"]}
        assert browser.post("/login", data={**fields, "csrf": "x"}).status_code == 403
        answer = browser.post("/login", data=fields)
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert "ann · admin" in browser.get("/").text
        assert [word in browser.get("/").text for word in ('href="/settings"', "Log out")] == [True, True]
        made = browser.post("/settings/tokens", data={**fields, "name": "bob", "role": "reader", "days": "1"})
        token = made.text.split('class="secret">')[1].split("<")[0]
        shared.tokens["bob"] = token
        assert shared.ask("bob", "GET", "/rules").status_code == 200
        number = token.split("_")[1]
        browser.post(f"/settings/tokens/{number}/revoke", data=fields)
        assert shared.ask("bob", "GET", "/rules").status_code == 401
        assert "token revoked" in browser.get("/settings").text
        browser.post("/logout", data=fields)
        assert browser.get("/").status_code == 303


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "at its top"),
        (b"[]", "at its top"),
        (report().to_json().replace("datalint-report/1", "datalint-report/9").encode(), "at schema"),
        (report(finding("a"), finding("a")).to_json().encode(), "not unique"),
        (report(finding("a")).to_json().replace(fingerprint("a", "data"), "x" * 20).encode(), "not valid"),
    ],
)
def test_what_is_no_report_leaves_nothing_behind(shared: Team, body: bytes, said: str) -> None:
    answer = shared.ask("triager", "POST", "/reports?dataset=broken", content=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert shared.ask("reader", "GET", "/datasets/broken").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "options", "statuses"),
    [
        ("GET", "/datasets?after=%00", {}, {200, 422}),
        ("GET", "/datasets/%00/gate", {}, {404, 422}),
        ("GET", "/scans?dataset=%00", {}, {404, 422}),
        ("POST", "/reports?dataset=x%00", {"content": report().to_json()}, {422}),
        ("POST", "/reports?dataset=x&ref=%00", {"content": report().to_json()}, {201, 422}),
        ("POST", "/scans", {"json": {"dataset": "\0"}}, {404, 422}),
        ("POST", "/tokens", {"json": {"name": "\0", "role": "reader"}}, {201, 422}),
        ("POST", "/tokens", {"json": {"name": "a", "role": "reader", "days": 1e30}}, {422}),
    ],
)
def test_what_a_database_does_not_take_is_refused(
    on_postgres: Team, method: str, path: str, options: Any, statuses: set[int]
) -> None:
    assert on_postgres.ask("admin", method, path, **options).status_code in statuses


def test_hostile_names_stay_text(shared: Team) -> None:
    nasty = "<script>alert(1)</script>"
    item = finding("a", column=nasty).model_copy(update={"message": nasty, "code": "XMP1", "rule": nasty})
    scan = shared.ask(
        "triager", "POST", "/reports", params={"dataset": "hostile"}, content=report(item, part=nasty).to_json()
    ).json()
    headers = {**bearer(shared.tokens["admin"]), "accept": "text/html"}
    for path in ("/datasets/hostile", f"/scans/{scan['id']}", "/"):
        page = httpx2.get(shared.served.url + path, headers=headers, trust_env=False).text
        assert "<script>alert" not in page
    assert (
        shared.ask("triager", "POST", "/reports", params={"dataset": nasty}, content=report().to_json()).status_code
        == 422
    )


def test_events_are_streamed_and_resumed(shared: Team) -> None:
    shared.push("admin", "events", finding("a"))
    with httpx2.Client(base_url=shared.served.url, headers=bearer(shared.tokens["admin"]), trust_env=False) as client:
        seen: list[str] = []
        for after in ("0", None):
            headers = {"last-event-id": after or seen[0]}
            with client.stream("GET", f"{V1}/events", headers=headers) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                for line in stream.iter_lines():
                    if line.startswith("id: "):
                        seen.append(line.removeprefix("id: "))
                        break
        assert client.get(f"{V1}/events", headers={"last-event-id": "x"}).status_code == 422
    assert int(seen[1]) > int(seen[0])


def test_one_level_of_a_gate_is_changed_and_the_other_stays(shared: Team) -> None:
    shared.push("admin", "levels", finding("a"))
    for gate in ({"new": "error"}, {}):
        changed = shared.ask("admin", "PATCH", "/datasets/levels", json={"gate": gate}).json()
        assert changed["gate"] == {"new": "error", "open": "error"}


def test_it_can_be_watched(shared: Team) -> None:
    assert httpx2.get(f"{shared.served.url}/healthz", trust_env=False).text == "ok\n"
    assert httpx2.get(f"{shared.served.url}/readyz", trust_env=False).text == "ok\n"
    metrics = httpx2.get(f"{shared.served.url}/metrics", headers=bearer(shared.tokens["reader"]), trust_env=False).text
    assert 'datalint_scans{status="done"}' in metrics
    assert httpx2.get(f"{shared.served.url}/metrics", trust_env=False).status_code == 401


def test_the_description_is_openapi_3_1(shared: Team) -> None:
    document = httpx2.get(f"{shared.served.url}{V1}/openapi.json", trust_env=False).json()
    assert document["openapi"].startswith("3.1")
    assert {f"{V1}/reports", f"{V1}/scans", f"{V1}/datasets/{{name}}/gate", f"{V1}/events"} <= set(document["paths"])


def test_the_first_schema_is_migrated_with_its_data(url: str) -> None:
    from alembic import command
    from alembic.config import Config as Alembic

    from datalint.service.database import Database, _engine

    engine = _engine(url)
    with engine.execution_options(write=True).begin() as connection:
        config = Alembic()
        config.set_main_option("script_location", "datalint.service:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        # As the models of then wrote it.
        connection.execute(
            text(
                "INSERT INTO dataset (name, path, owner, tags, ref, gate, created) "
                "VALUES ('old', '', '', '[]', 'main', '{\"new\": \"warning\", \"open\": \"error\"}', 1)"
            )
        )
    engine.dispose()
    database = Database(url)
    with database.read() as session:
        (dataset,) = session.scalars(select(Dataset))
        assert (dataset.name, dataset.schedule, dataset.due) == ("old", "", None)
        assert session.execute(text("SELECT count(*) FROM token")).scalar() == 0
    database.engine.dispose()


def test_the_environment_of_the_tests_has_no_token(tmp_path: Path) -> None:
    assert not any(name.startswith("DATALINT") for name in environment(tmp_path))
