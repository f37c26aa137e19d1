"""What a scan prints and writes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from datalint.cli.options import EXIT_FINDINGS, say, tell
from datalint.report import wording

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


REPORTS: Final = ("report.json", "report.html")
"""In the output folder."""


def wants_progress(options: dict[str, Any]) -> bool:
    """Whether somebody watches."""
    return not (options["quiet"] or os.environ.get("CI") or os.environ.get("PRE_COMMIT"))


def write(report: Report, options: dict[str, Any]) -> list[Path]:
    """Write the files that were asked for, all or none; returns them."""
    from datalint.cli.progress import Progress

    progress = Progress(wants_progress(options), "writing the reports")
    try:
        return _write(report, options)
    finally:
        progress.close()


def _write(report: Report, options: dict[str, Any]) -> list[Path]:
    from datalint.core.writing import writing

    written: list[Path] = []
    with writing() as files:

        def put(file: Path, text: str, within: Path | None = None) -> None:
            files.add(file, text, within)
            written.append(file)

        if options["json_file"] is not None:
            put(options["json_file"], report.to_json())
        if options["html_file"] is not None:
            put(options["html_file"], report.to_html())
        for name, file in options["formats"]:
            if file is not None:
                from datalint.report.formats import formats

                put(file, formats.render(name, report, options["fail_on"]))
        if not options["no_report"]:
            folder: Path = options["output_dir"]
            for name, text in zip(REPORTS, (report.to_json(), report.to_html()), strict=True):
                put(folder / name, text, folder)
    if options["report_dir"] is not None:
        from datalint.report.html.pages import write_pages

        written.append(write_pages(report, options["report_dir"]))
    return written


def status(report: Report, options: dict[str, Any]) -> int:
    """The exit status."""
    bad = not report.ok(options["fail_on"]) or (_failed(report) and options["fail_on"] != "never")
    return EXIT_FINDINGS if bad and not options["exit_zero"] else 0


def show(report: Report, options: dict[str, Any], written: list[Path]) -> None:
    """Print it in the style that was asked for."""
    silent = options["quiet"] and not report.findings and not _failed(report)
    own = wording.data_settings(report)
    if own and (silent or options["statistics"] or options["style"] != "text"):
        say(own)  # the report itself has a line for it only in some styles
    if options["statistics"]:
        _show_statistics(report, options["style"])
        return
    if options["style"] != "text":
        from datalint.report.formats import formats

        shown = formats.render(options["style"], report, options["fail_on"])
        # As bytes: what a program reads is UTF-8, whatever the terminal's encoding is.
        click.echo(shown if options["style"] == "concise" else shown.encode(), nl=False)
        return
    from datalint.report.formats import text

    if silent:
        return
    width = min(120, shutil.get_terminal_size().columns) if terminal() else 100
    colour = _colour(options["color"])
    shown = text.render(report, color=colour, width=max(60, width), verbose=options["verbose"])
    click.echo(shown, nl=not shown.endswith("\n"), color=colour)
    if written and not options["quiet"]:
        tell(f"reports: {', '.join(path.as_posix() for path in written)}")


def _colour(wish: str) -> bool:
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal() and os.environ.get("TERM") != "dumb")


def _show_statistics(report: Report, style: str) -> None:
    """Findings per rule, most first."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for finding in (finding for part in report.datasets for finding in part.leading):
        counts = found.setdefault((finding.code, finding.rule), dict.fromkeys(("error", "warning", "info"), 0))
        counts[finding.severity] += 1
    ranked = sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    hidden = sum(part.suppressed for part in report.datasets)
    if style == "json":
        rules = [
            {"code": code, "rule": rule, "findings": sum(counts.values()), **counts} for (code, rule), counts in ranked
        ]
        click.echo(json.dumps({"rules": rules, "suppressed": hidden}, indent=1))
        return
    for (code, rule), counts in ranked:
        tell(f"{sum(counts.values()):>6}  {code}  {rule}")
    if hidden:
        click.echo(f"{hidden:>6}  suppressed")


def _failed(report: Report) -> bool:
    """Whether a rule broke down, so that silence means nothing."""
    return any(rule.status == "failed" for dataset in report.datasets for rule in dataset.rules)


def terminal() -> bool:
    """Whether the output goes to one; there is no output at all where it was closed (``>&-``)."""
    return sys.stdout is not None and sys.stdout.isatty()
