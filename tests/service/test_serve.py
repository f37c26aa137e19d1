"""``datalint serve`` as a person starts it."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect, text

from datalint.core.errors import DatalintError
from datalint.service.database import Database
from datalint.service.models import Base
from tests.command import call, run
from tests.service.conftest import SAMPLES, Served, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service on one machine, with the sample data."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, "--root", str(SAMPLES), "--database", f"sqlite:///{folder}/service.db") as served:
        yield served


def test_one_command_lists_the_data_sets_and_scans_at_a_click(served: Served) -> None:
    page = served.client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 200
    for folder in SAMPLES.iterdir():
        if folder.name.startswith("__"):
            continue
        assert (f"/datasets/{folder.name}" in page.text) == folder.is_dir(), folder.name
    answer = served.form("/datasets/wine_scaled_before_split/scan")
    assert answer.status_code == 303
    place = answer.headers["location"]
    for _ in range(300):
        if "hx-get" not in (page := served.client.get(place)).text:
            break
        time.sleep(0.2)
    assert "SPL103" in page.text
    report = served.client.get(f"{place}/report.html")
    assert "Content-Security-Policy" in report.text
    assert report.headers["content-security-policy"].startswith("sandbox")
    assert "SPL103" in served.client.get("/datasets/wine_scaled_before_split").text
    assert "wine_scaled_before_split" in served.client.get("/rules/SPL103").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/datasets/none", 404),
        ("/scans/99", 404),
        ("/findings/99", 404),
        ("/rules/NIL000", 404),
        ("/scans/x", 422),
        (f"/scans/{2**70}", 422),
        (f"/findings/{2**70}", 422),
        (f"/compare?old={2**70}&new=1", 422),
        (f"/datasets/iris_sorted?after={2**70}", 422),
        ("/nowhere", 404),
    ],
)
def test_what_is_not_there_is_said_in_one_line(served: Served, path: str, status: int) -> None:
    problem = served.client.get(path)
    assert problem.status_code == status
    assert problem.headers["content-type"] == "application/problem+json"
    assert set(problem.json()) == {"type", "title", "status", "detail"}
    page = served.client.get(path, headers={"accept": "text/html"})
    assert page.status_code == status
    assert 'role="alert"' in page.text


@pytest.mark.parametrize(
    "path", ["..", "../tests", "/etc", "iris_sorted/../../tests", "x\0y", "file:///etc", "link/passwd"]
)
def test_nothing_outside_of_the_root_is_seen(served: Served, path: str) -> None:
    answer = served.client.get("/add", params={"root": "sample_data", "path": path})
    assert answer.status_code == 422, answer.text
    added = served.form("/add", name="x", root="sample_data", path=path)
    assert added.status_code == 422


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to("/etc")
    with serving(tmp_path, "--root", "root", "--database", "sqlite:///service.db") as served:
        assert "path=link" not in served.client.get("/add").text
        answer = served.client.get("/add", params={"root": "root", "path": "link"})
        assert (answer.status_code, answer.json()["detail"]) == (422, "'link' lies outside of root")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8650"}, 421),
        ({"host": ""}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({}, 403),  # no CSRF token
    ],
    ids=str,
)
def test_requests_of_other_sites_change_nothing(served: Served, headers: dict[str, str], status: int) -> None:
    answer = served.client.post("/datasets/iris_sorted/scan", headers=headers)
    assert answer.status_code == status
    assert "No scans yet." in served.client.get("/datasets/iris_sorted").text


def test_behind_a_proxy_nobody_is_known_without_a_token(served: Served) -> None:
    assert served.client.get("/", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 401


def test_every_answer_has_the_headers_that_keep_a_browser_safe(served: Served) -> None:
    for path in ("/", "/static/htmx.min.js", "/nowhere", "/rules"):
        headers = served.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_a_huge_request_is_refused(served: Served) -> None:
    answer = served.client.post("/datasets/iris_sorted/scan", content=b"x" * (65 << 20))
    assert answer.status_code == 413


def test_what_cannot_be_started_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database\n" * 100)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE albums (title TEXT)")
    other.close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, said in (
            (["--port", port], f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port"),
            (
                ["--host", "0.0.0.0", "--port", "0"],
                "--host 0.0.0.0: make a token with --create-token first; --insecure lets everybody in",
            ),
            (["--root", "nowhere"], "--root nowhere: no such folder"),
            (["--database", "mysql://x"], "--database mysql: give sqlite:///FILE or postgresql://USER@HOST/NAME"),
            (["--database", "sqlite:///text.db"], "cannot use the database sqlite:///text.db: file is not a database"),
            (
                ["--database", "sqlite:///other.db"],
                "the database sqlite:///other.db holds something else: give one of its own",
            ),
        ):
            outcome = run(tmp_path, "serve", *arguments)
            assert (outcome.status, outcome.out, outcome.err) == (2, "", f"datalint: {said}\n")
    outcome = call(tmp_path, "serve", "--database", "postgresql://ann:secret@127.0.0.1:1/x")
    assert outcome.status == 2
    assert outcome.err.startswith("datalint: cannot use the database postgresql+psycopg://ann:***@127.0.0.1:1/x: ")
    assert "secret" not in outcome.err


def test_it_ends_quietly(tmp_path: Path) -> None:
    served = Served(tmp_path, "--database", "sqlite:///service.db")
    served.client.get("/")
    said = served.close()
    assert said == f"datalint: serving on {served.url}; Ctrl-C to stop\n"
    assert served.process.returncode == 0


def test_several_processes_answer_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path, "--processes", "2") as served:
        answering = _children(served.process.pid)
        assert len(answering) == 2
        os.kill(min(answering), signal.SIGKILL)
        assert all(served.client.get("/healthz").status_code == 200 for _ in range(20))
        wait_for(lambda: len(_children(served.process.pid) - {min(answering)}) == 2)
        answering = _children(served.process.pid)
        served.process.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in answering))


def wait_for(met: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not met():
        assert time.monotonic() < until
        time.sleep(0.1)


def _children(parent: int) -> set[int]:
    """Processes of it that answer requests."""
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatalintError, match=r"made by a newer version of datalint: upgrade datalint"):
        Database(database.url)


def test_the_migrations_lead_to_the_models(database: Database) -> None:
    fresh = create_engine("sqlite://")
    Base.metadata.create_all(fresh)
    wanted, made = inspect(fresh), inspect(database.engine)
    assert {*made.get_table_names()} == {*wanted.get_table_names(), "alembic_version"}
    for table in wanted.get_table_names():
        assert {c["name"] for c in made.get_columns(table)} == {c["name"] for c in wanted.get_columns(table)}
        assert {i["name"] for i in made.get_indexes(table) if "duplicates_constraint" not in i} == {
            i["name"] for i in wanted.get_indexes(table)
        }
    fresh.dispose()


def test_where_rules_fire_is_counted_from_an_index_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/service.db")
    counted = "SELECT DISTINCT code, dataset_id FROM finding WHERE present IS 1 AND folded IS 0"
    with database.engine.begin() as connection:
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {counted}"))]
    database.engine.dispose()
    assert any("USING COVERING INDEX finding_fires" in step for step in plan)
