"""``datalint scan``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from datalint.cli.options import (
    LABEL,
    SPLITS,
    by_name,
    codes,
    named_format,
    show_settings,
    size,
)
from datalint.cli.showing import REPORTS, show, status, wants_progress, write
from datalint.core.errors import DatalintError
from datalint.report.formats.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.config.discovery import Effective
    from datalint.report.models import Report


_CONFIGURABLE = ("label", "preset", "fail_on", "batch_size", "memory", "jobs", "baseline")
"""Options that a configuration file may set as well."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@LABEL
@SPLITS
@click.option(
    "--select", multiple=True, type=codes, metavar="CODES", help="Rules to run: codes, names or beginnings of codes."
)
@click.option("--ignore", multiple=True, type=codes, metavar="CODES", help="Rules to leave out.")
@click.option(
    "--preset",
    type=click.Choice(["fast", "default"]),
    default="default",
    show_default=True,
    help="fast leaves out the rules that train a model or compare samples with each other.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="Exit with 1 if there is a finding at least this severe.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=named_format,
    metavar="NAME[:FILE]",
    help=f"What to print, or with :FILE to write: {', '.join(FORMATS)}. Several are possible, one of them printed; "
    "text if none is.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the JSON report here."
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the HTML report here."
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("datalint-report"),
    show_default=True,
    metavar="DIR",
    help="Folder for report.json and report.html.",
)
@click.option("--no-report", is_flag=True, help="Write no files.")
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="Samples per batch.")
@click.option("--pred-probs", metavar="FILE", help="Out-of-sample class probabilities you have (.npy, .npz, .csv).")
@click.option("--embeddings", metavar="FILE", help="Vectors to use as features instead (.npy, .npz, .csv).")
@click.option("--changed-only", is_flag=True, help="The paths are changed files: look at each by itself (pre-commit).")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes to read with; as many as pay if not given.")
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Where to run."
)
@click.option("--scheduler", metavar="ADDRESS", help="The Dask cluster's scheduler, such as tcp://host:8786.")
@click.option("--no-cache", is_flag=True, help="Read everything again, and keep nothing.")
@click.option("--cache-dir", type=click.Path(path_type=Path), metavar="DIR", help="Where to keep what was measured.")
@click.option("--paranoid", is_flag=True, help="Tell changed files by their bytes instead of size and times.")
@click.option(
    "--memory",
    type=size,
    default="1GB",
    show_default=True,
    metavar="SIZE",
    help="For comparing samples; beyond it duplicates are counted on a sample.",
)
@click.option("--config", "config_file", metavar="FILE", help="Settings; the closest datalint.toml if not given.")
@click.option("--no-config", is_flag=True, help="Read no settings from files.")
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
@click.option("--watch", is_flag=True, help="Scan again whenever a file under PATH changes, until Ctrl-C.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours in the text; auto for a terminal.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print findings only, and nothing if there are none.")
@click.option("-v", "--verbose", is_flag=True, help="Print every rule with its reason, and more samples.")
def scan(paths: Sequence[str], **options: Any) -> None:
    """Scan the data sets at PATH and report what is wrong with them.

    Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the job could not be done.
    """
    settings = _settings(paths, options)
    if options["show_settings"]:
        show_settings(settings)
        return
    options["style"] = _style(options)
    options["fail_on"] = settings.config.fail_on
    _check_writable(options)
    if options["watch"]:
        from datalint.cli.watching import watch

        sys.exit(watch(paths, options, lambda: _scanned(paths, _settings(paths, options), options)))
    report = _scanned(paths, settings, options)
    try:
        written = write(report, options)
    except KeyboardInterrupt as error:
        raise DatalintError(
            "interrupted while the reports were written; not all of them may be of this scan"
        ) from error
    try:
        show(report, options, written)
    except BrokenPipeError:
        # Whoever read the output has had enough; what was found still decides the exit status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status(report, options))


def _scanned(paths: Sequence[str], settings: Effective, options: dict[str, Any]) -> Report:
    from datalint import api
    from datalint.cli.progress import Progress

    progress = Progress(wants_progress(options))
    try:
        return api.scan(
            list(paths),
            config=settings,
            pred_probs=options["pred_probs"],
            embeddings=options["embeddings"],
            changed_only=options["changed_only"],
            engine=options["engine"],
            scheduler=options["scheduler"],
            cache=not options["no_cache"],
            paranoid=options["paranoid"],
            samples=not options["no_samples"],
            redact=options["redact"],
            progress=progress,
        )
    finally:
        progress.close()


def _settings(paths: Sequence[str], options: dict[str, Any]) -> Effective:
    """The configuration, with what was typed on top of it."""
    from datalint.config import discovery as lookup

    typed = click.get_current_context()
    said = {
        name: value
        for name, value in options.items()
        if typed.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    given = {name.replace("_", "-"): said.get(name) for name in _CONFIGURABLE}
    for name in ("select", "ignore"):
        given[name] = [code for codes in said.get(name, ()) for code in codes] or None
    given["splits"] = by_name(options["splits"]) or None
    given["cache-dir"] = None if options["cache_dir"] is None else str(options["cache_dir"])
    found = lookup.settle([Path(path) for path in paths], False if options["no_config"] else options["config_file"])
    return found.given(given, "command line")


def _style(options: dict[str, Any]) -> str:
    """What is printed."""
    printed = [name for name, file in options["formats"] if file is None]
    if len(printed) > 1:
        raise DatalintError(
            f"--format {printed[0]} and --format {printed[1]}: one format can be printed, give the other a file, "
            f"such as {printed[0]}:report.{printed[0]}"
        )
    style = printed[0] if printed else "text"
    for option, fitting in (("statistics", ("text", "json")), ("watch", ("text", "concise"))):
        if options[option] and style not in fitting:
            raise DatalintError(
                f"--{option} cannot be printed as {style}: choose {' or '.join(fitting)}, or give {style} a file"
            )
    return style


def _check_writable(options: dict[str, Any]) -> None:
    """Say so before the scan rather than after it."""
    from datalint.core.writing import can_hold, check, is_stream

    files = [options["json_file"], options["html_file"], *(file for _, file in options["formats"])]
    places = [os.path.realpath(file) for file in files if file is not None and not is_stream(file)]
    for file in files:
        if file is not None:
            check(file)
            if places.count(os.path.realpath(file)) > 1:
                raise DatalintError(f"cannot write two reports to {file}: give each a file of its own")
    if options["report_dir"] is not None:
        from datalint.report.html.pages import check_folder

        check_folder(options["report_dir"])
        if not can_hold(options["report_dir"]):
            raise DatalintError(f"cannot write {options['report_dir']}: choose another folder with --report-dir")
    if not options["no_report"]:
        if not can_hold(options["output_dir"]):
            raise DatalintError(
                f"cannot write reports to {options['output_dir']}: choose another folder with --output-dir, or --no-report"
            )
        for name in REPORTS:
            check(options["output_dir"] / name, options["output_dir"])
