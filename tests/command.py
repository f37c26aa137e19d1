"""The command line: in this process, or as one of its own where the process is what is tested."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-W", "error", "-m", "datalint")


@dataclass(frozen=True)
class Outcome:
    """What came of one call."""

    status: int
    out: str
    err: str


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Without the caller's settings, and with a cache that nobody else has."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("DATALINT", "NO_COLOR", "FORCE_COLOR", "PYTHONIO", "PYTHONDONT"))
    }
    path = os.pathsep.join([str(ROOT), str(ROOT / "rules")])
    return (
        kept
        | {"PYTHONPATH": path, "XDG_CACHE_HOME": str(folder / ".cache"), "OMP_NUM_THREADS": "1"}
        | dict(extra or {})
    )


def run(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None, **options: Any) -> Outcome:
    """Call ``datalint`` in a folder."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(folder, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
        **options,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def call(folder: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> Outcome:
    """The same in this process, which saves the two seconds that a new one takes to import what a scan needs."""
    from datalint.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["datalint", *arguments]),
        mock.patch.dict(os.environ, environment(folder, extra), clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
    for stream in (out, err):
        stream.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Outcome(status, *texts)
