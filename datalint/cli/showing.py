"""What a scan prints and writes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from datalint.cli.options import EXIT_FINDINGS, say, tell
from datalint.core.errors import DatalintError
from datalint.report import wording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from datalint.core.severity import FailOn
    from datalint.report.models import Report


REPORTS: Final = ("report.json", "report.html")
"""In the output folder."""


@dataclass(frozen=True)
class Output:
    """What a scan prints and writes, and its exit status."""

    style: str
    """The format that is printed."""
    formats: tuple[tuple[str, Path], ...]
    """What is written, by format."""
    folder: Path | None
    """Where the JSON report and the page are written."""
    report_dir: Path | None
    statistics: bool
    color: str
    quiet: bool
    verbose: bool
    fail_on: FailOn
    exit_zero: bool
    note: str = ""
    """What is said after the report, of how it was made."""

    @classmethod
    def of(cls, typed: Mapping[str, Any], fail_on: FailOn) -> Output:
        """What was typed.

        Raises:
            DatalintError: the options do not go together.
        """
        printed = [name for name, file in typed["formats"] if file is None]
        if len(printed) > 1:
            raise DatalintError(
                f"--format {printed[0]} and --format {printed[1]}: one format can be printed, give the other a file, "
                f"such as {printed[0]}:report.{printed[0]}"
            )
        style = printed[0] if printed else "text"
        for option, fitting in (("statistics", ("text", "json")), ("watch", ("text", "concise"))):
            if typed[option] and style not in fitting:
                raise DatalintError(
                    f"--{option} cannot be printed as {style}: choose {' or '.join(fitting)}, or give {style} a file"
                )
        named = [("json", typed["json_file"]), ("html", typed["html_file"]), *typed["formats"]]
        return cls(
            style=style,
            formats=tuple((name, file) for name, file in named if file is not None),
            folder=None if typed["no_report"] else typed["output_dir"],
            fail_on=fail_on,
            **{name: typed[name] for name in ("report_dir", "statistics", "color", "quiet", "verbose", "exit_zero")},
        )

    @property
    def wants_progress(self) -> bool:
        """Whether somebody watches."""
        return not (self.quiet or os.environ.get("CI") or os.environ.get("PRE_COMMIT"))


def check_writable(output: Output) -> None:
    """Say what cannot be written before the work rather than after it."""
    from datalint.core.writing import can_hold, check, is_stream

    places = [os.path.realpath(file) for _, file in output.formats if not is_stream(file)]
    for _, file in output.formats:
        check(file)
        if places.count(os.path.realpath(file)) > 1:
            raise DatalintError(f"cannot write two reports to {file}: give each a file of its own")
    if output.report_dir is not None:
        from datalint.report.html.pages import check_folder

        check_folder(output.report_dir)
        if not can_hold(output.report_dir):
            raise DatalintError(f"cannot write {output.report_dir}: choose another folder with --report-dir")
    if output.folder is not None:
        if not can_hold(output.folder):
            raise DatalintError(
                f"cannot write reports to {output.folder}: choose another folder with --output-dir, or --no-report"
            )
        for name in REPORTS:
            check(output.folder / name, output.folder)


def write(report: Report, output: Output) -> list[Path]:
    """Write the files that were asked for, all or none; returns them."""
    from datalint.cli.progress import Progress
    from datalint.core.writing import writing
    from datalint.report.formats import formats

    wanted: list[tuple[str, Path, Path | None]] = [(name, file, None) for name, file in output.formats]
    if output.folder is not None:
        wanted += [(name, output.folder / f"report.{name}", output.folder) for name in ("json", "html")]
    written = [file for _, file, _ in wanted]
    with Progress(output.wants_progress, "writing the reports"):
        if output.folder is not None:
            _leave_out_of_git(output.folder)
        with writing() as files:
            for name, file, within in wanted:
                files.add(file, formats.render(name, report, output.fail_on), within)
        if output.report_dir is not None:
            from datalint.report.html.pages import write_pages

            written.append(write_pages(report, output.report_dir))
    return written


def _leave_out_of_git(folder: Path) -> None:
    """Reports are made anew by every scan: a folder that is made for them is none of a repository's business."""
    if not os.path.lexists(folder):
        with contextlib.suppress(OSError):  # the reports themselves will say it
            folder.mkdir(parents=True)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def status(report: Report, output: Output) -> int:
    """The exit status."""
    bad = not report.ok(output.fail_on) or (_failed(report) and output.fail_on != "never")
    return EXIT_FINDINGS if bad and not output.exit_zero else 0


def show(report: Report, output: Output, written: list[Path]) -> None:
    """Print it in the style that was asked for."""
    silent = output.quiet and not report.findings and not _failed(report)
    own = wording.data_settings(report)
    if own and (silent or output.statistics or output.style != "text"):
        say(own)  # the report itself has a line for it only in some styles
    if output.statistics:
        _show_statistics(report, output.style)
        return
    if output.style != "text":
        from datalint.report.formats import formats

        shown = formats.render(output.style, report, output.fail_on)
        # As bytes: what a program reads is UTF-8, whatever the terminal's encoding is.
        if isinstance(shown, bytes) and terminal():
            raise DatalintError(f"a terminal shows no pictures: give --format {output.style}:FILE")
        if isinstance(shown, str) and output.style != "concise":
            shown = shown.encode()
        click.echo(shown, nl=False)
        return
    from datalint.report.formats import text

    if silent:
        return
    width = min(120, shutil.get_terminal_size().columns) if terminal() else 100
    colour = _colour(output.color)
    shown = text.render(report, color=colour, width=max(60, width), verbose=output.verbose)
    click.echo(shown, nl=not shown.endswith("\n"), color=colour)
    if output.quiet:
        return
    closing = [output.note]
    closing += [f"more on a rule: datalint explain {finding.code}" for finding in wording.leading(report)[:1]]
    closing += [f"reports: {', '.join(path.as_posix() for path in written)}"] if written else []
    for line in filter(None, closing):
        tell(line)


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
