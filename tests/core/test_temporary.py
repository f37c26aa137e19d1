"""Temporary folders go with their process, whatever ends it; nobody else's are touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datalint.core import temporary
from datalint.core.temporary import OWNER, TemporaryFolder, temporary_folder
from tests.command import COMMAND, ROOT, environment
from tests.engine.test_kills import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no locks to hold")

HOLD = "import sys, time; from pathlib import Path; from datalint.core.temporary import TemporaryFolder; held = TemporaryFolder(Path(sys.argv[1])); print(held.path, flush=True); time.sleep(600)"


def holder(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that holds a folder, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(parent)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    (path / "held").write_text("x")
    return process, path


def end(process: subprocess.Popen[str]) -> None:
    """Kill it."""
    process.kill()
    process.communicate()


def test_the_next_process_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    killed, left = holder(tmp_path)
    living, in_use = holder(tmp_path)
    try:
        end(killed)
        assert left.is_dir()
        temporary._remove_orphans.cache_clear()
        with temporary_folder(tmp_path) as own:
            assert {*tmp_path.iterdir()} == {own, in_use}
            assert own.stat().st_mode & 0o777 == 0o700
        assert (in_use / "held").exists()
    finally:
        end(living)
    temporary._remove_orphans.cache_clear()
    TemporaryFolder(tmp_path).remove()
    assert not [*tmp_path.iterdir()]


def test_only_what_is_ours_is_removed(tmp_path: Path) -> None:
    process, ours = holder(tmp_path)
    end(process)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(ours, elsewhere)
    kept = {elsewhere}

    def like(name: str) -> Path:
        place = tmp_path / f".datalint-{name}"
        shutil.copytree(ours, place)
        kept.add(place)
        return place

    (like("unmarked") / OWNER).unlink()
    (like("marked otherwise") / OWNER).write_text("mine\n")
    like("open to others").chmod(0o755)
    (place := like("linked mark") / OWNER).unlink()
    place.symlink_to(elsewhere / OWNER)
    (place := like("pipe") / OWNER).unlink()
    os.mkfifo(place)
    (link := tmp_path / ".datalint-link").symlink_to(elsewhere)
    (file := tmp_path / ".datalint-file").write_text("mine")
    if os.geteuid() == 0:
        os.chown(like("somebody's"), 54_321, 54_321)
    temporary._remove_orphans.cache_clear()
    with temporary_folder(tmp_path):
        pass
    assert {*tmp_path.iterdir()} == kept | {link, file}
    assert all((place / "held").exists() for place in kept)


def test_a_fork_leaves_the_folder_to_its_owner(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        held = TemporaryFolder(tmp_path)
        if (child := os.fork()) == 0:
            held.remove()
            os._exit(0)
        os.waitpid(child, 0)
        assert held.path.is_dir()
        held.remove()
        assert [*tmp_path.iterdir()] == [folder]


def test_a_scan_that_was_killed_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(4_000, 4)).round(3)
    (tmp_path / "data").mkdir()
    (tmp_path / "tmp").mkdir()
    for k in range(8):
        np.savetxt(tmp_path / "data" / f"part-{k}.csv", rows + k, "%g", ",", header="a,b,c,d", comments="")
    command = [*COMMAND, "scan", "data", "--preset", "fast", "--jobs", "2", "--no-cache", "--no-report", "--exit-zero"]
    settings = environment(tmp_path, {"TMPDIR": str(tmp_path / "tmp")})
    with subprocess.Popen(command, cwd=tmp_path, env=settings, stdout=subprocess.DEVNULL) as process:
        assert wait_for(lambda: [*(tmp_path / "tmp").glob("datalint-*")], 60)
        process.send_signal(signal.SIGKILL)
    assert [*(tmp_path / "tmp").glob("datalint-*")]
    subprocess.run(command, cwd=tmp_path, env=settings, stdout=subprocess.DEVNULL, check=True)
    assert not [*(tmp_path / "tmp").iterdir()]
