"""``datalint serve``."""

from __future__ import annotations

from typing import Any

import click

from datalint.cli.options import say, size
from datalint.core.errors import DatalintError


@click.command()
@click.option("--root", "roots", multiple=True, metavar="[NAME=]DIR", help="A folder of data sets; may be repeated.")
@click.option(
    "--database", metavar="URL", help="sqlite:///FILE or postgresql://...; a file of the user's if not given."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8650, show_default=True, help="The port; 0 for any.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A host name that browsers use for the service.")
@click.option("--worker", is_flag=True, help="Only scan what is queued; serve no pages.")
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Scans at a time.")
@click.option("--insecure", is_flag=True, help="Serve other machines without authentication.")
@click.option("--scan-memory", type=size, default="8GB", show_default=True, help="Memory of one scan.")
@click.option(
    "--scan-timeout",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Seconds that a scan may take.",
)
def serve(worker: bool, scan_memory: int, scan_timeout: float, **options: Any) -> None:
    """Watch data sets: pages with their history, scans at a click, a gate on what is new."""
    try:
        from datalint.service.serving import Wishes, run
    except ImportError as error:
        raise DatalintError(f"serve needs the package {error.name}: pip install 'datalint[service]'") from error
    run(Wishes(web=not worker, memory=scan_memory, timeout=scan_timeout, **options), say)
