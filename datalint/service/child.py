"""The process in which data is read: what is in it may take that process down, but never the service."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.temporary import TemporaryFolder

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = 0.2
"""Seconds between two reports of progress."""

PICTURES = 24
"""Samples of a finding that are shown as pictures."""

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "XDG_CACHE_HOME", "DATALINT_CACHE_DIR")
"""What a child sees of the environment: no tokens and no address of the database."""


STORES = ("AWS_", "AZURE_", "GOOGLE_", "HF_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_")
"""Beginnings of the names of what is needed to read a URL."""


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    memory: int = 8 << 30
    """Bytes."""
    seconds: float = 3600


def _environment(asked: dict[str, Any]) -> dict[str, str]:
    """What the child sees; credentials of object stores only where it reads a URL that the operator named."""
    remote = any("://" in str(path) for path in (asked.get("path"), *asked.get("paths", ())))
    kept = {k: v for k, v in os.environ.items() if k in KEPT or (remote and k.upper().startswith(STORES))}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}


class Running:
    """A child that was started; it ends when this process does."""

    def __init__(self, job: str, asked: dict[str, Any], limits: Limits) -> None:
        self.folder = TemporaryFolder()
        self.told: dict[str, Any] = {}
        self.errors = (self.folder.path / "errors.txt").open("w+b")
        self._over = time.monotonic() + limits.seconds
        self._seconds = limits.seconds
        self.process = subprocess.Popen(
            [sys.executable, "-m", "datalint.service.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=self.folder.path,
            env=_environment(asked),
            start_new_session=True,
        )
        assert self.process.stdin
        line = json.dumps({"job": job, "memory": limits.memory, **asked})
        with contextlib.suppress(OSError):  # it ended already: waiting for it will say so
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                self.told |= json.loads(line)

    def wait(self, seconds: float) -> bool:
        """Whether it is over after so long.

        Raises:
            DatalintError: it failed, and why.
        """
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            if time.monotonic() > self._over:
                raise DatalintError(f"took longer than {self._seconds:,.0f} seconds") from None
            return False
        self._reader.join()
        if "error" in self.told:
            raise DatalintError(self.told["error"])
        if status:
            self.errors.seek(0)
            last = self.errors.read()[-2000:].decode(errors="replace").strip().splitlines()
            how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            raise DatalintError(f"the process that read the data {how}{f': {last[-1]}' if last else ''}"[:500])
        return True

    def close(self) -> None:
        """Kill it with all that it started, and remove its folder."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(OSError):
                stream and stream.close()
        self.folder.remove()


def call(job: str, asked: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """What a short job answers.

    Raises:
        DatalintError: it failed, and why.
    """
    running = Running(job, asked, limits)
    try:
        while not running.wait(0.5):
            pass
        return running.told
    finally:
        running.close()


def _main() -> None:
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is not for the service
    asked = json.loads(line or "{}")
    resource.setrlimit(resource.RLIMIT_DATA, (asked["memory"], asked["memory"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)

    def tell(**told: Any) -> None:
        out.write(json.dumps(told) + "\n")

    try:
        _JOBS[asked["job"]](asked, tell)
    except DatalintError as error:
        tell(error=str(error)[:1000])
    except MemoryError:
        tell(error=f"needs more than {asked['memory'] >> 20:,} MB of memory")


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not through a buffer: its lock would outlive the interpreter
        pass
    os.killpg(0, signal.SIGKILL)


def _scan(asked: dict[str, Any], tell: Callable[..., None]) -> None:
    import datalint

    report = datalint.scan(asked["path"], label=asked["label"], progress=_Progress(tell), jobs=1)
    tell(stage="writing the report", share=1.0)
    report.to_json("json")
    report.to_html("html")
    named = {sample.id for finding in report.findings for sample in finding.affected.samples[:PICTURES]}
    pictures = {name: base64.b64encode(data).decode() for name, data in report.thumbnails.items() if name in named}
    Path("pictures").write_text(json.dumps(pictures), encoding="utf-8")


def _detect(asked: dict[str, Any], tell: Callable[..., None]) -> None:
    import datalint

    found: list[list[dict[str, Any]]] = []
    for path in asked["paths"]:
        found.append([])
        with contextlib.suppress(DatalintError):
            found[-1] = [
                {
                    "name": d.name,
                    "layout": d.layout,
                    "modality": d.modality,
                    "label": d.label and d.label.name,
                    "evidence": d.label.evidence if d.label else "",
                    "splits": [split.name for split in d.splits],
                }
                for d in datalint.detect(path, label=asked.get("label"))
            ]
    tell(found=found)


_JOBS = {"scan": _scan, "detect": _detect}


class _Progress:
    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell, self._last = tell, 0.0

    def __call__(self, _: int, share: float) -> None:
        self.stage("reading", share)

    def stage(self, name: str, share: float) -> None:
        if time.monotonic() - self._last > TICK:
            self._last = time.monotonic()
            self._tell(stage=name, share=round(share, 3))


if __name__ == "__main__":
    _main()
