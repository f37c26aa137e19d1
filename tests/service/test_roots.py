"""What lies below a root, and what does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from datalint.core.errors import DatalintError
from datalint.service.child import _environment
from datalint.service.roots import inside, named, place
from tests import servers
from tests.service.conftest import SAMPLES, serving

if TYPE_CHECKING:
    from pathlib import Path


def test_a_url_prefix_is_a_root() -> None:
    roots = named(["lake=s3://bucket/data/"])
    assert place(roots, "lake", "fruit/v1.csv") == "s3://bucket/data/fruit/v1.csv"
    assert inside(roots, "lake", "") == []
    for path in (
        "",
        "..",
        "a/../../b",
        "/etc",
        "a//b",
        "./a",
        "a?x",
        "a#b",
        "a%2e%2e/b",
        "http://x",
        "a\\b",
        "a@b",
        "*",
    ):
        with pytest.raises(DatalintError, match="is no path below lake"):
            place(roots, "lake", path)


@pytest.mark.parametrize("root", ["s3://bucket/x", "a=https://me:pw@host/", "a=https://host/?sig=x", "=s3://bucket"])
def test_a_prefix_has_a_name_and_no_login(root: str) -> None:
    with pytest.raises(DatalintError, match="--root"):
        named([root])


def test_credentials_are_given_to_readers_of_urls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("DATALINT_TOKEN", "x")
    assert "AWS_SECRET_ACCESS_KEY" in _environment({"path": "s3://bucket/a"})
    assert "AWS_SECRET_ACCESS_KEY" not in _environment({"path": "/data/a"})
    assert "DATALINT_TOKEN" not in _environment({"path": "s3://bucket/a"})


def test_a_data_set_below_a_prefix_is_scanned(tmp_path: Path) -> None:
    with (
        servers.files(SAMPLES) as port,
        serving(
            tmp_path, "--root", f"web=http://127.0.0.1:{port}/ok", "--database", f"sqlite:///{tmp_path}/s.db"
        ) as served,
    ):
        page = served.client.get("/add?root=web&path=iris_sorted", headers={"accept": "text/html"}).text
        assert "species" in page
        served.form("/add", name="iris", root="web", path="iris_sorted")
        number = served.client.post("/api/v1/scans", json={"dataset": "iris"}).json()["id"]
        until = time.monotonic() + 120
        while (scan := served.client.get(f"/api/v1/scans/{number}").json())["status"] in ("queued", "running"):
            assert time.monotonic() < until
            time.sleep(0.2)
        assert (scan["status"], scan["samples"]) == ("done", 150), scan["reason"]
