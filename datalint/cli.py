"""The command line: thin, on top of the Python API. Nothing heavy is imported before a scan needs it."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from datalint import __version__
from datalint.errors import DatalintError
from datalint.report.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.dataset import Dataset
    from datalint.lookup import Effective
    from datalint.report.models import Report
    from datalint.severity import FailOn

EXIT_FINDINGS, EXIT_CANNOT = 1, 2

_CONFIGURABLE = ("label", "preset", "fail_on", "batch_size", "memory", "jobs", "baseline")
"""Options that a configuration file may set as well."""


def _codes(value: str) -> list[str]:
    """Several values in one option, set apart by commas."""
    return [item.strip() for item in value.split(",") if item.strip()]


def _split_glob(value: str) -> tuple[str, str]:
    """NAME=GLOB."""
    name, sign, pattern = value.partition("=")
    if not sign or not name.strip() or not pattern:
        raise click.BadParameter(f"{value!r} is not of the form NAME=GLOB, such as train='train_*.csv'")
    return name.strip(), pattern


def _bytes(value: str) -> int:
    """A size such as 512MB, 2G or 1.5 GiB."""
    from datalint.config import parse_bytes

    try:
        return parse_bytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _format(value: str) -> tuple[str, Path | None]:
    """NAME, or NAME:FILE."""
    name, sign, file = value.partition(":")
    if name not in FORMATS:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(FORMATS)}")
    if sign and not file:
        raise click.BadParameter(
            f"{value!r} names no file; give one, such as {name}:report.{name}, or leave the colon out"
        )
    return name, Path(file) if file else None


def _numbers(value: str) -> list[float]:
    """Several numbers in one option, set apart by commas."""
    try:
        return [float(item) for item in _codes(value)]
    except ValueError as error:
        raise click.BadParameter(f"{value!r} are no numbers, such as 0,0.5,1") from error


_LABEL = click.option("--label", metavar="COL", help="The label column; recognised if not given.")
_SPLITS = click.option(
    "--split",
    "splits",
    multiple=True,
    type=_split_glob,
    metavar="NAME=GLOB",
    help="Files of a split, such as train='a_*.csv'.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datalint")
def cli() -> None:
    """The linter for machine-learning data sets.

    Reads a data set the way a training loop will, before any training starts, and says what in it will make training
    fail, stall or lie; where; how sure it is; which samples; and how to fix it.
    """


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_LABEL
@_SPLITS
@click.option(
    "--select", multiple=True, type=_codes, metavar="CODES", help="Rules to run: codes, names or beginnings of codes."
)
@click.option("--ignore", multiple=True, type=_codes, metavar="CODES", help="Rules to leave out.")
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
    type=_format,
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
    type=_bytes,
    default="1GB",
    show_default=True,
    metavar="SIZE",
    help="For comparing samples; beyond it duplicates are counted on a sample.",
)
@click.option("--config", "config_file", metavar="FILE", help="Settings; the closest datalint.toml if not given.")
@click.option("--no-config", is_flag=True, help="Read no settings from files.")
@click.option("--show-settings", is_flag=True, help="Print the settings and where each came from; scan nothing.")
@click.option("--baseline", metavar="FILE", help="Report only what this file of known findings does not hold.")
@click.option("--statistics", is_flag=True, help="Print the number of findings per rule instead.")
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
    from datalint import api
    from datalint.progress import Progress

    settings = _settings(paths, options)
    if options["show_settings"]:
        _show_settings(settings)
        return
    options["style"] = _style(options["formats"])
    options["fail_on"] = settings.config.fail_on
    _check_writable(options)
    progress = Progress(not options["quiet"] and not os.environ.get("CI") and not os.environ.get("PRE_COMMIT"))
    try:
        report = api.scan(
            list(paths),
            config=settings,
            pred_probs=options["pred_probs"],
            embeddings=options["embeddings"],
            changed_only=options["changed_only"],
            engine=options["engine"],
            scheduler=options["scheduler"],
            cache=not options["no_cache"],
            paranoid=options["paranoid"],
            progress=progress,
        )
    finally:
        progress.close()
    written = _write(report, options)
    try:
        _show(report, options, written)
    except BrokenPipeError:
        # Whoever read the output has had enough; what was found still decides the exit status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    bad = not report.ok(options["fail_on"]) or (_failed(report) and options["fail_on"] != "never")
    sys.exit(EXIT_FINDINGS if bad and not options["exit_zero"] else 0)


def _settings(paths: Sequence[str], options: dict[str, Any]) -> Effective:
    """The configuration, with what was typed on top of it."""
    from datalint import lookup

    typed = click.get_current_context()
    said = {
        name: value
        for name, value in options.items()
        if typed.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    given = {name.replace("_", "-"): said.get(name) for name in _CONFIGURABLE}
    for name in ("select", "ignore"):
        given[name] = [code for codes in said.get(name, ()) for code in codes] or None
    given["splits"] = _splits(options["splits"]) or None
    given["cache-dir"] = None if options["cache_dir"] is None else str(options["cache_dir"])
    found = lookup.settle([Path(path) for path in paths], False if options["no_config"] else options["config_file"])
    return found.given(given, "command line")


def _show_settings(settings: Effective) -> None:
    from datalint.lookup import as_toml, rule_options
    from datalint.report.escape import clean

    rule_options(settings)  # says what is wrong with them
    for line in as_toml(settings):
        click.echo(clean(line, 10_000))


def _failed(report: Report) -> bool:
    """Whether a rule broke down, so that silence means nothing."""
    return any(rule.status == "failed" for dataset in report.datasets for rule in dataset.rules)


def _splits(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name, pattern in pairs:
        splits.setdefault(name, []).append(pattern)
    return splits


def _style(formats: Sequence[tuple[str, Path | None]]) -> str:
    """What is printed."""
    printed = [name for name, file in formats if file is None]
    if len(printed) > 1:
        raise DatalintError(
            f"--format {printed[0]} and --format {printed[1]}: one format can be printed, give the other a file, "
            f"such as {printed[0]}:report.{printed[0]}"
        )
    return printed[0] if printed else "text"


def _check_writable(options: dict[str, Any]) -> None:
    """Say so before the scan rather than after it."""
    files = [options["json_file"], options["html_file"], *(file for _, file in options["formats"])]
    for file in files:
        if file is not None and (os.path.isdir(file) or not _can_hold(file.parent)):  # noqa: PTH112
            raise DatalintError(f"cannot write {file}: choose another place")
        if file is not None and files.count(file) > 1:
            raise DatalintError(f"cannot write two reports to {file}: give each a file of its own")
    if not options["no_report"] and not _can_hold(options["output_dir"]):
        raise DatalintError(
            f"cannot write reports to {options['output_dir']}: choose another folder with --output-dir, or --no-report"
        )


def _can_hold(folder: Path) -> bool:
    # os.path answers False where a folder above may not even be looked into; Path raises.
    nearest = folder.absolute()
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK)  # noqa: PTH112


def _write(report: Report, options: dict[str, Any]) -> list[Path]:
    written = [path for path in (options["json_file"], options["html_file"]) if path is not None]
    if options["json_file"] is not None:
        report.to_json(options["json_file"])
    if options["html_file"] is not None:
        report.to_html(options["html_file"])
    for name, file in options["formats"]:
        if file is not None:
            from datalint.report import formats
            from datalint.report.files import write_text

            write_text(file, formats.render(name, report, options["fail_on"]))
            written.append(file)
    if not options["no_report"]:
        folder: Path = options["output_dir"]
        report.to_json(folder / "report.json")
        report.to_html(folder / "report.html")
        written += [folder / "report.json", folder / "report.html"]
    return written


def _show(report: Report, options: dict[str, Any], written: list[Path]) -> None:
    if options["statistics"]:
        _show_statistics(report)
        return
    if options["style"] != "text":
        from datalint.report import formats

        shown = formats.render(options["style"], report, options["fail_on"])
        # As bytes: what a program reads is UTF-8, whatever the terminal's encoding is.
        click.echo(shown if options["style"] == "concise" else shown.encode(), nl=False)
        return
    from datalint.report import text

    if options["quiet"] and not report.findings and not _failed(report):
        return
    width = min(120, shutil.get_terminal_size().columns) if _terminal() else 100
    colour = _colour(options["color"])
    shown = text.render(report, color=colour, width=max(60, width), verbose=options["verbose"])
    click.echo(shown, nl=not shown.endswith("\n"), color=colour)
    if written and not options["quiet"]:
        click.echo(f"reports: {', '.join(path.as_posix() for path in written)}")


def _colour(wish: str) -> bool:
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (_terminal() and os.environ.get("TERM") != "dumb")


def _show_statistics(report: Report) -> None:
    """Findings per rule, most first."""
    from collections import Counter

    found = Counter((finding.code, finding.rule) for part in report.datasets for finding in part.leading)
    for (code, rule), number in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"{number:>6}  {code}  {rule}")
    hidden = sum(part.suppressed for part in report.datasets)
    if hidden:
        click.echo(f"{hidden:>6}  suppressed")


def _terminal() -> bool:
    """Whether the output goes to one; there is no output at all where it was closed (``>&-``)."""
    return sys.stdout is not None and sys.stdout.isatty()


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_LABEL
@_SPLITS
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def detect(paths: Sequence[str], label: str | None, splits: Sequence[tuple[str, str]], style: str) -> None:
    """Say what would be scanned: layout, label and splits, with the evidence for each. Scans nothing."""
    from datalint import api

    found = api.detect(list(paths), label=label, splits=_splits(splits))
    records = [_recognised(dataset) for dataset in found]
    if style == "json":
        click.echo(json.dumps(records, indent=1))
        return
    from datalint.report.escape import clean

    for record in records:
        click.echo(clean(f"{record['name']}: {record['layout']} ({record['evidence']})"))
        for split in record["splits"]:
            click.echo(clean(f"  split {split['name']}: {split['evidence']}"))
        found_label = record["label"]
        if found_label is None:
            click.echo(clean(f"  label: none ({record['no_label']})"))
        else:
            why = f"{found_label['evidence']}; confidence: {found_label['confidence']}"
            click.echo(clean(f"  label {found_label['name']!r}: {why}"))
        for role, names in record["columns"].items():
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            click.echo(clean(f"  {role}: {', '.join(names[:8])}{more}"))
        for problem in record["problems"]:
            click.echo(clean(f"  {problem['path']}: {problem['message']}"))


def _recognised(dataset: Dataset) -> dict[str, Any]:
    columns: dict[str, list[str]] = {}
    for column in dataset.fields:
        if column.role != "label":
            columns.setdefault(f"{column.role} columns", []).append(column.name)
    label = dataset.label
    return {
        "name": dataset.name,
        "path": dataset.path,
        "layout": dataset.layout,
        "modality": dataset.modality,
        "evidence": dataset.evidence,
        "splits": [{"name": split.name, "evidence": split.evidence} for split in dataset.splits],
        "label": label and {"name": label.name, "evidence": label.evidence, "confidence": label.confidence},
        "no_label": None if label else dataset.skipped_label,
        "columns": columns,
        "problems": [{"path": p.path, "kind": p.kind, "message": p.message} for p in dataset.problems],
    }


@cli.command()
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(style: str) -> None:
    """List the rules."""
    from datalint.manual import pages

    found = pages()
    if style == "json":
        kept = ("code", "name", "severity", "finds", "parameters")
        records = [{name: getattr(page, name) for name in kept} for page in found]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
        return
    width = max(len(page.name) for page in found)
    for page in found:
        click.echo(f"{page.code}  {page.name:{width}}  {page.severity:7}  {page.finds}")


@cli.command()
@click.argument("code")
def explain(code: str) -> None:
    """Show the page of a rule, by its code or name."""
    from datalint.figures import all_figures
    from datalint.manual import find_page

    page = find_page(code)
    click.echo(f"{page.code} {page.name} ({page.severity})\n\n{page.text}")
    if page.parameters:
        click.echo("\n## Parameters\n")
        for parameter in page.parameters:
            click.echo(f"{parameter['name']} (default {parameter['default']}): {parameter['description']}")
    figures = all_figures().get(page.code)
    if figures is not None:
        click.echo("\n## How often it is right\n")
        click.echo("\n".join(figures.sentences()))


@cli.command()
@click.argument("code")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Folder for the faulty copy."
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="0 (barely there) to 1 (blatant).",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another one plants elsewhere.")
@_LABEL
@_SPLITS
@click.option("--force", is_flag=True, help="Write into a folder that is not empty; an earlier copy is removed.")
def plant(code: str, path: Path, out: Path, **options: Any) -> None:
    """Write a copy of the data set at PATH with the fault of rule CODE in it, to test a pipeline with.

    Tables become one CSV file per split, folders of images stay what they are. What was planted where is printed, and
    written to planted.json beside the copy.
    """
    from datalint.faulty import write_faulty
    from datalint.report.escape import clean

    options["splits"] = _splits(options["splits"]) or None
    click.echo("\n".join(map(clean, write_faulty(code, path, out, **options).to_text().splitlines())))


@cli.command()
@click.argument("path", type=click.Path(path_type=Path))
@_LABEL
@_SPLITS
@click.option("--select", multiple=True, type=_codes, metavar="CODES", help="Rules to try, as for scan.")
@click.option(
    "--strengths",
    type=_numbers,
    default="0,0.5,1",
    show_default=True,
    metavar="NUMBERS",
    help="0 (barely) to 1 (blatant).",
)
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Times to plant each fault.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if a fault that the data can hold is not caught at its strongest."
)
def selftest(path: Path, **options: Any) -> None:
    """Say what would have been caught in the data set at PATH, from which strength, and what not.

    Plants the fault of every rule that applies into a copy in memory, of at most 5,000 rows or 600 images, and scans it.
    """
    from datalint import selftesting
    from datalint.report.escape import clean

    done = selftesting.selftest(
        str(path),
        label=options["label"],
        splits=_splits(options["splits"]) or None,
        select=[code for codes in options["select"] for code in codes],
        strengths=options["strengths"],
        seeds=options["seeds"],
        progress=_told if sys.stderr.isatty() and not os.environ.get("CI") else None,
    )
    if sys.stderr.isatty() and not os.environ.get("CI"):
        click.echo("\r\033[K", err=True, nl=False)
    if options["style"] == "json":
        click.echo(done.to_json().encode(), nl=False)
    else:
        click.echo("\n".join(map(clean, done.to_text().splitlines())))
    sys.exit(EXIT_FINDINGS if options["strict"] and done.missed else 0)


def _told(code: str, share: float) -> None:
    click.echo(f"\r\033[Kplanting {code} ({share:.0%})", err=True, nl=False)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the report file."""
    from datalint.report.models import json_schema

    click.echo(json.dumps(json_schema(), indent=1))


@cli.command()
@click.option("--cache-dir", type=click.Path(path_type=Path), metavar="DIR", help="The cache to empty.")
def clean(cache_dir: Path | None) -> None:
    """Empty the cache of what was measured."""
    from datalint.cache import Cache, default_folder

    folder = cache_dir or default_folder()
    size = Cache(folder).clear()
    click.echo(f"removed {size / 1e6:,.1f} MB from {folder}" if size else f"nothing to remove in {folder}")


@cli.command()
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--config", "config_file", metavar="FILE", help="Settings; the closest datalint.toml if not given.")
@click.option("--schema", "wants_schema", is_flag=True, help="Print the JSON Schema of datalint.toml instead.")
def config(path: str, config_file: str | None, wants_schema: bool) -> None:
    """Print the settings for a scan of PATH, and where each came from."""
    from datalint import lookup
    from datalint.config import config_schema

    if wants_schema:
        click.echo(json.dumps(config_schema(), indent=1))
        return
    if not os.path.lexists(path):
        raise DatalintError(f"no such file or folder: {path}")
    settings = lookup.settle([Path(path)], config_file)
    _show_settings(settings)


@cli.command()
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
def init(path: str, force: bool) -> None:
    """Write a datalint.toml for the data at PATH, with what was recognised and what may be set."""
    from datalint import api
    from datalint.report.files import write_text
    from datalint.starter import starter

    folder = Path(path) if os.path.isdir(path) else Path(path).parent  # noqa: PTH112
    file = folder / "datalint.toml"
    if os.path.lexists(file) and not force:
        raise DatalintError(f"{file.as_posix()} exists; --force replaces it")
    write_text(file, starter(api.detect(path)))
    click.echo(f"wrote {file.as_posix()}; `datalint scan {path}` uses it")


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where; datalint-baseline.json if not given."
)
@click.option("--prune", is_flag=True, help="Only remove what is no longer found.")
@click.option("--force", is_flag=True, help="Record anew what is there already.")
@click.option("--config", "config_file", metavar="FILE", help="Settings; the closest datalint.toml if not given.")
def baseline(paths: Sequence[str], output: Path | None, prune: bool, force: bool, config_file: str | None) -> None:
    """Record what is found today, so that later scans with --baseline report only what is new."""
    from datalint import api, lookup
    from datalint.baseline import FILE, of_report, read_baseline, stale
    from datalint.registry import all_rules

    settings = lookup.settle([Path(path) for path in paths], config_file)
    file = output or Path(settings.config.baseline or FILE)
    known = read_baseline(file) if prune else None
    if known is None and os.path.lexists(file) and not force:
        raise DatalintError(f"{file.as_posix()} exists; --prune removes what is mended, --force records all anew")
    if not _can_hold(file.parent):
        raise DatalintError(f"cannot write {file}: choose another place with --output")
    report = api.scan(list(paths), config=settings, baseline=False)
    if known is not None:
        gone = stale(known, report.datasets)
        left = known.without(gone)
        if gone:
            left.write(file)
        click.echo(f"{file.as_posix()}: removed {len(gone):,} of {len(known.entries):,} entries")
        return
    recorded = of_report(report, {rule.code for rule in all_rules() if rule.audits})
    recorded.write(file)
    number = len(recorded.entries)
    click.echo(f"{file.as_posix()}: recorded {number:,} finding{'' if number == 1 else 's'}; use it with --baseline")


@cli.command()
@click.argument("old", metavar="OLD.json")
@click.argument("new", metavar="NEW.json")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="Exit with 1 if a finding at least this severe is new.",
)
def diff(old: str, new: str, style: str, fail_on: FailOn) -> None:
    """Compare two reports: findings that are new, fixed and unchanged, and how the numbers of the data moved.

    Exit status: 0 nothing new at or above --fail-on, 1 something is, 2 a file is no report.
    """
    from datalint import diffing

    changes = diffing.diff(old, new)
    shown = changes.to_json().encode() if style == "json" else str(changes)
    click.echo(shown, nl=False)
    sys.exit(0 if changes.ok(fail_on) else EXIT_FINDINGS)


_OUT = click.option("--out", metavar="DIR", help="The folder to write; outside the source, new or empty.")
_FORCE = click.option("--force", is_flag=True, help="Replace what an earlier run wrote there.")
_SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of what is random.")


@cli.command()
@click.argument("path")
@_OUT
@click.option("--keep-list", metavar="FILE", help="Write a CSV file of the samples to keep: split, index and id.")
@click.option(
    "--select", multiple=True, type=_codes, metavar="CODES", help="Findings to mend; all that can be if none."
)
@click.option("--unsafe", is_flag=True, help="Also drop samples whose label is probably wrong.")
@click.option("--relabel", is_flag=True, help="With --unsafe: give them the suggested label instead.")
@_LABEL
@_SPLITS
@_SEED
@_FORCE
def fix(path: str, out: str | None, **options: Any) -> None:
    """Write a cleaned copy of the data set at PATH, with a log of every change; PATH itself is never changed.

    Drops all-zero and unreadable samples and exact duplicates, takes samples that other splits hold out of train, writes
    variants of a category in one way, turns pictures by their EXIF orientation and shuffles sorted tables. CSV, Parquet
    and class folders of images.

    Exit status: 0 the copy is written, 2 it could not be.
    """
    from datalint.mending.fix import fix as mend
    from datalint.progress import Progress

    progress = Progress(not os.environ.get("CI"))
    try:
        done = mend(
            path,
            out,
            keep_list=options["keep_list"],
            label=options["label"],
            splits=_splits(options["splits"]) or None,
            select=[code for codes in options["select"] for code in codes],
            unsafe=options["unsafe"],
            relabel=options["relabel"],
            seed=options["seed"],
            force=options["force"],
            progress=progress,
        )
    finally:
        progress.close()
    click.echo(str(done), nl=False)


@cli.command()
@click.argument("path")
@_OUT
@click.option("--per-class", type=click.IntRange(min=1), metavar="N", help="Samples of each class.")
@click.option("--classes", multiple=True, type=_codes, metavar="A,B", help="The classes to take; all if not given.")
@_LABEL
@_SPLITS
@_SEED
@_FORCE
def subset(path: str, out: str | None, **options: Any) -> None:
    """Write a small, balanced set of samples that no finding names: one that a model must be able to learn by heart.

    A CSV file, or class folders of images, from the training split of PATH.

    Exit status: 0 it is written, 2 it could not be.
    """
    from datalint.mending.subset import subset as take
    from datalint.progress import Progress

    if out is None:
        raise DatalintError("nothing to write: give --out DIR")
    progress = Progress(not os.environ.get("CI"))
    try:
        done = take(
            path,
            out,
            per_class=options["per_class"],
            classes=[name for names in options["classes"] for name in names],
            label=options["label"],
            splits=_splits(options["splits"]) or None,
            seed=options["seed"],
            force=options["force"],
            progress=progress,
        )
    finally:
        progress.close()
    click.echo(str(done), nl=False)


def main() -> NoReturn:
    """Run the command line; every error a user can mend is one line and exit status 2."""
    # Nearly all objects made while importing and reading live to the end: looking for garbage so often finds none.
    gc.set_threshold(100_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot write is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Pillow logs what is wrong with a picture; that is for the report to say.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    try:
        result = cli.main(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except DatalintError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        sys.exit(EXIT_CANNOT)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "datalint"
        _fail(f"{error.format_message().rstrip('.')} (see {command} --help)")
    except click.ClickException as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; no report was written")
    except OSError as error:
        _fail(f"cannot write the output: {error.strerror or error}")
    except MemoryError:
        _fail("not enough memory; scan fewer files at once")


def _fail(message: str) -> NoReturn:
    from datalint.report.escape import clean

    click.echo(f"datalint: {clean(message)}", err=True)
    sys.exit(EXIT_CANNOT)


if __name__ == "__main__":
    main()
