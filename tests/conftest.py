"""What holds for all tests."""

from __future__ import annotations

import contextlib
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a background job of a shell; the commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How long it takes to draw an input says how busy the machine is. The same inputs every time: the fuzzer looks for others.
with contextlib.suppress(ImportError):  # the adapters' environments do without
    from hypothesis import HealthCheck, settings

    settings.register_profile("datalint", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("datalint")
