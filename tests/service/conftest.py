"""The service on both databases: a SQLite file, and a PostgreSQL server that is started for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import psycopg
import pytest

from datalint.service.database import Database
from tests.command import COMMAND, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = ROOT / "sample_data"


class Postgres:
    """A server of its own, in a folder that is removed afterwards."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="datalint-postgres-"))
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:  # which the server refuses to run as
            shutil.chown(self.folder, "postgres", "postgres")
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self.start()

    def _run(self, tool: str, *arguments: str) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"))
        if not found:
            pytest.fail("no PostgreSQL is installed (Debian: apt-get install postgresql)")
        command = [str(found[-1]), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._user)

    def start(self) -> None:
        """Wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-l", f"{self.folder}/log", "-o", f"-k {self.folder} -c listen_addresses=''")

    def stop(self, mode: str = "immediate") -> None:
        """At once, as if the machine had lost its power, or otherwise."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(f"postgresql://postgres@/postgres?host={self.folder}", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql://postgres@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.engine.dispose()


class Served:
    """``datalint serve`` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str, **extra: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", *arguments],
            cwd=folder,
            env=environment(folder, extra),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        self.said = [self.process.stderr.readline()]
        self.url = next((word.rstrip(";") for word in self.said[0].split() if word.startswith("http")), "")
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.client = httpx2.Client(base_url=self.url or "http://nowhere", timeout=30, trust_env=False)

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line)
            sys.stderr.write(line)

    def form(self, path: str, /, **fields: Any) -> httpx2.Response:
        """Send a form as a page would."""
        self.client.get("/", headers={"accept": "text/html"})
        fields["csrf"] = self.client.cookies["datalint_csrf"]
        return self.client.post(path, data=fields, headers={"accept": "text/html"})

    def close(self) -> str:
        """Stop it as a service manager would; what it said."""
        self.client.close()
        self.process.terminate()
        self.process.wait(60)
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()
        return "".join(self.said)


@contextmanager
def serving(folder: Path, *arguments: str, **extra: str) -> Iterator[Served]:
    """The running service."""
    served = Served(folder, *arguments, **extra)
    try:
        yield served
    finally:
        served.close()
