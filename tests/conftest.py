"""What holds for all tests."""

from __future__ import annotations

import contextlib
import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a background job of a shell; the commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a file in one process, for they share what their fixtures make; tests of a rule have groups of their own."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(item.config.rootpath))))


# How long it takes to draw an input says how busy the machine is.
with contextlib.suppress(ImportError):  # the adapters' environments do without
    from hypothesis import HealthCheck, settings

    settings.register_profile("datalint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("datalint")
