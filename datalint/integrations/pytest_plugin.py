"""The plugin of pytest: the fixture ``datalint``, which scans data and fails the test on what it finds.

pytest loads this in every session of an environment that has datalint, so it imports nothing until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import Report


class Checker:
    """What a test does with data."""

    def assert_clean(self, data: Any, *, fail_on: FailOn | None = None, **options: Any) -> Report:
        """Fail unless the data is clean; see :func:`assert_clean`.

        Raises:
            AssertionError: it is not.
            DatalintError: it cannot be scanned.
        """
        __tracebackhide__ = True
        return assert_clean(data, fail_on=fail_on, **options)

    def scan(self, data: Any, **options: Any) -> Report:
        """The report, as ``datalint.scan`` gives it, for assertions of your own."""
        from datalint.api import scan

        return scan(data, **options)


@pytest.fixture(scope="session")
def datalint() -> Checker:
    """``datalint.assert_clean(data)`` fails the test on what datalint finds in a file, a folder, a frame or arrays."""
    return Checker()


def assert_clean(data: Any, *, fail_on: FailOn | None = None, **options: Any) -> Report:
    """Fail unless datalint finds nothing that matters in the data.

    Args:
        data: a path (or several), a DataFrame, ``(X, y)``, an array, or a mapping of splits to any of these.
        fail_on: the least severity that matters: ``error``, ``warning`` or ``info``; what the configuration says if
            not given, and otherwise ``error``.
        options: those of ``datalint.scan``, such as ``label``, ``select``, ``ignore``, ``config`` and ``baseline``.

    Returns:
        The report, for further assertions.

    Raises:
        AssertionError: something is found; the message lists each finding with its place and remedy.
        DatalintError: the data cannot be scanned.
    """
    __tracebackhide__ = True
    from datalint.core.errors import DatalintError
    from datalint.integrations.check import check

    try:
        verdict = check(data, fail_on=fail_on, **options)
    except DatalintError as error:
        # The message says all; the way through datalint's own code would bury it.
        raise error.with_traceback(None) from None
    if not verdict.passed:
        raise AssertionError(verdict.text.rstrip("\n"))
    return verdict.report
