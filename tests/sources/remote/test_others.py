"""Data on a hub, through fsspec."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.command import run
from tests.sources.remote.places import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    make(root)
    return root


@pytest.fixture(scope="module")
def hub(data: Path) -> Iterator[dict[str, str]]:
    with servers.hub(data) as port:
        yield {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_TOKEN": "top-secret", "HF_HUB_DISABLE_TELEMETRY": "1"}


@pytest.mark.parametrize("name", ["tables", "pictures", "shards/*.parquet"])
def test_the_same_is_found(data: Path, hub: dict[str, str], tmp_path: Path, name: str) -> None:
    told = []
    for place in (data.as_posix(), "hf://datasets/me/set"):
        done = run(
            tmp_path, "scan", f"{place}/{name}", "--preset", "fast", "--no-report", "--format", "json", extra=hub
        )
        assert done.status in {0, 1}, done.err
        assert "top-secret" not in done.out + done.err
        (found,) = json.loads(done.out.replace(place, "PLACE"))["datasets"]
        told.append((found["path"], found["splits"], [finding["message"] for finding in found["findings"]]))
    assert told[0] == told[1]


@pytest.mark.parametrize("place", ["me/set/gone.csv", "nobody/none"])
def test_what_is_not_there(hub: dict[str, str], tmp_path: Path, place: str) -> None:
    done = run(tmp_path, "scan", f"hf://datasets/{place}", extra=hub)
    assert (done.status, done.err.count("\n")) == (2, 1), done.err
    assert f"no such file or folder: hf://datasets/{place}" in done.err
