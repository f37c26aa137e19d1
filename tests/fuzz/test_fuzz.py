"""Hostile inputs, and that the fuzzer sees what it looks for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import ROOT, environment
from tests.fuzz.__main__ import minimised
from tests.fuzz.case import SECRET, Case, Link, Pipe, lay_out, read
from tests.fuzz.kinds import KINDS, make, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.case import Content

INPUTS = 40


def test_hostile_inputs(tmp_path: Path) -> None:
    """A few; the two thousand are a step of ``.ci/run``."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--inputs", str(INPUTS), "--seed", "0", "--failures", "failures"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{INPUTS} inputs of seed 0" in done.stdout


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "huge"])
def test_an_input_is_the_same_every_time(kind: str, tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        lay_out(replace(make(kind, 7), good=False), tmp_path / place)
    first, second = (read(tmp_path / place / "data") for place in "ab")
    if kind not in {"picture", "folder", "list"}:  # Pillow and the file system may change
        assert first == second
    assert first.keys() == second.keys()


def test_all_kinds_are_made() -> None:
    names = [name for (name, _), _ in zip(numbered(1), range(2_000), strict=False)]
    assert set(names) == set(KINDS)


def test_what_is_stored_is_what_was_made(tmp_path: Path) -> None:
    data: dict[str, Content] = {"a/b.csv": b"x", "link": Link("a/b.csv"), "pipe": Pipe(), "empty": None, "\udcff": b"y"}
    lay_out(Case(data, good=False), tmp_path)
    assert read(tmp_path / "data") == data


def _hang() -> None:
    time.sleep(1000)


def _touch() -> None:
    Path("beside/new").touch()


def _chmod() -> None:
    Path("beside").chmod(0o700)


def _elsewhere() -> None:
    Path("../elsewhere").write_text("x")


def _start() -> None:
    subprocess.run(["true"], check=True)


def _connect() -> None:
    with socket.socket() as line:
        line.settimeout(0.01)
        line.connect_ex(("127.0.0.1", 9))


def _crash() -> None:
    raise ZeroDivisionError


def _die() -> None:
    os.kill(os.getpid(), signal.SIGBUS)


def _swallow() -> None:
    b"x" * (1_200 << 20)


def _refuse() -> None:
    print("datalint: a bad file", file=sys.stderr)
    sys.exit(2)


def _colour() -> None:
    print("\x1b[31m")


def _half() -> None:
    Path("out").mkdir()
    Path("out/report.json").write_text('{"schema": "data')


def _leak() -> None:
    Path("out").mkdir()
    Path("out/report.json").write_text(SECRET)


def _fork() -> None:
    if os.fork() == 0:
        time.sleep(1000)


SEEN = {
    _hang: "hangs",
    _touch: "harm",
    _chmod: "harm",
    _elsewhere: "harm",
    _start: "harm",
    _connect: "harm",
    _crash: "traceback",
    _die: "status",
    _swallow: "memory",
    _refuse: "refused",
    _colour: "words",
    _half: "report",
    _leak: "leak",
    _fork: "processes",
}
"""Commands that do what none may, and what the fault is called."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The faults that the fuzzer finds in each of them; in a process of its own, which may fork."""
    code = (
        "import json, sys; from pathlib import Path; from tests.fuzz import test_fuzz; from tests.fuzz.case import Case\n"
        "from tests.fuzz.running import Server\n"
        "server, found = Server(Path(sys.argv[1])), {}\n"
        "for server.main in test_fuzz.SEEN:\n"
        "    found[server.main.__name__] = [fault.kind for fault in server.faults(Case({}))]\n"
        "print(json.dumps(found))"
    )
    place = tmp_path_factory.mktemp("work")
    command = [sys.executable, "-c", code, str(place)]
    done = subprocess.run(command, cwd=ROOT, env=environment(place), capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("main", SEEN, ids=lambda main: main.__name__)
def test_the_fuzzer_sees_it(main: Callable[[], None], seen: dict[str, list[str]]) -> None:
    assert SEEN[main] in seen[main.__name__]


def test_a_failing_input_is_made_smaller() -> None:
    from tests.fuzz.outcome import Fault

    def run(case: Case) -> list[Fault]:
        content = case.data.get("bad.csv")
        return [Fault("traceback", "x")] if isinstance(content, bytes) and b"!?" in content else []

    case = Case({"bad.csv": b"a,b\n" * 300 + b"1,!?\n" + b"1,2\n" * 500, "more.csv": b"1", "pipe": Pipe()})
    assert minimised(case, run(case)[0].signature, run).data == {"bad.csv": b"!?"}
