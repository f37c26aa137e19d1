"""``datalint serve``, ``push`` and ``gate``."""

from __future__ import annotations

import sys
from typing import Any

import click

from datalint.cli.options import EXIT_FINDINGS, say, size, tell
from datalint.core.errors import DatalintError
from datalint.core.project import install


@click.command()
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="[NAME=]DIR|NAME=URL",
    help="A folder of data sets, or a URL below which they lie; may be repeated.",
)
@click.option(
    "--database", metavar="URL", help="sqlite:///FILE or postgresql://...; a file of the user's if not given."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8650, show_default=True, help="The port; 0 for any.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A host name that browsers use for the service.")
@click.option(
    "--allow-hook", multiple=True, metavar="NAME", help="A host of the private network that webhooks may use."
)
@click.option("--worker", is_flag=True, help="Only scan what is queued; serve no pages.")
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Scans at a time.")
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that answer requests."
)
@click.option("--insecure", is_flag=True, help="Serve other machines without authentication.")
@click.option("--oidc", metavar="URL", help="Log people in by this OpenID Connect issuer.")
@click.option("--oidc-client", default="", metavar="ID", help="Our id there; DATALINT_OIDC_SECRET is the secret.")
@click.option("--oidc-role", multiple=True, metavar="GROUP=ROLE", help="What a group may do; '*' is everybody.")
@click.option("--public-url", default="", metavar="URL", help="The address of the service as browsers see it.")
@click.option("--uploads", metavar="DIR", help="Take data that is sent, keep it here, and remove it after its scan.")
@click.option("--upload-limit", type=size, default="1GB", show_default=True, help="Size of one upload.")
@click.option("--scan-memory", type=size, default="8GB", show_default=True, help="Memory of one scan.")
@click.option(
    "--scan-timeout",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Seconds that a scan may take.",
)
@click.option("--create-token", metavar="NAME", help="Print a new token and leave; the first must be an admin's.")
@click.option("--role", type=click.Choice(["reader", "triager", "admin"]), default="admin", show_default=True)
@click.option(
    "--days", type=click.FloatRange(min=0, max=36_500, min_open=True), help="Days after which the token expires."
)
@click.option(
    "--prune",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Remove scans older than this, but the last and the accepted ones, and leave.",
)
@click.option("--backup", metavar="FILE", help="Write the database into another file, and leave.")
def serve(
    worker: bool,
    scan_memory: int,
    scan_timeout: float,
    create_token: str | None,
    role: Any,
    days: float | None,
    prune: float | None,
    backup: str | None,
    **options: Any,
) -> None:
    """Watch data sets: pages with their history, scans at a click, a gate on what is new."""
    try:
        from datalint.service import serving
    except ImportError as error:
        raise DatalintError(f"serve needs the package {error.name}: {install('service')}") from error
    if create_token is not None:
        click.echo(serving.create_token(options["database"], create_token, role, days))
        return
    if backup is not None:
        serving.backup(options["database"], backup)
        say(f"wrote {backup}; serve it with --database sqlite:///{backup}")
    if prune is not None:
        say(f"removed {serving.prune(options['database'], prune):,} scans")
    if backup is not None or prune is not None:
        return
    serving.run(serving.Wishes(web=not worker, memory=scan_memory, timeout=scan_timeout, **options), say)


SERVER = click.option("--server", required=True, metavar="URL", help="Of the service; DATALINT_TOKEN is the token.")


@click.command()
@click.argument("file", metavar="REPORT.json")
@SERVER
@click.option("--dataset", metavar="NAME", help="What the service calls it; the name in the report if not given.")
@click.option("--ref", default="", metavar="NAME", help="A branch of the data set; its main one if not given.")
@click.option("--revision", default="", metavar="NAME", help="Such as a commit or a version of DVC.")
def push(file: str, server: str, dataset: str | None, ref: str, revision: str) -> None:
    """Send the report of a scan to a service. Sent twice, it is one scan."""
    from datalint.report.diff import read

    sent(read(file), server, dataset, ref, revision)


def sent(report: Any, server: str, dataset: str | None = None, ref: str = "", revision: str = "") -> None:
    """Send a report and say what the gate makes of it."""
    from datalint.service.client import Client

    if dataset is None and len(report.datasets) != 1:
        raise DatalintError(
            f"the report is about {len(report.datasets)} data sets: say with --dataset what they are called"
        )
    name = dataset or report.datasets[0].name
    scan = Client(server).push(report, name, ref=ref, revision=revision)
    say(f"sent to {server} as scan {scan['id']} of {name}: the gate {'passed' if scan['passed'] else 'failed'}")


@click.command()
@click.argument("name")
@SERVER
def gate(name: str, server: str) -> None:
    """Ask a service whether the last version of data set NAME passes.

    Exit status: 0 it passes, 1 it does not, 2 there is no verdict.
    """
    from datalint.service.client import Client

    verdict = Client(server).gate(name)
    for reason in verdict["reasons"]:
        tell(reason)
    if verdict["passed"] is None:
        raise DatalintError(f"{name} has no verdict yet")
    sys.exit(0 if verdict["passed"] else EXIT_FINDINGS)
