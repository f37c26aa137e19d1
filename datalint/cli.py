"""The command line: thin, on top of the Python API. Nothing heavy is imported before a scan needs it."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from datalint import __version__
from datalint.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.dataset import Dataset
    from datalint.report.models import Report

EXIT_FINDINGS, EXIT_CANNOT = 1, 2


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
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", value, re.IGNORECASE)
    if not match:
        raise click.BadParameter(f"{value!r} is not a size, such as 512MB or 2GB")
    unit = 1024 if match[3] else 1000
    return int(float(match[1]) * unit ** " kmgt".index(match[2].lower() or " "))


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
    help="fast leaves out the rules that train a model.",
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
    "style",
    type=click.Choice(["text", "concise", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
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
@click.option("-q", "--quiet", is_flag=True, help="Print findings only, and nothing if there are none.")
@click.option("-v", "--verbose", is_flag=True, help="Print every rule with its reason, and more samples.")
def scan(paths: Sequence[str], **options: Any) -> None:
    """Scan the data sets at PATH and report what is wrong with them.

    Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the job could not be done.
    """
    from datalint import api
    from datalint.progress import Progress

    select = [code for codes in options["select"] for code in codes]
    ignore = [code for codes in options["ignore"] for code in codes]
    _check_writable(options)
    progress = Progress(not options["quiet"] and not os.environ.get("CI") and not os.environ.get("PRE_COMMIT"))
    try:
        report = api.scan(
            list(paths),
            label=options["label"],
            splits=_splits(options["splits"]),
            select=select,
            ignore=ignore,
            preset=options["preset"],
            batch_size=options["batch_size"],
            pred_probs=options["pred_probs"],
            embeddings=options["embeddings"],
            changed_only=options["changed_only"],
            jobs=options["jobs"],
            engine=options["engine"],
            scheduler=options["scheduler"],
            cache=not options["no_cache"],
            cache_dir=options["cache_dir"],
            paranoid=options["paranoid"],
            memory=options["memory"],
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


def _failed(report: Report) -> bool:
    """Whether a rule broke down, so that silence means nothing."""
    return any(rule.status == "failed" for dataset in report.datasets for rule in dataset.rules)


def _splits(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name, pattern in pairs:
        splits.setdefault(name, []).append(pattern)
    return splits


def _check_writable(options: dict[str, Any]) -> None:
    """Say so before the scan rather than after it."""
    for name in ("json_file", "html_file"):
        file: Path | None = options[name]
        if file is not None and (os.path.isdir(file) or not _can_hold(file.parent)):  # noqa: PTH112
            raise DatalintError(f"cannot write {file}: choose another place")
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
    if not options["no_report"]:
        folder: Path = options["output_dir"]
        report.to_json(folder / "report.json")
        report.to_html(folder / "report.html")
        written += [folder / "report.json", folder / "report.html"]
    return written


def _show(report: Report, options: dict[str, Any], written: list[Path]) -> None:
    if options["style"] == "json":
        # As bytes: JSON is UTF-8, whatever the terminal's encoding is.
        click.echo(report.to_json().encode(), nl=False)
        return
    if options["style"] == "concise":
        from datalint.report import concise

        click.echo(concise.render(report), nl=False)
        return
    from datalint.report import text

    if options["quiet"] and not report.findings and not _failed(report):
        return
    width = min(120, shutil.get_terminal_size().columns) if _terminal() else 100
    colour = _colour()
    shown = text.render(report, color=colour, width=max(60, width), verbose=options["verbose"])
    click.echo(shown, nl=not shown.endswith("\n"), color=colour)
    if written and not options["quiet"]:
        click.echo(f"reports: {', '.join(path.as_posix() for path in written)}")


def _colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (_terminal() and os.environ.get("TERM") != "dumb")


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
    from datalint.registry import all_rules

    found = all_rules()
    if style == "json":
        records = [{"code": r.code, "name": r.name, "severity": r.severity, "finds": r.finds()} for r in found]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
        return
    width = max(len(rule.name) for rule in found)
    for rule in found:
        click.echo(f"{rule.code}  {rule.name:{width}}  {rule.severity:7}  {rule.finds()}")


@cli.command()
@click.argument("code")
def explain(code: str) -> None:
    """Show the page of a rule, by its code or name."""
    from datalint.registry import find_rule

    rule = find_rule(code)
    click.echo(f"{rule.code} {rule.name} ({rule.severity})\n\n{rule.page()}")
    parameters = rule.Params.model_fields
    if parameters:
        click.echo("\n## Parameters\n")
        for name, parameter in parameters.items():
            click.echo(f"{name} (default {parameter.default}): {parameter.description}")


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


def main() -> NoReturn:
    """Run the command line; every error a user can mend is one line and exit status 2."""
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
