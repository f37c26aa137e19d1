"""``datalint preflight``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from datalint.cli.options import (
    COLOR,
    CONFIG_FILE,
    EXIT_ZERO,
    FAIL_ON,
    HTML_FILE,
    JSON_FILE,
    NO_CONFIG,
    NO_REPORT,
    OUTPUT_DIR,
    QUIET,
    named_format,
)
from datalint.report.formats.formats import CHOICES


@click.command()
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option("--select", multiple=True, metavar="CODES", help="Rules to run: codes, names or beginnings of codes.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Rules to leave out.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for trying; what was not reached is said.",
)
@click.option("--device", metavar="NAME", help="Where to try, such as cpu or cuda:0; where the model is if not given.")
@FAIL_ON
@EXIT_ZERO
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=named_format,
    metavar="NAME[:FILE]",
    help=f"What to print, or with :FILE to write: {', '.join(CHOICES)}.",
)
@JSON_FILE
@HTML_FILE
@OUTPUT_DIR
@NO_REPORT
@CONFIG_FILE
@NO_CONFIG
@COLOR
@QUIET
@click.option("-v", "--verbose", is_flag=True, help="Print every rule with its reason.")
def preflight(factory: str, **typed: Any) -> None:
    """Try a training loop before its first epoch, and report what is wrong with it.

    MODULE:FACTORY names a function without arguments that returns model, loss, loader and optimizer, as a tuple or a mapping.
    Loss and optimizer may be None. It runs in a process of its own, in the working directory.

    Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the job could not be done.
    """
    from datalint.cli.showing import Output, check_writable, show, status, write
    from datalint.config.discovery import kind_of, settle
    from datalint.loops.running import run_factory
    from datalint.rules.base import LoopRule

    source = click.get_current_context().get_parameter_source
    given = {
        name.replace("_", "-"): typed[name]
        for name in ("select", "ignore", "fail_on")
        if source(name) is not click.core.ParameterSource.DEFAULT
    }
    settings = settle([Path()], False if typed["no_config"] else typed["config_file"]).given(given, "command line")
    kind_of(LoopRule, settings)  # says what is wrong with them before anything is started
    output = Output.of(typed | {"statistics": False, "watch": False, "report_dir": None}, settings.config.fail_on)
    check_writable(output)
    report = run_factory(factory, budget=typed["budget"], device=typed["device"], settings=settings)
    show(report, output, write(report, output))
    sys.exit(status(report, output))
