"""``datalint diff``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from datalint.cli.options import EXIT_FINDINGS
from datalint.core.severity import LEVELS

if TYPE_CHECKING:
    from datalint.core.severity import FailOn


@click.command()
@click.argument("old", metavar="OLD.json")
@click.argument("new", metavar="NEW.json")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(LEVELS),
    default="error",
    show_default=True,
    help="Exit with 1 if a finding at least this severe is new or worse.",
)
@click.option("--numbers", is_flag=True, help="Also say how counts and measurements moved.")
def diff(old: str, new: str, style: str, fail_on: FailOn, numbers: bool) -> None:
    """Compare two reports: findings that are new, fixed, worse and unchanged.

    Exit status: 0 nothing new or worse at or above --fail-on, 1 something is, 2 a file is no report.
    """
    from datalint.report import diff as diffing

    changes = diffing.diff(old, new)
    shown = changes.to_json().encode() if style == "json" else changes.to_text(numbers=numbers)
    click.echo(shown, nl=False)
    sys.exit(0 if changes.ok(fail_on) else EXIT_FINDINGS)
