"""``datalint scan``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from datalint.cli.options import (
    COLOR,
    CONFIG_FILE,
    EXIT_ZERO,
    FAIL_ON,
    HTML_FILE,
    JSON_FILE,
    LABEL,
    NO_CONFIG,
    NO_REPORT,
    OUTPUT_DIR,
    QUIET,
    SPLITS,
    Grouped,
    Interrupted,
    by_name,
    complete_codes,
    named_format,
    piped,
    show_settings,
)
from datalint.cli.showing import Output, check_writable, show, status, write
from datalint.core.errors import DatalintError
from datalint.report.formats.formats import CHOICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.config.options import ScanOptions
    from datalint.report.models import Report


_CONFIGURABLE = (
    *("label", "select", "ignore", "preset", "fail_on", "batch_size", "memory", "jobs", "cache_dir", "baseline"),
)
"""Options that a configuration file may set as well."""


class Scan(Grouped):
    """The command with the most options."""

    sections: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "What the data is": ("label", "splits", "batch_size", "pred_probs", "embeddings", "against", "changed_only"),
        "Which rules run": ("select", "ignore", "preset", "baseline"),
        "What is printed and written": (
            *(
                "formats",
                "json_file",
                "html_file",
                "output_dir",
                "no_report",
                "report_dir",
                "open_page",
                "title",
                "description",
            ),
            *("statistics", "color", "quiet", "verbose", "no_samples", "redact", "push"),
        ),
        "How it ends": ("fail_on", "exit_zero"),
        "How it runs": (
            *("watch", "jobs", "memory", "no_cache", "cache_dir", "paranoid", "engine", "scheduler"),
            *("config_file", "no_config", "show_settings"),
        ),
    }


@click.command(cls=Scan)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@LABEL
@SPLITS
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    shell_complete=complete_codes,
    help="Rules to run: codes, names or beginnings of codes.",
)
@click.option("--ignore", multiple=True, metavar="CODES", shell_complete=complete_codes, help="Rules to leave out.")
@click.option(
    "--preset",
    type=click.Choice(["fast", "default"]),
    default="default",
    show_default=True,
    help="fast leaves out the rules that train a model or compare samples with each other.",
)
@FAIL_ON
@EXIT_ZERO
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=named_format,
    metavar="NAME[:FILE]",
    help=f"What to print, or with :FILE to write: {', '.join(CHOICES)}. Several are possible, one of them printed; "
    "text if none is.",
)
@JSON_FILE
@HTML_FILE
@OUTPUT_DIR
@click.option("--open", "open_page", is_flag=True, help="Open the HTML report in a browser.")
@click.option("--title", default="", metavar="TEXT", help="What the report is called.")
@click.option("--description", default="", metavar="TEXT", help="What it says of itself below the title.")
@NO_REPORT
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Samples per batch.")
@click.option("--pred-probs", metavar="FILE", help="Out-of-sample class probabilities you have (.npy, .npz, .csv).")
@click.option("--embeddings", metavar="FILE", help="Vectors to use as features instead (.npy, .npz, .csv).")
@click.option(
    "--against",
    multiple=True,
    metavar="PATH",
    help="Evaluation texts that training data must not hold (SPL112); may be given more than once.",
)
@click.option("--changed-only", is_flag=True, help="The paths are changed files: look at each by itself (pre-commit).")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes to read with; as many as pay if not given.")
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where to run."
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask cluster's scheduler, such as tcp://host:8786.")
@click.option("--no-cache", is_flag=True, help="Read everything again, and keep nothing.")
@click.option("--cache-dir", metavar="DIR", help="Where to keep what was measured.")
@click.option("--paranoid", is_flag=True, help="Tell changed files by their bytes instead of size and times.")
@click.option(
    "--memory",
    default="1GB",
    show_default=True,
    metavar="SIZE",
    help="For comparing samples; beyond it duplicates are counted on a sample.",
)
@CONFIG_FILE
@NO_CONFIG
@click.option("--show-settings", is_flag=True, help="Print the settings and where each came from; scan nothing.")
@click.option(
    "--baseline",
    metavar="FILE",
    help="Report only what this file of known findings does not hold, or what is worse now.",
)
@click.option("--statistics", is_flag=True, help="Print the number of findings per rule instead (text or json).")
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write index.html and pages for each rule here, with more samples than one page holds.",
)
@click.option("--no-samples", is_flag=True, help="Name no samples and no values in anything that is written.")
@click.option(
    "--redact", is_flag=True, help="Hash sample ids, file and class names, and leave out values and pictures."
)
@click.option("--push", metavar="URL", help="Send the report to this service as well; DATALINT_TOKEN is the token.")
@click.option("--watch", is_flag=True, help="Scan again whenever a file under PATH changes, until Ctrl-C.")
@COLOR
@QUIET
@click.option("-v", "--verbose", is_flag=True, help="Print every rule with its reason, and more samples.")
def scan(paths: Sequence[str], **typed: Any) -> None:
    """Scan the data sets at PATH and report what is wrong with them; a PATH of - is CSV or JSON lines on standard input.

    Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the job could not be done.
    """
    options = _options(paths, typed)
    if typed["show_settings"]:
        show_settings(options.settings)
        return
    output = replace(Output.of(typed, options.settings.config.fail_on), note=_left_out(options))
    check_writable(output)
    if typed["watch"]:
        from datalint.cli.watching import watch
        from datalint.sources.remote.url import is_url

        if "-" in paths:
            raise DatalintError("--watch looks at files: standard input does not change")
        if any(map(is_url, paths)):
            raise DatalintError("--watch looks at files of this machine, and a URL is none")

        sys.exit(watch(paths, output, options, lambda: _scanned(paths, _options(paths, typed), output)))
    report = _scanned(paths, options, output)
    when = "while the reports were written; not all of them may be of this scan"
    try:
        written = write(report, output)
        when = "when the reports were written"
        show(report, output, written)
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted {when}") from error
    except BrokenPipeError:
        # Whoever read the output has had enough; what was found still decides the exit status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if typed["open_page"]:
        page = next((file for file in reversed(written) if file.suffix == ".html"), None)
        if page is None:
            raise DatalintError("--open has no page to show: leave out --no-report, or give --html FILE")
        click.launch(page.resolve().as_uri())
    if typed["push"]:
        from datalint.cli.serving import sent

        sent(report, typed["push"])
    sys.exit(status(report, output))


def _scanned(paths: Sequence[str], options: ScanOptions, output: Output) -> Report:
    from datalint import api
    from datalint.cli.progress import Progress

    with Progress(output.wants_progress) as progress, piped(paths) as source:
        return api.run(source, replace(options, progress=progress))


def _left_out(options: ScanOptions) -> str:
    """What the preset keeps from being judged."""
    from datalint.rules.base import Rule
    from datalint.rules.registry import select_kind

    config = options.settings.config
    if config.preset != "fast":
        return ""
    left = [rule.code for rule in select_kind(Rule, config.select, config.ignore) if rule.trains]
    more = f" and {len(left) - 3:,} more" if len(left) > 3 else ""
    return f"left out by preset fast, since they train a model: {', '.join(left[:3])}{more}" if left else ""


def _options(paths: Sequence[str], typed: Mapping[str, Any]) -> ScanOptions:
    """How to scan: the configuration, with what was typed on top of it."""
    from datalint.config.discovery import settle
    from datalint.config.options import ScanOptions
    from datalint.sources.remote.path import place_of

    source = click.get_current_context().get_parameter_source
    given: dict[str, Any] = {
        name.replace("_", "-"): typed[name]
        for name in _CONFIGURABLE
        if source(name) is not click.core.ParameterSource.DEFAULT
    }
    given["splits"] = by_name(typed["splits"]) or None
    settings = settle([*map(place_of, paths)], False if typed["no_config"] else typed["config_file"])
    return ScanOptions(
        settings=settings.given(given, "command line"),
        pred_probs=typed["pred_probs"],
        embeddings=typed["embeddings"],
        against=typed["against"],
        changed_only=typed["changed_only"],
        engine=typed["engine"],
        scheduler=typed["scheduler"],
        cache=not typed["no_cache"],
        paranoid=typed["paranoid"],
        samples=not typed["no_samples"],
        redact=typed["redact"],
        title=typed["title"],
        description=typed["description"],
    )
