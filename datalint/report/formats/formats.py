"""The machine formats by name, each in a file of its own that is loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import Report

FORMATS = ("text", "concise", "json", "sarif", "junit", "github", "gitlab", "markdown", "comment", "card")


def render(name: str, report: Report, fail_on: FailOn = "error") -> str:
    """The report in one of the :data:`FORMATS` or as ``html``, without colours.

    Args:
        name: of the format.
        report: what to write.
        fail_on: the severity that fails the build, for formats that distinguish failures from remarks.
    """
    from importlib import import_module

    if name == "json":
        return report.to_json()
    if name == "html":
        return report.to_html()
    if name == "junit":
        from datalint.report.formats import junit

        return junit.render(report, fail_on)
    if name == "text":
        from datalint.report.formats import text

        return text.render(report, color=False)
    shown: str = import_module(f"datalint.report.formats.{name}").render(report)
    return shown
