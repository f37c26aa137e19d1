"""The folder of the cache: whose it is, what is believed of it, and what is removed from it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.engine.cache import MARK, TAG, Cache, open_cache
from tests.command import call, environment, run

if TYPE_CHECKING:
    from pathlib import Path

OTHER = 54_321
"""A user that does not exist."""

OPTIONS: dict[str, Any] = {"preset": "fast", "select": ["ORD101", "DUP101", "VAL101"]}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two data sets with different findings, each of three files; one has many affected samples."""
    place = tmp_path_factory.mktemp("two")
    for name in ("good", "bad"):
        (place / name).mkdir()
        for k in range(3):
            rng = np.random.default_rng(k)
            frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
            frame["label"] = rng.choice(["x", "y"], 200)
            if name == "bad":
                frame.loc[:150, ["a", "b"]] = 0.0
            frame.to_csv(place / name / f"part-{k}.csv", index=False)
    return place


def scan(path: Path, cache: Path) -> datalint.Report:
    return datalint.scan(path, cache_dir=cache, **OPTIONS)


def told(report: datalint.Report) -> str:
    """All of a report but the run."""
    report.thumbnails  # noqa: B018
    rows = report.affected("DUP101").to_json(), report.affected("VAL101").to_json()
    return report.model_dump_json(exclude={"run"}) + str(rows)


def entries(folder: Path) -> list[Path]:
    """The files that hold results."""
    return sorted(path for path in folder.rglob("??/*") if len(path.name) == 62)


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Everything below a folder: modes and contents."""
    found = {".": (folder.stat().st_mode, None)}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else None
        found[path.relative_to(folder).as_posix()] = (path.lstat().st_mode, content)  # type: ignore[assignment]
    return found  # type: ignore[return-value]


# --- whose folder it is ---------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of the user's, with the mark of another program's cache."""
    place = tmp_path / "home"
    (place / "ab").mkdir(parents=True)
    (place / "thesis.txt").write_text("three years")
    (place / "ab" / ("0" * 61)).write_text("not called like an entry")
    (place / TAG).write_text("Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag.\n")
    place.chmod(0o755)
    return place


@pytest.mark.parametrize("how", ["option", "variable", "config"])
def test_a_folder_of_the_user_is_refused_and_left_as_it_is(two: Path, home: Path, tmp_path: Path, how: str) -> None:
    before = tree(home)
    arguments = ["scan", str(two / "good"), "--no-report", "--preset", "fast"]
    extra = {"DATALINT_CACHE_DIR": "home"} if how == "variable" else {}
    if how == "option":
        arguments += ["--cache-dir", "home"]
    if how == "config":
        (tmp_path / "datalint.toml").write_text('cache-dir = "home"\n')
        arguments += ["--config", "datalint.toml"]
    done = run(tmp_path, *arguments, extra=extra)
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "datalint: nothing can be cached in home: it is not empty, and no cache of yours; choose another folder for the "
        "cache\n"
    )
    assert tree(home) == before


def test_clean_removes_nothing_of_the_user(home: Path, tmp_path: Path) -> None:
    before = tree(home)
    done = call(tmp_path, "clean", "--cache-dir", "home")
    assert (done.status, done.out) == (2, "")
    assert done.err == "datalint: nothing was removed from home: it is not empty, and no cache of yours\n"
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nothing", "\x1b[31mred"):
        done = call(tmp_path, "clean", "--cache-dir", name)
        assert (done.status, done.err) == (0, "")
        assert "\x1b" not in done.out
    assert tree(home) == before
    assert (tmp_path / "empty").is_dir()


def test_clean_removes_entries_alone(two: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    scan(two / "good", cache)
    (cache / "ab").mkdir(exist_ok=True)
    ours = entries(cache)
    assert len(ours) >= 6
    kept = [cache / "notes.txt", cache / "ab" / "x.csv", cache / "zz" / ("0" * 62), cache / "ab" / ("F" * 62)]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    folder = cache / "ab" / ("a" * 62)
    folder.mkdir()
    (folder / "mine").write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ("1" * 62)).write_text("mine")
    taken = {path.parent.name for path in ours}
    linked = cache / next(name for k in range(256) if (name := f"{k:02x}") not in taken)
    linked.symlink_to(outside)
    (cache / "ab" / ("b" * 62)).symlink_to(outside / ("1" * 62))
    done = call(tmp_path, "clean", "--cache-dir", str(cache))
    assert (done.status, done.err) == (0, "")
    assert all(path.read_text() == "mine" for path in [*kept, folder / "mine", outside / ("1" * 62)])
    assert not any(path.is_file() and not path.is_symlink() for path in ours)
    assert scan(two / "good", cache).run.engine != "cache"  # and it is still a cache
    assert scan(two / "good", cache).run.engine == "cache"


def test_a_folder_that_we_made_goes_and_one_that_was_there_stays_as_it_was(two: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o750)
    (tmp_path / "there").chmod(0o750)
    for name in ("there", "made"):
        scan(two / "good", tmp_path / name)
        assert scan(two / "good", tmp_path / name).run.engine == "cache"
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == (0o750 if name == "there" else 0o700)
        assert stat.S_IMODE((tmp_path / name / MARK).stat().st_mode) == 0o600
        assert {stat.S_IMODE(path.stat().st_mode) for path in entries(tmp_path / name)} == {0o600}
        assert "removed" in call(tmp_path, "clean", "--cache-dir", name).out
    assert not (tmp_path / "made").exists()
    assert not entries(tmp_path / "there")


def test_a_cache_of_an_older_version_is_ours(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.put("a" * 64, b"body")
    (tmp_path / "cache" / MARK).unlink()
    assert cache.get("a" * 64) is None  # of whom nobody knows who signed it
    cache.put("a" * 64, b"body")
    assert cache.get("a" * 64) == b"body"


def test_a_folder_that_others_can_write_to_is_never_ours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for mode in (0o777, 0o775, 0o1777, 0o757):
        place = tmp_path / f"{mode:o}"
        place.mkdir()
        place.chmod(mode)
        cache = Cache(place)
        cache.put("a" * 64, b"body")
        assert cache.get("a" * 64) is None
        assert not [*place.iterdir()]
        assert stat.S_IMODE(place.stat().st_mode) == mode
        caplog.clear()
        assert open_cache(place) is None
        assert caplog.messages == [f"datalint: nothing is cached in '{place}': others can write to it"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can play somebody else")
def test_entries_that_somebody_else_planted_are_not_believed(two: Path, tmp_path: Path) -> None:
    # They wait in a folder that all may write to, with everything that a cache of ours has.
    donor, folder = tmp_path / "donor", tmp_path / "shared"
    report = scan(two / "good", donor)
    assert report.ok()
    shutil.copytree(donor, folder)
    for path in [*folder.rglob("*")]:
        os.chown(path, OTHER, OTHER)
    os.chown(folder, 0, 0)
    folder.chmod(0o777)
    for mode in (0o777, 0o755):  # the second once its owner has closed it
        folder.chmod(mode)
        try:
            found = scan(two / "good", folder)
        except DatalintError as error:
            assert "no cache of yours" in str(error)
        else:
            assert found.run.engine != "cache"


def _as_nobody(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", sys.executable, "-m", "datalint"]
    return subprocess.run([*command, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can play somebody else")
@pytest.mark.parametrize("why", ["of root", "no home", "read only", "file above"])
def test_without_a_place_for_the_cache_the_scan_goes_on(two: Path, tmp_path: Path, why: str) -> None:
    env = environment(tmp_path)
    for folder in (tmp_path, *tmp_path.parents[:4], two, *two.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    wanted = "others"
    if why == "no home":
        del env["XDG_CACHE_HOME"]
        env.pop("HOME", None)
        wanted = "home directory"
    elif why == "of root":
        scan(two / "good", tmp_path / ".cache" / "datalint")
        wanted = "Permission denied"
    elif why == "read only":
        (tmp_path / ".cache").mkdir(mode=0o755)
        wanted = "it cannot be written to"
    else:
        (tmp_path / ".cache").write_text("")
        wanted = "Not a directory"
    done = _as_nobody("scan", str(two / "good"), "--no-report", "--preset", "fast", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert "no findings" in done.stdout or "info" in done.stdout
    assert done.stderr.startswith("datalint: nothing is cached")
    assert wanted in done.stderr
    assert done.stderr.count("\n") == 1
    if why == "no home":
        done = _as_nobody("clean", cwd=tmp_path, env=env)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_what_lies_in_memory_needs_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATALINT_CACHE_DIR", "/dev/null/cache")
    frame = pd.DataFrame({"a": np.arange(60.0), "label": ["x", "y"] * 30})
    logger = logging.getLogger("datalint")
    monkeypatch.setattr(logger, "warning", lambda *said: pytest.fail(str(said)))
    assert datalint.scan(frame, **OPTIONS).run.engine == "serial"


# --- what is in it --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full(two: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A cache that both data sets filled, and what was found in each."""
    folder = tmp_path_factory.mktemp("full") / "cache"
    good, bad = told(scan(two / "good", folder)), told(scan(two / "bad", folder))
    assert good != bad
    return folder, good, bad


def _damages() -> dict[str, Any]:
    def cut(share: float) -> Any:
        return lambda path, data, others: path.write_bytes(data[: int(len(data) * share)])

    def flip(share: float) -> Any:
        def change(path: Path, data: bytes, others: list[Path]) -> None:
            at = min(int(len(data) * share), len(data) - 1)
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :])

        return change

    def instead(make: Any) -> Any:
        def change(path: Path, data: bytes, others: list[Path]) -> None:
            path.unlink()
            make(path)

        return change

    def sparse(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(1 << 42)

    found = {f"cut at {share}": cut(share) for share in (0, 0.01, 0.5, 0.99)}
    found |= {f"flipped at {share}": flip(share) for share in (0, 0.1, 0.5, 0.9, 1)}
    found |= {
        "zeros": lambda path, data, _: path.write_bytes(bytes(len(data))),
        "longer": lambda path, data, _: path.write_bytes(data + b"\0"),
        "random": lambda path, data, _: path.write_bytes(np.random.default_rng(0).bytes(len(data))),
        "another entry": lambda path, _, others: shutil.copyfile(others[0], path),
        "a sum of its own": lambda path, data, _: path.write_bytes(data[:-32] + hashlib.sha256(data[:-32]).digest()),
        "pipe": instead(os.mkfifo),
        "folder": instead(lambda path: path.mkdir()),
        "link to nothing": instead(lambda path: path.symlink_to("nothing")),
        "link to itself": instead(lambda path: path.symlink_to(path.name)),
        "link to a device": instead(lambda path: path.symlink_to("/dev/zero")),
        "huge": instead(sparse),
        "unreadable": lambda path, *_: path.chmod(0),
        "open to others": lambda path, *_: path.chmod(0o666),
    }
    return found


DAMAGES = _damages()


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_lies_there_the_report_is_the_same(
    two: Path, full: tuple[Path, str, str], tmp_path: Path, damage: str
) -> None:
    source, good, bad = full
    folder = tmp_path / "cache"
    shutil.copytree(source, folder)
    kept = entries(folder)
    others = [*kept[1:], kept[0]]
    contents = [path.read_bytes() for path in kept]
    if damage == "another entry":  # each under the name of the next
        for path, data in zip(others, contents, strict=True):
            path.write_bytes(data)
    else:
        for path, data in zip(kept, contents, strict=True):
            DAMAGES[damage](path, data, others)
    assert told(scan(two / "good", folder)) == good
    assert told(scan(two / "bad", folder)) == bad


@pytest.mark.parametrize("damage", ["cut at 0", "flipped at 0", "zeros", "pipe", "folder", "link to nothing", "gone"])
@pytest.mark.parametrize("which", [MARK, TAG])
def test_a_damaged_mark(two: Path, full: tuple[Path, str, str], tmp_path: Path, damage: str, which: str) -> None:
    folder = tmp_path / "cache"
    shutil.copytree(full[0], folder)
    mark = folder / which
    if damage == "gone":
        mark.unlink()
    else:
        DAMAGES[damage](mark, mark.read_bytes(), [])
    assert told(scan(two / "bad", folder)) == full[2]


def _signed(folder: Path, path: Path, body: bytes) -> None:
    """Write an entry as somebody would who knows the secret."""
    secret = (folder / MARK).read_bytes().split(b"\n")[1]
    key = (path.parent.name + path.name).encode()
    path.write_bytes(body + hmac.new(secret, key + body, hashlib.sha256).digest())


def test_a_damaged_body_with_a_true_signature_is_no_traceback(
    two: Path, full: tuple[Path, str, str], tmp_path: Path
) -> None:
    source, good, bad = full
    rng = np.random.default_rng(7)
    for number in range(12):
        folder = tmp_path / f"cache{number}"
        shutil.copytree(source, folder)
        for path in entries(folder):
            body = bytearray(path.read_bytes()[:-32])
            if number == 0:
                body = body[: len(body) // 2]
            elif number == 1:
                body = bytearray(b"[" * 100_000)
            elif number == 2:
                body = bytearray(json.dumps({"l": [1, 2]}).encode())
            else:  # in the tree, of which the texts and numbers are most
                for at in rng.integers(0, min(len(body), 3_000), 1 + number % 3):
                    body[at] = rng.integers(32, 127)
            _signed(folder, path, bytes(body))
        for name, right in (("good", good), ("bad", bad)):
            found = told(scan(two / name, folder))
            assert number > 2 or found == right
