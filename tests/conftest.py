"""What holds for all tests."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a background job of a shell; the commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
