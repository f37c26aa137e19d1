"""The progress line: which stage is shown, that it moves, and that it promises nothing."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from sklearn import datasets

import datalint
from datalint.cli.progress import Progress, line
from datalint.rules.registry import all_rules
from tests.command import COMMAND, environment

if TYPE_CHECKING:
    from pathlib import Path


class Listener:
    """Takes down all that is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    def __call__(self, samples: int, share: float) -> None:
        self.told.append(("reading", share))

    def stage(self, name: str, share: float) -> None:
        self.told.append((name, share))


def on_terminal(folder: Path, arguments: list[str], **more: str) -> list[str]:
    """The pictures of the line that a command paints on a terminal."""
    ours, theirs = pty.openpty()
    extra = {"CI": "", "PRE_COMMIT": "", **more}
    with subprocess.Popen(
        arguments, cwd=folder, env=environment(folder, extra), stdout=subprocess.DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            parts.append(part)
        assert process.wait() in (0, 1)
    os.close(ours)
    return b"".join(parts).decode().split("\r\x1b[K")[1:]


def test_the_line_says_what_is_done_and_never_what_is_left() -> None:
    assert line("reading: 50 samples", 0.25, 10.4) == "[#####...............] 25% reading: 50 samples, 10 s"
    assert line("writing the reports", 0.0, 3.0) == "writing the reports, 3 s"
    assert line("judging: x", 1.01, 0.0) == "[####################] 100% judging: x, 0 s"


def test_every_rule_is_told_before_it_judges_and_models_have_their_share(tmp_path: Path) -> None:
    datasets.load_iris(as_frame=True).frame.to_csv(tmp_path / "a.csv", index=False)
    listener = Listener()
    report = datalint.scan(tmp_path, cache=False, progress=listener)
    judged = [(name, share) for name, share in listener.told if name.startswith("judging: ")]
    assert listener.told[: -len(judged)] == [told for told in listener.told if told[0] == "reading"]
    shares = [share for _, share in judged]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    named = [name.split()[1] for name, _ in judged[:-1]]
    assert len(named) == len(set(named))
    assert set(named) >= {status.code for status in report.datasets[0].rules if status.status != "skipped"} - {"CFG101"}
    trains = {rule.code for rule in all_rules() if rule.trains}
    first = next(share for name, share in judged if name.split()[1] in trains)
    assert first < 0.5  # most of the time is still to come


def test_a_plain_function_hears_of_the_reading_alone(tmp_path: Path) -> None:
    datasets.load_iris(as_frame=True).frame.to_csv(tmp_path / "a.csv", index=False)
    told: list[tuple[int, float]] = []
    datalint.scan(tmp_path, cache=False, preset="fast", progress=lambda samples, share: told.append((samples, share)))
    assert sum(samples for samples, _ in told) == 150
    assert told[-1][1] == 1.0


SLOW = """
import time
from datalint.cli.progress import Progress
with Progress(True) as progress:
    progress(10, 0.5)
    progress(10, 1.0)
    progress.stage("judging: LBL102 noisy-labels", 0.25)
    time.sleep(3.6)
"""


def test_it_moves_while_one_step_takes_long_and_the_last_is_painted(tmp_path: Path) -> None:
    *painted, end = on_terminal(tmp_path, [sys.executable, "-c", SLOW])
    assert end == ""  # the line is taken away
    assert painted[0].startswith("[#####...............] 25% judging: LBL102 noisy-labels, 1 s")
    assert {re.sub(r".*, ", "", text) for text in painted} >= {"1 s", "2 s", "3 s"}
    assert not any("left" in text for text in painted)


def test_a_scan_shows_its_stages_on_a_terminal_only(tmp_path: Path) -> None:
    datasets.load_digits(as_frame=True).frame.to_csv(tmp_path / "a.csv", index=False)
    command = [*COMMAND, "scan", "a.csv", "--no-cache", "--select", "LBL102,ORD104"]
    painted = on_terminal(tmp_path, command)
    assert any("judging: LBL102 noisy-labels" in text for text in painted)
    assert not any(" left" in text for text in painted)
    assert on_terminal(tmp_path, command, CI="1") == []


def test_without_a_terminal_it_is_silent(capsys: Any) -> None:
    with Progress(True) as progress:
        progress(1, 0.1)
        time.sleep(1.3)
    assert capsys.readouterr().err == ""
