"""One line on standard error that says how far the reading is."""

from __future__ import annotations

import sys
import time


class Progress:
    """Shows how much is read, the rate and the remaining time, once it has taken more than a second; silent without a terminal."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._read = 0
        self._started = self._shown = time.monotonic()
        self._visible = False

    def __call__(self, samples: int, share: float) -> None:
        """Tell that more samples were read, and the share of the data that is done."""
        self._read += samples
        now = time.monotonic()
        if not self._enabled or now - self._started < 1 or now - self._shown < 0.2:
            return
        self._shown, self._visible = now, True
        sys.stderr.write(f"\r\x1b[K{line(self._read, share, now - self._started)}")
        sys.stderr.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._visible = False


def line(samples: int, share: float, seconds: float) -> str:
    """
    What is shown: the share that is done, samples, rate and remaining time.

    Args:
        samples: read so far.
        share: of the data that is done, 0 to 1; nothing is known of the remaining time while it is 0.
        seconds: since the start.
    """
    read = f"read {samples:,} samples, {samples / max(seconds, 1e-9):,.0f} per second"
    if share <= 0:
        return read
    if share >= 1:
        return f"{read}; judging"
    filled = int(20 * share)
    return f"[{'#' * filled}{'.' * (20 - filled)}] {share:.0%} {read}, {seconds * (1 - share) / share:,.0f} s left"
