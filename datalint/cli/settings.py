"""Settings and what is kept: ``datalint config``, ``init``, ``baseline`` and ``clean``."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from datalint.cli.options import CONFIG_FILE, show_settings, tell
from datalint.core.errors import DatalintError
from datalint.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("path", default=".", metavar="[PATH]")
@CONFIG_FILE
@click.option("--schema", "wants_schema", is_flag=True, help="Print the JSON Schema of datalint.toml instead.")
def config(path: str, config_file: str | None, wants_schema: bool) -> None:
    """Print the settings for a scan of PATH, and where each came from."""
    from datalint.config import discovery as lookup
    from datalint.config.schema import config_schema
    from datalint.sources.remote.url import masked

    if wants_schema:
        click.echo(json.dumps(config_schema(), indent=1))
        return
    if not os.path.lexists(path):
        raise DatalintError(f"no such file or folder: {masked(path)}")
    settings = lookup.settle([Path(path)], config_file)
    show_settings(settings)


@click.command()
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
def init(path: str, force: bool) -> None:
    """Write a datalint.toml for the data at PATH, with what was recognised and what may be set."""
    from datalint import api

    tell(f"wrote {api.init(path, force=force).as_posix()}; `datalint scan {shlex.quote(path)}` uses it")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where; datalint-baseline.json if not given."
)
@click.option("--prune", is_flag=True, help="Only remove what is no longer found.")
@click.option("--force", is_flag=True, help="Record anew what is there already.")
@CONFIG_FILE
def baseline(paths: Sequence[str], output: Path | None, prune: bool, force: bool, config_file: str | None) -> None:
    """Record what is found today, so that later scans with --baseline report only what is new or became worse."""
    from datalint import api
    from datalint.suppress.baseline import FILE, read_baseline

    settings = api.settings_of(list(paths), config_file)
    file = output or Path(settings.config.baseline or FILE)
    known = len(read_baseline(file).entries) if prune else 0
    entries = api.baseline(list(paths), file, prune=prune, force=force, config=settings).entries
    number = len(entries)
    if prune:
        tell(f"{file.as_posix()}: removed {known - number:,} of {known:,} entries")
    else:
        # A scan counts as the user saw it: without what follows from another finding.
        leading = sum(entry.part_of is None for entry in entries)
        more = f" and {number - leading:,} that follow from them" if number > leading else ""
        tell(f"{file.as_posix()}: recorded {counted(leading, 'finding')}{more}; use it with --baseline")


@click.command()
@click.option("--cache-dir", type=click.Path(path_type=Path), metavar="DIR", help="The cache to empty.")
def clean(cache_dir: Path | None) -> None:
    """Empty the cache of what was measured."""
    from datalint.engine.cache import Cache, chosen_folder

    try:
        folder, _ = chosen_folder(cache_dir)
        size = Cache(folder).clear()
    except (OSError, RuntimeError) as error:
        raise DatalintError(f"the cache cannot be emptied: {error}") from error
    tell(f"removed {size / 1e6:,.1f} MB from {folder}" if size else f"nothing to remove in {folder}")
