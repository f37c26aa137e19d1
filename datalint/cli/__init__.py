"""The command line: thin, on top of the Python API. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
import sys
import traceback
from importlib import import_module
from typing import Final, NoReturn

import click

from datalint import __version__
from datalint.cli.options import EXIT_CANNOT, say
from datalint.core.errors import DatalintError

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


@click.group(cls=Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="datalint")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """The linter for machine-learning data sets.

    Reads a data set the way a training loop will, before any training starts, and says what in it will make training
    fail, stall or lie; where; how sure it is; which samples; and how to fix it.
    """
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
    except DatalintError as error:
        _fail(_gone() or str(error))
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "datalint"
        _fail(f"{error.format_message().rstrip('.')} (see {command} --help)")
    except click.ClickException as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; no report was written")
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


def _fail(message: str) -> NoReturn:
    with contextlib.suppress(OSError):  # nobody may be listening; the exit status still says it
        if os.environ.get(DEBUG):
            traceback.print_exc()
        say(message)
    sys.exit(EXIT_CANNOT)
