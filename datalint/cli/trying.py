"""Trying the rules on data: ``datalint plant`` and ``selftest``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from datalint.cli.options import EXIT_FINDINGS, LABEL, SPLITS, by_name, complete_codes, numbers, tell

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("code", shell_complete=complete_codes)
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
@LABEL
@SPLITS
@click.option("--force", is_flag=True, help="Write into a folder that is not empty; an earlier copy is removed.")
def plant(code: str, path: Path, out: Path, splits: Sequence[tuple[str, str]], **options: Any) -> None:
    """Write a copy of the data set at PATH with the fault of rule CODE in it, to test a pipeline with.

    Tables become one CSV file per split, folders of images stay what they are. What was planted where is printed, and
    written to planted.json next to the copy.
    """
    from datalint.planting import write

    for line in write.plant(code, path, out, splits=by_name(splits) or None, **options).to_text().splitlines():
        tell(line)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@LABEL
@SPLITS
@click.option(
    "--select", multiple=True, metavar="CODES", shell_complete=complete_codes, help="Rules to try, as for scan."
)
@click.option(
    "--strengths",
    type=numbers,
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
def selftest(
    path: Path, splits: Sequence[tuple[str, str]], select: Sequence[str], style: str, strict: bool, **options: Any
) -> None:
    """Say what would have been caught in the data set at PATH, from which strength, and what not.

    Plants the fault of every rule that applies into a copy in memory, of at most 5,000 rows or 600 images, and scans it.
    """
    from datalint.planting import selftest as selftesting

    watched = sys.stderr.isatty() and not os.environ.get("CI")
    progress = _told if watched else None
    chosen = by_name(splits) or None
    done = selftesting.selftest(str(path), splits=chosen, select=",".join(select), progress=progress, **options)
    if watched:
        click.echo("\r\033[K", err=True, nl=False)
    if style == "json":
        click.echo(done.to_json().encode(), nl=False)
    else:
        for line in done.to_text().splitlines():
            tell(line)
    sys.exit(EXIT_FINDINGS if strict and done.missed else 0)


def _told(code: str, share: float) -> None:
    click.echo(f"\r\033[Kplanting {code} ({share:.0%})", err=True, nl=False)
