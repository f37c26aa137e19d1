"""Data on a web server: the same is found as in files of this machine, or it is said what went wrong."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.remote import base, scratch, stores, web
from datalint.sources.remote.path import RemotePath, place_of
from tests import servers
from tests.command import call
from tests.sources.remote.places import SETS, make, said, scan

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    make(root)
    return root


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[str]:
    with servers.files(data) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits are short, and nothing is known from another test."""
    monkeypatch.setattr(base, "PAUSE", 0.01)
    monkeypatch.setattr(web, "SILENCE", 0.5)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    stores._store.cache_clear()
    stores.known().clear()
    yield
    stores._store.cache_clear()


@pytest.mark.parametrize("name", SETS)
def test_the_same_is_found(data: Path, server: str, name: str) -> None:
    local = scan(f"{data}/{name}")
    assert said(scan(f"{server}/ok/{name}"), f"{server}/ok") == said(local, data.as_posix())


@pytest.mark.parametrize("how", ["plain", "busy", "once", "moved"])
def test_servers_of_all_kinds(data: Path, server: str, how: str) -> None:
    for name in ("one.csv", "arrays.npz", "shards/part-0.parquet", "shards/part-0.csv"):
        assert said(scan(f"{server}/{how}/{name}"), f"{server}/{how}") == said(scan(f"{data}/{name}"), data.as_posix())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_cut_off_in_mid_read_is_never_told_as_whole(data: Path, server: str, kind: str) -> None:
    report = scan([f"{server}/ok/shards/part-0.{kind}", f"{server}/cut/shards/part-1.{kind}"])
    assert "FIL101" in {finding.code for finding in report.findings}
    samples = sum(split.samples for dataset in report.datasets for split in dataset.splits)
    assert 4_000 <= samples < 8_000


def test_a_picture_that_is_cut_off_is_a_finding(data: Path, server: str, tmp_path: Path) -> None:
    from PIL import Image

    for k in range(4):
        side = 300 if k == 0 else 30
        Image.effect_noise((side, side), 90).save(tmp_path / f"{k}.png")
    with servers.files(tmp_path) as port:
        report = scan(f"http://127.0.0.1:{port}/cut/")
    (finding,) = [finding for finding in report.findings if finding.code.startswith(("IMG103", "FIL101"))]
    assert finding.affected.count == 1


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("404/one.csv", "no such file"),
        ("ok/gone.csv", "no such file"),
        ("403/one.csv", "it may not be read (the server answers 403 Forbidden)"),
        ("login/one.csv", "it may not be read (the server answers 401 Unauthorized)"),
        ("500/one.csv", "the server answers 500 Internal Server Error (tried 4 times)"),
        ("loop/one.csv", "more than 10 redirects"),
        ("silent/one.csv", "the server does not answer in time"),
        ("cut/shards/part-0.parquet", "broke off (tried 4 times)"),
        ("changing/shards/part-0.parquet", "changed while it was read"),
        ("ok/*.xyz", "no file or folder matches"),
        ("404/*.csv", "no such file"),
    ],
)
def test_one_line_says_what_is_wrong(data: Path, server: str, place: str, message: str) -> None:
    with pytest.raises(DatalintError) as raised:
        scan(f"{server}/{place}?sig=top-secret")
    text = str(raised.value)
    assert message in text
    assert "\n" not in text and "top-secret" not in text


def test_no_public_server_leads_into_the_own_network(data: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = server.rpartition(":")[2]
    assert scan(f"http://localhost:{port}/inwards/one.csv").datasets
    stores._store.cache_clear()
    stores.known().clear()
    monkeypatch.setattr(web, "is_private", lambda host, _: host != "localhost")
    with pytest.raises(DatalintError, match="the server redirects to an address of a private network"):
        scan(f"http://localhost:{port}/inwards/one.csv")


@pytest.mark.parametrize(
    "command",
    [
        "init {}",
        "fix {} --out o",
        "subset {} --per-class 2 --out o",
        "plant ORD103 {} --out o",
        "scan --watch {}",
        "scan --changed-only {}",
        "config {}",
    ],
)
def test_what_needs_files_of_this_machine_says_so(tmp_path: Path, command: str) -> None:
    done = call(tmp_path, *command.format("https://me:top-secret@127.0.0.1:1/x.csv?sig=top-secret").split())
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "top-secret" not in done.err
    assert {item.name for item in tmp_path.iterdir()} <= {".cache"}


def test_predictions_at_a_url(data: Path, server: str, tmp_path: Path) -> None:
    np.save(tmp_path / "probs.npy", np.full((150, 3), 1 / 3))
    with servers.files(tmp_path) as port:
        assert scan(f"{server}/ok/one.csv", pred_probs=f"http://127.0.0.1:{port}/ok/probs.npy").datasets


def test_no_server(server: str) -> None:
    with pytest.raises(DatalintError, match="no connection to the server"):
        scan("http://127.0.0.1:1/one.csv")


@pytest.mark.parametrize(
    ("place", "secret"),
    [
        ("{server}/signed/one.csv?sig=top-secret", "top-secret"),
        ("http://me:my%20zebra%20crossing@{host}/login/one.csv", "zebra"),
    ],
)
def test_what_gives_access_is_never_shown(data: Path, server: str, tmp_path: Path, place: str, secret: str) -> None:
    url = place.format(server=server, host=server.partition("://")[2])
    done = call(tmp_path, "scan", url, "--preset", "fast", "--report-dir", "pages", "--format", "json:out.json", "-v")
    assert done.status == 0, done.err
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    for text in (done.out, done.err, *(path.read_bytes().decode("latin-1") for path in written)):
        assert secret not in text and "my%20" not in text
    broken = call(tmp_path, "scan", url.replace("one.csv", "gone.csv"))
    assert broken.status == 2 and secret not in broken.err + broken.out


def test_pictures_behind_a_login(data: Path, server: str) -> None:
    host = server.partition("://")[2]
    found = said(scan(f"http://me:my%20zebra%20crossing@{host}/login/pictures", jobs=2), f"{server}/login")
    assert found == said(scan(f"{data}/pictures"), data.as_posix())


def test_workers_read_by_themselves(data: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no other process makes any
    scratch._scratch.cache_clear()
    report = scan([f"{server}/ok/shards/part-0.parquet", f"{server}/ok/shards/part-1.parquet"], jobs=2)
    assert sum(split.samples for split in report.datasets[0].splits) == 8_000
    assert scan(f"{server}/ok/arrays.npz", jobs=2).datasets
    scratch._scratch().remove()
    scratch._scratch.cache_clear()
    assert not list(tmp_path.glob("datalint-*"))


def test_what_was_measured_is_known_by_the_tag(data: Path, tmp_path: Path) -> None:
    text = (data / "one.csv").read_text()
    options = {"cache": True, "cache_dir": tmp_path / "cache"}
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "one.csv").write_text(text)
    with servers.files(tmp_path / "set") as port:
        for place in (f"http://127.0.0.1:{port}/ok/one.csv", f"http://127.0.0.1:{port}/ok"):
            (tmp_path / "set" / "one.csv").write_text(text)
            assert scan(place, **options).run.engine != "cache"
            assert scan(place, **options).run.engine == "cache"
            (tmp_path / "set" / "one.csv").write_text(text + text.splitlines()[-1] + "\n")
            report = scan(place, **options)
            assert report.run.engine != "cache"
            assert report.datasets[0].splits[0].samples == 151


def test_splits_at_urls(server: str) -> None:
    report = scan({"train": f"{server}/ok/tables/train.csv", "test": f"{server}/ok/tables/te*.csv"})
    assert [split.name for split in report.datasets[0].splits] == ["train", "test"]
    assert "SPL101" in {finding.code for finding in report.findings}


def test_no_more_is_read_than_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(400_000, 8)), columns=[f"c{j}" for j in range(8)])
    table["label"] = rng.integers(0, 3, len(table))
    table.to_parquet(tmp_path / "big.parquet", row_group_size=10_000)
    asked: list[int] = []
    read = web.Web.read

    def counted(self: web.Web, path: RemotePath, start: int, stop: int, status: base.Status) -> bytes:
        asked.append(stop - start)
        return read(self, path, start, stop, status)

    monkeypatch.setattr(web.Web, "read", counted)
    with servers.files(tmp_path) as port:
        scan(f"http://127.0.0.1:{port}/ok/big.parquet", select=["ORD103"])
        assert 0 < sum(asked) < 0.5 * (tmp_path / "big.parquet").stat().st_size
        datalint.detect(f"http://127.0.0.1:{port}/ok/")


def test_a_path_opens_reads_and_travels(data: Path, server: str) -> None:
    path = place_of(f"{server}/ok/tables/train.csv")
    whole = (data / "tables/train.csv").read_bytes()
    assert isinstance(path, RemotePath)
    again = pickle.loads(pickle.dumps(path))
    assert again == path and str(again) == f"{server}/ok/tables/train.csv"
    with again.open("rb") as file:
        file.seek(-10, 2)
        assert file.read() == whole[-10:]
        file.seek(100)
        assert file.read(50) == whole[100:150]
    with path.open(encoding="utf-8") as text:
        assert text.read() == whole.decode()
    with open(path, "rb") as copy:  # noqa: PTH123 - as libraries do
        assert copy.read() == whole
    assert path.read_bytes() == whole
    assert (path.name, path.suffix, path.stat().st_size) == ("train.csv", ".csv", len(whole))
    assert {item.name for item in path.parent.iterdir()} == {"train.csv", "test.csv"}
    assert path.is_file() and path.parent.is_dir() and not (path.parent / "gone").exists()
    with pytest.raises(OSError, match="only read"):
        path.open("wb")


def test_copies_are_bounded_and_removed(data: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MOST", 300_000)
    held = scratch.Scratch()
    for name in ("shards/part-0.parquet", "shards/part-1.parquet", "arrays.npz"):
        path = place_of(f"{server}/ok/{name}")
        assert isinstance(path, RemotePath)
        assert Path(held.copy_of(path)).read_bytes() == (data / name).read_bytes()
        assert held.copy_of(path) == held.copy_of(path)
    assert sum(path.stat().st_size for path in held.folder.iterdir()) <= 300_000 + 100_000
    held.remove()
    assert not held.folder.exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@Host.org/a%20b/c.csv?x=1#y", "https://host.org/a b/c.csv"),
        ("s3://bucket/a?b/c#d.csv", "s3://bucket/a?b/c#d.csv"),
        ("s3a://bucket/x.csv", "s3://bucket/x.csv"),
        ("abfss://box@account.dfs.core.windows.net/x", "abfs://box@account.dfs.core.windows.net/x"),
        ("ftp://me:pw@host/x.csv", "ftp://host/x.csv"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert str(place_of(url)) == shown
    assert "pw" not in repr(place_of(url))


def test_paths_that_are_no_urls(tmp_path: Path) -> None:
    assert place_of("a/b:c/d.csv") == Path("a/b:c/d.csv")
    assert place_of(f"file://{tmp_path}/a%20b.csv") == tmp_path / "a b.csv"
    assert place_of(Path("s3://bucket/x")) == place_of("s3://bucket/x")
    for wrong, message in (("s3://", "names no place"), ("file://other/x", "another machine")):
        with pytest.raises(DatalintError, match=message):
            place_of(wrong)
    with pytest.raises(DatalintError, match="made-up:// is not read"):
        datalint.detect("made-up://x/y.csv")
