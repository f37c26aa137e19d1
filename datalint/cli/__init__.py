"""The command line: thin, on top of the Python API. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
import shlex
import sys
import traceback
from importlib import import_module
from typing import Final, NoReturn

import click

from datalint import __version__
from datalint.cli.options import EXIT_CANNOT, EXIT_INTERRUPTED, Interrupted, say
from datalint.core.errors import DatalintError
from datalint.core.wording import did_you_mean

COMMANDS: Final = {
    "scan": "scanning",
    "detect": "recognising",
    "rules": "manual",
    "explain": "manual",
    "plant": "trying",
    "preflight": "preflighting",
    "selftest": "trying",
    "schema": "manual",
    "clean": "settings",
    "config": "settings",
    "init": "settings",
    "baseline": "settings",
    "diff": "comparing",
    "fix": "mending",
    "subset": "mending",
    "serve": "serving",
    "push": "serving",
    "gate": "serving",
}
"""The module of each command, imported when the command is asked for."""


SECTIONS: Final = {
    "Begin with": {
        "scan": "say what is wrong with the data at PATH",
        "explain": "show the page of a rule: what, why, how to fix it",
        "fix": "write a cleaned copy of the data",
    },
    "Look closer": {
        "detect": "say what would be scanned: layout, label, splits",
        "rules": "list the rules",
        "diff": "compare two reports",
        "preflight": "try a model, its loss and loader before they train",
        "subset": "write a small clean set that a model must learn by heart",
        "plant": "write a copy with a fault in it, to test a pipeline with",
        "selftest": "say which faults would be found in your data",
    },
    "Keep it that way": {
        "init": "write a datalint.toml",
        "config": "print the settings, and where each came from",
        "baseline": "record what is found today; later scans report what is new",
        "serve": "watch data sets in a service with pages and history",
        "push": "send the report of a scan to the service",
        "gate": "ask the service whether the last version passes",
    },
    "Other": {"clean": "empty the cache", "schema": "print the JSON Schema of the report"},
}
"""The commands as the help lists them, those that one begins with first."""

DEBUG: Final = "DATALINT_DEBUG"
"""Environment variable that shows the traceback of an error as well."""


class Lazy(click.Group):
    """A group that loads a command by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """All names, for the help and for completion."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, from the function of that name in its module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"datalint.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; of a name that is none, what may be meant."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            meant = did_you_mean(name, list(COMMANDS))
            if not meant and os.path.lexists(name):
                meant = f"; to scan {name}: datalint scan {shlex.quote(name)}"
            raise click.UsageError(f"no such command: {name}{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The commands in sections, none of which has to be loaded for it."""
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), said) for name, said in commands.items()])


@click.group(cls=Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datalint")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The linter for machine-learning data sets: says what in them will make training fail, stall or lie."""
    if ctx.invoked_subcommand is None:  # click itself tells this in another way from version to version
        click.echo(ctx.get_help())
        ctx.exit(EXIT_CANNOT)


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
    except (Interrupted, KeyboardInterrupt, click.Abort) as error:
        _fail(str(error) or "interrupted; no report was written", status=EXIT_INTERRUPTED)
    except DatalintError as error:
        gone = _gone()
        _fail(*([gone] if gone else error.lines))
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "datalint"
        _fail(f"{error.format_message().rstrip('.')} (see {command} --help)")
    except click.ClickException as error:
        _fail(error.format_message())
    except OSError as error:
        _fail(_gone() or f"cannot write the output: {error.strerror or error}")
    except MemoryError:
        _fail("not enough memory; scan fewer files at once")
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        _fail(f"broke down, which is a fault of its own: {type(error).__name__}: {text} ({DEBUG}=1 shows where)")


def _gone() -> str | None:
    """What is wrong where the working directory was removed: then much else is, too."""
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return "the working directory is no longer there; change to another one"
    return None


def _fail(*messages: str, status: int = EXIT_CANNOT) -> NoReturn:
    with contextlib.suppress(OSError):  # nobody may be listening; the exit status still says it
        if os.environ.get(DEBUG):
            traceback.print_exc()
        for message in messages:
            say(message)
    sys.exit(status)
