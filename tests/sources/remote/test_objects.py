"""Data in an object store: a real S3 server, and what lies between it and us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.fs as pafs
import pytest
from distributed import Client, LocalCluster

from datalint.core.errors import DatalintError
from datalint.sources.remote import objects, stores
from tests import servers
from tests.command import call, run
from tests.sources.remote.places import SETS, make, said, scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored")
    make(root)
    for name in ("cut", "once"):
        for kind in ("csv", "parquet"):
            (root / f"{name}.{kind}").write_bytes((root / "shards" / f"part-1.{kind}").read_bytes())
    return root


@pytest.fixture(scope="module")
def store(data: Path) -> Iterator[int]:
    with servers.s3() as port:
        system = pafs.S3FileSystem(
            access_key="me",
            secret_key="top-secret",
            endpoint_override=f"127.0.0.1:{port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
        )
        system.create_dir("box")
        pafs.copy_files(str(data), "box/sets", destination_filesystem=system, use_threads=False)
        yield port


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, store: int, tmp_path: Path) -> Iterator[None]:
    """Credentials as people have them, and nothing known from another test."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    stores._store.cache_clear()
    stores.known().clear()
    yield
    stores._store.cache_clear()


def environment(port: int) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "top-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


@pytest.mark.parametrize("name", SETS)
def test_the_same_is_found(data: Path, name: str) -> None:
    assert said(scan(f"s3://box/sets/{name}"), "s3://box/sets") == said(scan(f"{data}/{name}"), data.as_posix())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_cut_off_in_mid_read_is_never_told_as_whole(
    data: Path, store: int, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with servers.between(store) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        local = said(scan(data / f"once.{kind}"), data.as_posix())
        assert said(scan(f"s3://box/sets/once.{kind}"), "s3://box/sets") == local
        report = scan([f"s3://box/sets/shards/part-0.{kind}", f"s3://box/sets/cut.{kind}"])
        assert "FIL101" in {finding.code for finding in report.findings}
        assert 4_000 <= sum(split.samples for one in report.datasets for split in one.splits) < 8_000
        with pytest.raises(DatalintError, match="cut"):
            scan(f"s3://box/sets/cut.{kind}")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("s3://box/sets/gone.csv", "no such file or folder: s3://box/sets/gone.csv"),
        ("s3://nobody/x.csv", "no such file or folder: s3://nobody/x.csv"),
        ("s3://box/sets/*.xyz", "no file or folder matches s3://box/sets/*.xyz"),
    ],
)
def test_one_line_says_what_is_wrong(place: str, message: str) -> None:
    with pytest.raises(DatalintError) as raised:
        scan(place)
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AWS Error ACCESS_DENIED during HeadObject operation: No response body.", "check the credentials"),
        ("AWS Error UNKNOWN (HTTP status 400) during GetObject: ExpiredToken", "have expired"),
        ("AWS Error NETWORK_CONNECTION during GetObject: curlCode: 28, Timeout was reached", "cannot be reached"),
        ("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation", "there is no bucket 'box'"),
    ],
)
def test_what_the_library_says_is_told_in_plain_words(text: str, message: str) -> None:
    failure = objects.ObjectStore("s3", "box")._failure(OSError(text))
    assert message in str(failure)


def test_a_wrong_key(data: Path, tmp_path: Path) -> None:
    with servers.process("-m", "moto.server", "-p", "{port}", INITIAL_NO_AUTH_ACTION_COUNT="0") as port:
        done = run(tmp_path, "scan", "s3://box/sets/one.csv", extra=environment(port))
    assert done.status == 2
    assert "it may not be read: check the credentials (AWS_PROFILE" in done.err
    assert done.err.count("\n") == 1 and "top-secret" not in done.err


def test_no_store(tmp_path: Path) -> None:
    done = run(tmp_path, "scan", "s3://box/one.csv", extra=environment(1))
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "the store cannot be reached" in done.err


def test_the_workers_of_a_cluster_read_the_urls(data: Path) -> None:
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="") as cluster, Client(cluster):
        report = scan("s3://box/sets/shards/*.csv", engine="dask", scheduler=cluster.scheduler_address)
    assert report.run.engine == "dask"
    assert sum(split.samples for split in report.datasets[0].splits) == 8_000


def test_the_command_line_names_no_secrets(data: Path, tmp_path: Path, store: int) -> None:
    scanned = ("scan", "s3://box/sets/tables", "--format", "json", "--select", "FIL")
    shown = call(tmp_path, *scanned, "--show-settings", extra=environment(store))
    assert shown.status == 0
    done = run(tmp_path, *scanned, extra=environment(store))
    assert json.loads(done.out)["datasets"][0]["path"] == "s3://box/sets/tables"
    assert "top-secret" not in shown.out + shown.err + done.out + done.err
