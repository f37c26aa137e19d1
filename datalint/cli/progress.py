"""One line on standard error that says what is being done, and how far that is."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Self

PATIENCE = 1.0
"""Seconds for which nothing is shown: what is over by then needs no progress."""

TICK = 0.25
"""Seconds between two pictures of the line."""


class Progress:
    """Shows the stage, its own share, and the seconds that the whole has taken; silent without a terminal.

    A thread paints, so that the line moves while one step takes long and always ends with the last that was told. How
    long the rest takes is not said: reading tells nothing of the models that are trained afterwards.
    """

    def __init__(self, enabled: bool, stage: str = "finding the data") -> None:
        self._read, self._stage, self._share = 0, stage, 0.0
        self._started = self._since = time.monotonic()
        self._over = threading.Event()
        self._painter: threading.Thread | None = None
        if enabled and sys.stderr is not None and sys.stderr.isatty():
            self._painter = threading.Thread(target=self._paint, daemon=True)
            self._painter.start()

    def __call__(self, samples: int, share: float) -> None:
        """Tell that more samples were read, and the share of the data that is done."""
        if not self._read:
            self._since = time.monotonic()
        self._read += samples
        self.stage("reading", share)

    def stage(self, name: str, share: float) -> None:
        """Tell what is being done now, and the share of it that is done."""
        self._stage, self._share = name, share

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Take the line away."""
        self._over.set()
        if self._painter is not None:
            self._painter.join()
            self._painter = None

    def _paint(self) -> None:
        visible = False
        pause = PATIENCE
        while not self._over.wait(pause):
            now = time.monotonic()
            read = f"{self._read:,} samples, {self._read / max(now - self._since, 1e-9):,.0f} per second"
            what = f"reading: {read}" if self._stage == "reading" else self._stage
            text = line(what, self._share, now - self._started)
            # A line that is wrapped could not be taken back.
            sys.stderr.write(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}")
            sys.stderr.flush()
            visible, pause = True, TICK
        if visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def line(what: str, share: float, seconds: float) -> str:
    """What is shown; a share of 0 is one that is not known."""
    if share <= 0:
        return f"{what}, {seconds:,.0f} s"
    filled = int(20 * min(share, 1.0))
    return f"[{'#' * filled}{'.' * (20 - filled)}] {min(share, 1.0):.0%} {what}, {seconds:,.0f} s"
