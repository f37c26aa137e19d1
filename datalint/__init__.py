"""datalint: the linter for machine-learning data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datalint.api import baseline, detect, init, scan
    from datalint.core.errors import DatalintError
    from datalint.loops.preflight import preflight
    from datalint.mending.fix import fix
    from datalint.mending.subset import subset
    from datalint.planting.selftest import SelfTest, selftest
    from datalint.planting.write import plant
    from datalint.report.diff import diff
    from datalint.report.models import Report
    from datalint.service.client import Client

__version__ = "0.1.0"
__all__ = [
    "Client",
    "DatalintError",
    "Report",
    "SelfTest",
    "__version__",
    "baseline",
    "detect",
    "diff",
    "fix",
    "init",
    "plant",
    "preflight",
    "scan",
    "selftest",
    "subset",
]

_HOMES = {
    "Client": "datalint.service.client",
    "DatalintError": "datalint.core.errors",
    "Report": "datalint.report.models",
    "SelfTest": "datalint.planting.selftest",
    "baseline": "datalint.api",
    "detect": "datalint.api",
    "diff": "datalint.report.diff",
    "fix": "datalint.mending.fix",
    "init": "datalint.api",
    "plant": "datalint.planting.write",
    "preflight": "datalint.loops.preflight",
    "scan": "datalint.api",
    "subset": "datalint.mending.subset",
    "selftest": "datalint.planting.selftest",
}


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that ``import datalint`` and ``datalint --help`` stay instant."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
