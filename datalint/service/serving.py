"""Runs the service: the web application, workers, or both in one process."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing.connection
import os
import signal
import socket
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.supervisors import Multiprocess

from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.service import keeping, uploads
from datalint.service import roots as places
from datalint.service.app import create
from datalint.service.child import Limits
from datalint.service.database import Database
from datalint.service.lookup import make_token
from datalint.service.security import LOOPBACK, Role, any_token
from datalint.service.shared import Service
from datalint.service.webhooks import Courier
from datalint.service.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastapi import FastAPI

    from datalint.service.oidc import Provider
    from datalint.service.roots import Roots


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    roots: Sequence[str] = ()
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8650
    allow_host: Sequence[str] = ()
    allow_hook: Sequence[str] = ()
    workers: int = 1
    processes: int = 1
    web: bool = True
    insecure: bool = False
    oidc: str | None = None
    oidc_client: str = ""
    oidc_role: Sequence[str] = ()
    public_url: str = ""
    uploads: str | None = None
    upload_limit: int = 1 << 30
    memory: int = Limits.memory
    timeout: float = Limits.seconds


def default_database() -> str:
    """One SQLite file in the user's data folder."""
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    folder = base if base.is_absolute() else Path.home() / ".local" / "share"
    return f"sqlite:///{folder / 'datalint' / 'datalint.db'}"


def create_token(url: str | None, name: str, role: Role, days: float | None) -> str:
    """A token for whoever may read the database, such as the first one of an admin."""
    with _opened(url) as database, database.write() as session:
        return make_token(session, "command line", name, role, (), days)


def prune(url: str | None, days: float) -> int:
    """Remove scans that ended more than so many days ago; how many."""
    with _opened(url) as database:
        return keeping.prune(database, days)


def backup(url: str | None, file: str) -> None:
    """Write the database into another file."""
    with _opened(url) as database:
        keeping.backup(database, file)


@contextlib.contextmanager
def _opened(url: str | None) -> Iterator[Database]:
    database = Database(url or default_database())
    try:
        yield database
    finally:
        database.engine.dispose()


def run(wishes: Wishes, say: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Raises:
        DatalintError: it cannot be started; the message says why.
    """
    roots = _roots(wishes)
    limits = Limits(wishes.memory, wishes.timeout)
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_listen(wishes.host, wishes.port)) if wishes.web else None
        database = Database(wishes.database or default_database())
        stack.callback(database.engine.dispose)
        known = wishes.insecure or _oidc(wishes)
        if wishes.web and wishes.host not in LOOPBACK and not known:
            with database.read() as session:
                if not any_token(session):
                    raise DatalintError(
                        f"--host {wishes.host}: make a token with --create-token first; --insecure lets everybody in"
                    )
        if wishes.web and wishes.roots:
            places.discover(database, places.named(wishes.roots), limits)
        # The signal that a service manager sends ends it like Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        stack.enter_context(
            _working(database, roots, limits, wishes.workers if roots else 0, Courier(database, wishes.allow_hook))
        )
        if listening is None:
            say(f"working on {', '.join(roots)}; Ctrl-C to stop")
            threading.Event().wait()
        else:
            say(f"serving on http://{wishes.host}:{listening.getsockname()[1]}; Ctrl-C to stop")
            config = uvicorn.Config(
                partial(_web, wishes),
                factory=True,
                workers=wishes.processes,
                log_level="warning",
                timeout_graceful_shutdown=3,
                server_header=False,
                proxy_headers=False,
            )
            if wishes.processes == 1:
                uvicorn.Server(config).run(sockets=[listening])
            else:
                Multiprocess(config, sockets=[listening]).run()


def _web(wishes: Wishes) -> FastAPI:
    """The application of one process that answers; each has connections of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:  # it would go on holding the port when its parent was killed
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    application = create(
        Service(
            Database(wishes.database or default_database()),
            places.named(wishes.roots),
            _uploads(wishes),
            wishes.upload_limit,
            Limits(wishes.memory, wishes.timeout),
            (wishes.host, *wishes.allow_host),
            wishes.insecure,
            _oidc(wishes),
            tuple(wishes.allow_hook),
        )
    )
    # What was made so far stays: looking through it for garbage would hold up answers for a tenth of a second.
    gc.collect()
    gc.freeze()
    return application


def _oidc(wishes: Wishes) -> Provider | None:
    if wishes.oidc is None:
        return None
    try:
        from datalint.service.oidc import provider
    except ImportError as error:
        raise DatalintError(f"--oidc needs the package {error.name}: {install('oidc')}") from error
    secret = os.environ.get("DATALINT_OIDC_SECRET", "")
    return provider(wishes.oidc, wishes.oidc_client, secret, wishes.oidc_role, wishes.public_url)


def _uploads(wishes: Wishes) -> Path | None:
    if wishes.uploads is None:
        return None
    folder = Path(wishes.uploads).expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatalintError(f"--uploads {wishes.uploads}: {error.strerror}") from error
    return folder


def _roots(wishes: Wishes) -> Roots:
    """What workers read."""
    roots, folder = places.named(wishes.roots), _uploads(wishes)
    if uploads.ROOT in roots and folder:
        raise DatalintError(f"--root {uploads.ROOT}: the name is taken by --uploads; give another one")
    return {**roots, uploads.ROOT: folder} if folder else roots


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
        )
        # Handed on to connections: head and body of an answer would wait 40 ms for each other.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise DatalintError(f"cannot listen on {host}:{port}: {why}; choose another --port") from error


@contextlib.contextmanager
def _working(database: Database, roots: Roots, limits: Limits, count: int, courier: Courier) -> Iterator[None]:
    workers: list[Worker | Courier] = [Worker(database, roots, limits) for _ in range(count)]
    workers.append(courier)
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop.set()
        for thread in threads:
            thread.join()
