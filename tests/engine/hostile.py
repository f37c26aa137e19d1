"""Partitions that take their worker down, for tests of what happens then."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.dataset import Batch, LabelBlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.core.dataset import Aspect


@dataclass(frozen=True)
class Killer:
    """Ten labelled samples; while ``fuse`` exists, or always without one, reading them kills the process."""

    split: str
    name: str
    fuse: Path | None
    deadly: bool
    parent: int
    weight: int = 1

    @property
    def files_read(self) -> tuple[str, ...]:
        """Something that exists."""
        return (__file__,)

    def sample_id(self, line: int) -> str:
        """Its name."""
        return f"{self.name}[{line}]"

    def picture(self, line: int) -> bytes | None:
        """No pictures."""
        return None

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read, or die."""
        burning = self.deadly and (self.fuse is None or self.fuse.exists())
        if burning and os.getpid() != self.parent:
            if self.fuse is not None:
                self.fuse.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        yield Batch(self.split, 0, 10, labels=LabelBlock(np.arange(10, dtype=np.int32) % 2, ["a", "b"]))


@dataclass(frozen=True)
class Assassin(Killer):
    """Ends another process first, and takes its time."""

    victim: int = 0

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Kill, wait, read."""
        os.kill(self.victim, signal.SIGKILL)
        time.sleep(2)
        yield Batch(self.split, 0, 0)


@dataclass(frozen=True)
class Torn(Killer):
    """A large result, in whose midst the process that sends it is killed."""

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """Read, and wait for the sending."""
        if self.deadly and self.fuse is not None and self.fuse.exists() and os.getpid() != self.parent:
            self.fuse.unlink()
            threading.Thread(target=self._kill, args=(threading.get_ident(),), daemon=True).start()
        names = [f"{k}" * 500_000 for k in range(10)]
        yield Batch(self.split, 0, 10, labels=LabelBlock(np.arange(10, dtype=np.int32), names))

    @staticmethod
    def _kill(thread: int) -> None:
        while True:
            frame = sys._current_frames().get(thread)
            if frame is not None and frame.f_code.co_name == "_send":
                os.kill(os.getpid(), signal.SIGKILL)
