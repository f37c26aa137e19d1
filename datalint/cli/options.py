"""Options and small helpers that several commands share."""

from __future__ import annotations

import contextlib
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

import click

from datalint.core.errors import DatalintError
from datalint.core.severity import LEVELS
from datalint.report.formats.formats import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

    from datalint.config.discovery import Effective

EXIT_FINDINGS, EXIT_CANNOT, EXIT_INTERRUPTED = 1, 2, 130

LONGEST = 4_000
"""Characters of one message."""


class Interrupted(DatalintError):
    """Ctrl-C after the scan was over; the message says what was done by then."""


class Grouped(click.Command):
    """A command whose help lists its options in sections."""

    sections: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Names of parameters by title; the others come last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by section."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {param.name: record for param in options if (record := param.get_help_record(ctx)) is not None}
        listed = {name for names in self.sections.values() for name in names}
        left = tuple(name for name in records if name not in listed)
        for title, names in {**self.sections, "Other options": left}.items():
            with formatter.section(title):
                formatter.write_dl([records[name] for name in names if name in records])


def columns(stream: TextIO | None) -> int | None:
    """The width of the terminal that a stream goes to, at most 120; None where it goes elsewhere."""
    if stream is None or not stream.isatty():
        return None
    return max(40, min(120, shutil.get_terminal_size().columns))


def complete_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Codes and names of rules that begin with what was typed, of several the last."""
    from click.shell_completion import CompletionItem

    from datalint.rules.manual import pages

    before, comma, typed = incomplete.rpartition(",")
    names = [(page.code, page.name) for page in pages()]
    fitting = [(c, n) for c, n in names if c.startswith(typed.upper())] or [
        (n, c) for c, n in names if n.startswith(typed)
    ]
    return [CompletionItem(f"{before}{comma}{name}", help=other) for name, other in fitting]


def say(message: str) -> None:
    """An error or a notice on standard error: one line, which a terminal gets wrapped."""
    from datalint.report.escape import clean, guard

    text, width = guard(clean(f"datalint: {message}", LONGEST)), columns(sys.stderr)
    if width is not None:
        text = textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    click.echo(text, err=True)


def tell(message: str, *, err: bool = False) -> None:
    """One line, without what a terminal or a build server would obey, whatever names and arguments it repeats."""
    from datalint.report.escape import clean, guard
    from datalint.sources.remote.url import masked

    click.echo(guard(clean(masked(message) if "://" in message else message, LONGEST)), err=err)


@contextlib.contextmanager
def piped(paths: Sequence[str]) -> Iterator[Any]:
    """What to scan: the paths, or what comes through standard input."""
    if "-" not in paths:
        yield list(paths)
        return
    if len(paths) > 1:
        raise DatalintError("- is standard input: give it alone")
    from datalint.sources.standard_input import standard_input

    with standard_input() as source:
        yield source


def codes(value: str) -> list[str]:
    """Several values in one option, set apart by commas."""
    return [item.strip() for item in value.split(",") if item.strip()]


def split_glob(value: str) -> tuple[str, str]:
    """NAME=GLOB."""
    name, sign, pattern = value.partition("=")
    if not sign or not name.strip() or not pattern:
        raise click.BadParameter(f"{value!r} is not of the form NAME=GLOB, such as train='train_*.csv'")
    return name.strip(), pattern


def size(value: str) -> int:
    """A size such as 512MB, 2G or 1.5 GiB."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    try:
        return TypeAdapter(ByteSize).validate_python(value)
    except ValidationError as error:
        raise click.BadParameter(f"{value!r} is not a size, such as 512MB or 2GB") from error


def named_format(value: str) -> tuple[str, Path | None]:
    """NAME, or NAME:FILE."""
    name, sign, file = value.partition(":")
    if name not in CHOICES:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(CHOICES)}")
    if sign and not file:
        raise click.BadParameter(
            f"{value!r} names no file; give one, such as {name}:report.{name}, or leave the colon out"
        )
    return name, Path(file) if file else None


def numbers(value: str) -> list[float]:
    """Several numbers in one option, set apart by commas."""
    try:
        return [float(item) for item in codes(value)]
    except ValueError as error:
        raise click.BadParameter(f"{value!r} are no numbers, such as 0,0.5,1") from error


def by_name(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Patterns by split, from repeated NAME PATTERN options."""
    splits: dict[str, list[str]] = {}
    for name, pattern in pairs:
        splits.setdefault(name, []).append(pattern)
    return splits


def show_settings(settings: Effective) -> None:
    """Print the settings as TOML."""
    from datalint.config.discovery import as_toml, rule_options
    from datalint.report.escape import clean

    rule_options(settings)  # says what is wrong with them
    for line in as_toml(settings):
        click.echo(clean(line, 10_000))


LABEL = click.option("--label", metavar="COL", help="The label column; recognised if not given.")
SPLITS = click.option(
    "--split",
    "splits",
    multiple=True,
    type=split_glob,
    metavar="NAME=GLOB",
    help="Files of a split, such as train='a_*.csv'.",
)
FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default="error",
    show_default=True,
    help="Exit with 1 if there is a finding at least this severe.",
)
EXIT_ZERO = click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
JSON_FILE = click.option(
    "--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the JSON report here."
)
HTML_FILE = click.option(
    "--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the HTML report here."
)
OUTPUT_DIR = click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("datalint-report"),
    show_default=True,
    metavar="DIR",
    help="Folder for report.json and report.html.",
)
NO_REPORT = click.option("--no-report", is_flag=True, help="Write no files.")
CONFIG_FILE = click.option(
    "--config", "config_file", metavar="FILE", help="Settings; the closest datalint.toml if not given."
)
NO_CONFIG = click.option("--no-config", is_flag=True, help="Read no settings from files.")
COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours in the text; auto for a terminal.",
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="Print findings only, and nothing if there are none.")
OUT = click.option("--out", metavar="DIR", help="The folder to write; outside the source, new or empty.")
FORCE = click.option("--force", is_flag=True, help="Replace what an earlier run wrote there.")
SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of what is random.")
