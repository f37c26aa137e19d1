"""The report as one self-contained HTML page."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from datalint.report.escape import clean
from datalint.report.html import svg
from datalint.report.html.cards import TooLargeError
from datalint.report.html.compiled import TEMPLATES, Compiled
from datalint.report.html.footer import run_line
from datalint.report.html.limits import LEVELS, TYPICAL_BYTES, Limits
from datalint.report.html.page import build, wanted_cards

if TYPE_CHECKING:
    from datalint.report.models import Report

_HERE: Final = Path(__file__).parent


def render(report: Report) -> str:
    """The page as text: no network, complete without its script, the same bytes for the same data but for ``#run``.

    A report too large for about 2 MB is shown in ever less detail, worst findings first; the page says how much of
    what it leaves out.
    """
    text = ""
    for limits in LEVELS:
        if limits is not LEVELS[-1] and wanted_cards(report, limits.cards_per_rule) > limits.cards:
            continue
        try:
            text = _render(report, limits)
        except TooLargeError:
            continue
        if len(text.encode("utf-8")) <= TYPICAL_BYTES:
            break
    return text


def _render(report: Report, limits: Limits, template: str = "report.html.j2", **more: Any) -> str:
    def shown(value: Any) -> Any:
        # Every string of the data passes here on its way into the page; Markup is our own.
        return clean(value, limits.text) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=Compiled(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = _asset("report.css"), _asset("report.js")
    return environment.get_template(template).render(
        page=build(report, limits),
        tool=report.tool,
        run_line=Markup(run_line(report.run)),
        style=style,
        script=script,
        policy=_policy(style, script),
        strip_height=svg.HEIGHT,
        other_colour=svg.COLOURS,
        **more,
    )


def _asset(name: str) -> Markup:
    return Markup((_HERE / "assets" / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> Markup:
    """Nothing is loaded, and only this style and this script take effect, even if escaping should fail somewhere."""
    return Markup(
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
