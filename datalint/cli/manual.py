"""The manual: ``datalint rules``, ``explain`` and ``schema``."""

from __future__ import annotations

import json
import sys
import textwrap

import click

from datalint.cli.options import columns, complete_codes
from datalint.core.project import rule_page


@click.command()
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(style: str) -> None:
    """List the rules."""
    from datalint.rules.manual import pages

    found = pages()
    if style == "json":
        kept = ("code", "name", "severity", "finds", "parameters")
        records = [{name: getattr(page, name) for name in kept} for page in found]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
        return
    longest, width = max(len(page.name) for page in found), columns(sys.stdout)
    for page in found:
        head = f"{page.code}  {page.name:{longest}}  {page.severity:7}  "
        if width is None:
            click.echo(f"{head}{page.finds}")
        else:
            click.echo(textwrap.fill(f"{head}{page.finds}", width, subsequent_indent=" " * 10))


@click.command()
@click.argument("code", shell_complete=complete_codes)
def explain(code: str) -> None:
    """Show the page of a rule, by its code or name."""
    from datalint.rules.detection_figures import all_figures
    from datalint.rules.manual import find_page
    from datalint.rules.packs import BUILT_IN

    page = find_page(code)
    stage = "" if page.stage == "stable" else f", {page.stage}: runs only where it is selected"
    click.echo(f"{page.code} {page.name} ({page.severity}{stage})\n\n{page.text}")
    if page.parameters:
        click.echo("\n## Parameters\n")
        for parameter in page.parameters:
            click.echo(f"{parameter['name']} (default {parameter['default']}): {parameter['description']}")
    figures = all_figures().get(page.code)
    if figures is not None:
        click.echo("\n## How often it is right\n")
        click.echo("\n".join(figures.sentences()))
    if page.pack == BUILT_IN:
        click.echo(f"\n{rule_page(page.code)}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of the report file."""
    from datalint.report.models import json_schema

    click.echo(json.dumps(json_schema(), indent=1))
