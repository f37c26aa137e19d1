"""Data that is sent: scanned where it lies, and removed."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

import datalint
from datalint.service import uploads
from datalint.service.models import Dataset, Scan
from tests.command import run
from tests.service.conftest import SAMPLES, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.service.database import Database

V1 = "/api/v1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    (folder / "kept" / "mine").mkdir(parents=True)
    (folder / "kept" / "mine" / "a.txt").write_text("not an upload")
    shutil.make_archive(str(folder / "wine"), "zip", SAMPLES / "wine_scaled_before_split")
    options = ["--uploads", "kept", "--upload-limit", "1MB", "--database", f"sqlite:///{folder}/service.db"]
    with serving(folder, *options) as served:
        yield served


def over(served: Served, number: int) -> dict[str, object]:
    until = time.monotonic() + 120
    while (scan := served.client.get(f"{V1}/scans/{number}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < until
        time.sleep(0.2)
    return dict(scan)


def left(folder: Path) -> list[str]:
    return sorted(item.name for item in (folder / "kept").iterdir())


def test_what_is_sent_is_scanned_and_removed(served: Served, folder: Path) -> None:
    scan = datalint.Client(served.url).upload(folder / "wine.zip", "wine")
    assert over(served, scan["id"])["status"] == "done"
    report = served.client.get(f"{V1}/scans/{scan['id']}/report.json").json()
    assert "SPL103" in {f["code"] for part in report["datasets"] for f in part["findings"]}
    token = {"csrf": served.client.get("/add", headers={"accept": "text/html"}).cookies["datalint_csrf"]}
    data = {"data": ("wine.zip", (folder / "wine.zip").read_bytes())}
    sent = served.client.post("/upload", data={"dataset": "wine", **token}, files=data)
    again = over(served, int(sent.headers["location"].rpartition("/")[2]))
    assert (sent.status_code, again["status"], again["fresh"]) == (303, "done", 0)
    time.sleep(1)
    assert left(folder) == ["mine"]


@pytest.mark.parametrize(
    ("params", "body", "status", "detail"),
    [
        ({"file": "a.csv"}, b"x" * 2_000_000, 413, "too large"),
        ({"file": "a.csv"}, b"", 422, "the upload is empty"),
        ({"file": "../a.csv"}, b"x", 422, "file: String should match pattern"),
        ({"file": "a/b.csv"}, b"x", 422, "file: String should match pattern"),
        ({"file": "..", "dataset": "x"}, b"x", 422, "file: String should match pattern"),
        ({"file": "a.csv", "dataset": "../x"}, b"x", 422, "is no name"),
    ],
)
def test_what_is_refused_leaves_nothing(
    served: Served, folder: Path, params: dict[str, str], body: bytes, status: int, detail: str
) -> None:
    answer = served.client.post(f"{V1}/uploads", params={"dataset": "d", **params}, content=body)
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text
    assert left(folder) == ["mine"]


def test_data_that_is_none_fails_its_scan_alone(served: Served, folder: Path) -> None:
    answer = served.client.post(f"{V1}/uploads", params={"dataset": "n", "file": "a.zip"}, content=b"PK\x03\x04 no zip")
    scan = over(served, answer.json()["id"])
    assert (answer.status_code, scan["status"]) == (202, "failed")
    assert scan["reason"]


def test_none_are_taken_unless_a_folder_is_named(tmp_path: Path) -> None:
    with serving(tmp_path, "--database", f"sqlite:///{tmp_path}/s.db") as served:
        answer = served.client.post(f"{V1}/uploads", params={"dataset": "d", "file": "a.csv"}, content=b"x")
        assert answer.status_code == 404
    taken = run(tmp_path, "serve", "--uploads", "u", "--root", f"uploads={SAMPLES}")
    assert (taken.status, taken.err.count("\n")) == (2, 1)


def test_what_was_never_queued_is_removed_after_a_day(database: Database, tmp_path: Path) -> None:
    names = ["a" * 32, "b" * 32, "c" * 32, "kept"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text("a,b\n")
    os.utime(tmp_path / names[0], (0, 0))
    os.utime(tmp_path / "kept", (0, 0))
    with database.write() as session:
        session.add(Dataset(name="set"))
        session.flush()
        session.add(Scan(dataset_id=1, upload=f"{names[2]}/x.csv", status="running"))
    uploads.sweep(database, tmp_path)
    assert {name for name in names if (tmp_path / name).exists()} == {names[1], names[2], "kept"}
