"""What the callbacks of training frameworks share: try a loop once, before its first step, and stop it if it is unsound."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from datalint.core.errors import FindingsError
from datalint.integrations.check import check_loop

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import Report


class Guard:
    """Tries a training loop on copies; findings are printed, and from ``fail_on`` on they end the run."""

    report: Report | None = None
    """Of the last loop."""

    def __init__(self, *, fail_on: FailOn | None = None, **options: Any) -> None:
        """Hold the options.

        Args:
            fail_on: the least severity that ends the run, or ``never``; what the configuration says if not given, and
                otherwise ``error``.
            options: those of ``datalint.preflight``, such as ``budget``, ``select`` and ``ignore``.
        """
        self.fail_on, self.options = fail_on, options

    def look(self, model: Any, loader: Any, optimizer: Any) -> None:
        """Try the loop of a model that makes its own loss.

        Raises:
            FindingsError: something at or above ``fail_on`` is found.
            DatalintError: the loop cannot be tried.
        """
        verdict = check_loop(model, None, loader, optimizer, fail_on=self.fail_on, **self.options)
        self.report = verdict.report
        if not verdict.passed:
            error = FindingsError(verdict.text.rstrip("\n"))
            error.report = self.report
            raise error
        if self.report.findings:
            print(self.report, file=sys.stderr)
