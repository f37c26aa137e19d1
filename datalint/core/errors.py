"""Errors a user can cause and mend; the command line prints them, each as one line, and exits with 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class DatalintError(Exception):
    """The scan could not be done: the message says what is wrong, names the file or option, and says what to do."""

    @property
    def lines(self) -> Sequence[str]:
        """What is wrong, one thing a line."""
        return (str(self),)


class SeveralErrors(DatalintError):
    """Several things that the user can mend at once."""

    MOST = 8
    """Of them that are named."""

    def __init__(self, found: Sequence[str]) -> None:
        more = [f"and {len(found) - self.MOST:,} more errors"] if len(found) > self.MOST else []
        self._found = (*found[: self.MOST], *more)
        super().__init__("\n".join(self._found))

    @property
    def lines(self) -> Sequence[str]:
        """One a line."""
        return self._found


class FindingsError(DatalintError):
    """Raised by :meth:`datalint.Report.raise_for` when there are findings at or above the given severity."""

    report: Any = None
    """The report that holds them, where one was made."""
