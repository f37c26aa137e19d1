"""The one line of a page that differs from run to run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datalint.report.models import Run


def run_line(run: Run) -> str:
    """When, for how long and where a scan ran, as HTML."""
    return escape(f"Scanned {run.started} in {run.seconds:.3g} s, engine {run.engine}, jobs {run.jobs}.")
