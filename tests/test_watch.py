"""Watching a folder: a real process, the real package, real files."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from datalint.core.project import install
from tests.command import COMMAND, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = [f"{k % 97 / 10},{k * 7 % 89},{'ab'[k * k % 7 % 2]}" for k in range(300)]
PATIENCE = 120
"""Seconds after which a test gives up; nothing is measured by it."""


def save(file: Path, rows: list[str]) -> None:
    file.write_text("\n".join(["x,y,label", *rows]) + "\n", encoding="utf-8")


class Watch:
    """A scan that goes on watching."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "scan", "--watch", ".", *options],
            cwd=folder,
            env=environment(folder.parent, {"PYTHONUNBUFFERED": "1"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def told(self) -> str:
        """What is printed until it waits again."""
        text = ""
        while "watching for changes" not in text:
            text += self.lines.get(timeout=PATIENCE)
        return text

    def leave(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "data"
    place.mkdir()
    save(place / "table.csv", ROWS)
    yield place


def test_what_is_new_and_fixed_is_told(folder: Path) -> None:
    watch = Watch(folder, "--fail-on", "warning", "--select", "ORD101,DUP101")
    try:
        assert "ORD101" not in watch.told()
        save(folder / "table.csv", sorted(ROWS, key=lambda row: row[-1]))
        told = watch.told()
        assert "new: warning" in told
        assert "ORD101" in told
        save(folder / "table.csv", ROWS)
        told = watch.told()
        assert "fixed: warning" in told
        save(folder / "table.csv", sorted(ROWS, key=lambda row: row[-1]))
        watch.told()
        (folder / "table.csv").unlink()
        assert "datalint:" in watch.told()
        save(folder / "table.csv", sorted(ROWS, key=lambda row: row[-1]))
        assert "nothing new, nothing fixed" in watch.told()
        assert watch.leave() == 1
    finally:
        watch.stop()


def test_its_own_reports_are_no_change(folder: Path) -> None:
    # The reports lie in the folder that is watched; if they counted, it would never stop scanning.
    watch = Watch(folder, "--report-dir", "pages", "--format", "sarif:found.sarif", "--json", "found.json")
    try:
        watch.told()
        with pytest.raises(queue.Empty):
            watch.lines.get(timeout=4)
        assert watch.leave() == 0
    finally:
        watch.stop()


def test_what_cannot_be_watched(folder: Path) -> None:
    done = run(folder, "scan", "--watch", ".", "--format", "json")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "--watch cannot be printed as json" in done.err


def test_without_the_package_it_says_how_to_get_it(folder: Path) -> None:
    code = (
        "import sys; sys.modules['watchfiles'] = None\n"
        "from datalint.cli import main; sys.argv = ['datalint', 'scan', '--watch', '.']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"datalint: --watch needs the package watchfiles: {install('watch')}\n"
    assert done.stdout == ""
