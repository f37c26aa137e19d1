"""The plugin of pytest: the fixture ``datalint``, which scans data, or tries a training loop, and fails the test on what it finds.

pytest loads this in every session of an environment that has datalint, so it imports nothing until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.core.severity import FailOn
    from datalint.integrations.check import Verdict
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

    def assert_trains(
        self,
        model: Any,
        loss: Any = None,
        loader: Any = None,
        optimizer: Any = None,
        *,
        fail_on: FailOn | None = None,
        **options: Any,
    ) -> Report:
        """Fail unless the training loop is sound; see :func:`assert_trains`.

        Raises:
            AssertionError: it is not.
            DatalintError: it cannot be tried.
        """
        __tracebackhide__ = True
        return assert_trains(model, loss, loader, optimizer, fail_on=fail_on, **options)

    def scan(self, data: Any, **options: Any) -> Report:
        """The report, as ``datalint.scan`` gives it, for assertions of your own."""
        from datalint.api import scan

        return scan(data, **options)


@pytest.fixture(scope="session")
def datalint() -> Checker:
    """Fail a test on what datalint finds.

    ``datalint.assert_clean(data)`` in a file, a folder, a frame or arrays, ``datalint.assert_trains(model, loss, loader,
    optimizer)`` in a training loop.
    """
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
    from datalint.integrations.check import check

    return _passed(lambda: check(data, fail_on=fail_on, **options))


def assert_trains(
    model: Any,
    loss: Any = None,
    loader: Any = None,
    optimizer: Any = None,
    *,
    fail_on: FailOn | None = None,
    **options: Any,
) -> Report:
    """Fail unless datalint finds nothing that keeps the model from training.

    Args:
        model: what ``datalint.preflight`` takes; it is copied, never trained.
        loss: a function of what the model returns and the targets; None where the model makes its own loss.
        loader: gives batches.
        optimizer: the optimizer that will train the model; what needs one is not judged without.
        fail_on: as :func:`assert_clean` takes it.
        options: those of ``datalint.preflight``, such as ``budget``, ``select`` and ``ignore``.

    Returns:
        The report, for further assertions.

    Raises:
        AssertionError: something is found; the message lists each finding with its remedy.
        DatalintError: the loop cannot be tried.
    """
    __tracebackhide__ = True
    from datalint.integrations.check import check_loop

    return _passed(lambda: check_loop(model, loss, loader, optimizer, fail_on=fail_on, **options))


def _passed(check: Callable[[], Verdict]) -> Report:
    __tracebackhide__ = True
    from datalint.core.errors import DatalintError

    try:
        verdict = check()
    except DatalintError as error:
        # The message says all; the way through datalint's own code would bury it.
        raise error.with_traceback(None) from None
    if not verdict.passed:
        raise AssertionError(verdict.text.rstrip("\n"))
    return verdict.report
