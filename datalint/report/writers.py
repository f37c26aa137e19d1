"""The writers of reports by the name of their format: a report writes itself in any of them, and imports none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def writer(name: str) -> Callable[..., str]:
    """The function that writes a report in a format; its module is loaded when it is asked for."""
    module = "datalint.report.html.html" if name == "html" else f"datalint.report.formats.{name}"
    render: Callable[..., str] = import_module(module).render
    return render
