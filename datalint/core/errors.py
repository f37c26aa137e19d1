"""Errors a user can cause and mend; the command line prints them as one line and exits with 2."""

from __future__ import annotations


class DatalintError(Exception):
    """The scan could not be done: the message says what is wrong, names the file or option, and says what to do."""


class FindingsError(DatalintError):
    """Raised by :meth:`datalint.Report.raise_for` when there are findings at or above the given severity."""
