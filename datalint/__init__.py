"""datalint: the linter for machine-learning data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datalint.api import detect, scan
    from datalint.errors import DatalintError
    from datalint.report.models import Report

__version__ = "0.1.0"
__all__ = ["DatalintError", "Report", "__version__", "detect", "scan"]

_HOMES = {
    "DatalintError": "datalint.errors",
    "Report": "datalint.report.models",
    "detect": "datalint.api",
    "scan": "datalint.api",
}


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that ``import datalint`` and ``datalint --help`` stay instant."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
