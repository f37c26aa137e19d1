"""The machine formats by name, each in a file of its own that is loaded when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.report.writers import writer

if TYPE_CHECKING:
    from datalint.core.severity import FailOn
    from datalint.report.models import Report

FORMATS = ("text", "concise", "json", "sarif", "junit", "github", "gitlab", "markdown", "comment", "card")
"""Of text."""

CHOICES = (*FORMATS, "png")
"""All that can be asked for; a picture is bytes."""


def render(name: str, report: Report, fail_on: FailOn = "error") -> str | bytes:
    """The report in one of the :data:`CHOICES` or as ``html``, without colours.

    Args:
        name: of the format.
        report: what to write.
        fail_on: the severity that fails the build, for formats that distinguish failures from remarks.
    """
    if name == "json":
        return report.to_json()
    if name == "html":
        return report.to_html()
    if name == "text":
        return str(report)
    if name == "png":
        from datalint.report.formats import png

        return png.render(report)
    return writer(name)(report, fail_on) if name == "junit" else writer(name)(report)
