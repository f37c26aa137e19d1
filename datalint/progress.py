"""One line on standard error that says how far the reading is."""

from __future__ import annotations

import sys
import time


class Progress:
    """Shows the number of samples read and the rate, once it has taken more than a second; silent without a terminal."""

    def __init__(self, enabled: bool, total: int | None = None) -> None:
        self._enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._total = total
        self._read = 0
        self._started = self._shown = time.monotonic()
        self._visible = False

    def __call__(self, samples: int) -> None:
        """Tell that more samples were read."""
        self._read += samples
        now = time.monotonic()
        if not self._enabled or now - self._started < 1 or now - self._shown < 0.2:
            return
        self._shown, self._visible = now, True
        rate = self._read / (now - self._started)
        line = f"read {self._read:,} samples, {rate:,.0f} per second"
        if self._total:
            left = max(0, self._total - self._read) / max(rate, 1e-9)
            done = min(1.0, self._read / self._total)
            filled = int(20 * done)
            line = f"[{'#' * filled}{'.' * (20 - filled)}] {done:.0%} {line}, {left:,.0f} s left"
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._visible = False
