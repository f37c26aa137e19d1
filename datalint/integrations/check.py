"""Scan and decide pass or fail in one call; used by the test and pipeline adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint import api

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import Report


@dataclass(frozen=True)
class Verdict:
    """A report, and whether the job may go on."""

    report: Report
    passed: bool
    """No finding is at or above the severity that fails the job, and no rule broke down."""
    text: str
    """Why it may not: one line that sums up, then each finding with its place and remedy; empty if it passed."""


def check(source: Any, *, fail_on: FailOn | None = None, **options: Any) -> Verdict:
    """Scan a data set and say whether it is good enough.

    Args:
        source: what ``datalint.scan`` takes.
        fail_on: the least severity that is not good enough, or ``never``; what the configuration says if not given,
            and otherwise ``error``.
        options: those of ``datalint.scan``.

    Raises:
        DatalintError: the job cannot be done; the message says why and what to do.
    """
    given = {} if fail_on is None else {"fail-on": fail_on}
    settings = api.settings_of(source, options.pop("config", None)).given(given)
    report = api.scan(source, config=settings, **options)
    return judge(report, settings.config.fail_on)


def check_loop(
    model: Any,
    loss: Any = None,
    loader: Any = None,
    optimizer: Any = None,
    *,
    fail_on: FailOn | None = None,
    **options: Any,
) -> Verdict:
    """Try a training loop and say whether it is good enough to train.

    Args:
        model: as the next three what ``datalint.preflight`` takes.
        loss: the loss function, if the model does not make its own.
        loader: gives batches.
        optimizer: will train the model.
        fail_on: as :func:`check` takes it.
        options: those of ``datalint.preflight``.

    Raises:
        DatalintError: the loop cannot be tried; the message names the object and says what is expected.
    """
    from datalint.config.discovery import settle
    from datalint.loops.preflight import preflight

    given = {} if fail_on is None else {"fail-on": fail_on}
    settings = settle(None, options.pop("config", None)).given(given)
    report = preflight(model, loss, loader, optimizer, config=settings, **options)
    return judge(report, settings.config.fail_on)


def judge(report: Report, fail_on: FailOn = "error") -> Verdict:
    """Whether what was found is good enough; a rule that broke down never is, for its silence means nothing."""
    from datalint.report.formats.text import render_reasons

    text = render_reasons(report, fail_on)
    return Verdict(report, not text, text)
