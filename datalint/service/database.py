"""The database: SQLite or PostgreSQL, brought to the newest schema when it is opened."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_LOCK: Final = 0x646174616C696E74
"""Of PostgreSQL's advisory lock that one process holds while it migrates."""


class Database:
    """Sessions that read, and sessions that write and are committed at the end or not at all.

    Raises:
        DatalintError: the database cannot be opened, is not one of ours, or a newer version made it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self.is_file = self.engine.dialect.name == "sqlite"
        self._watching: Any = None
        self._one = threading.Lock()
        event.listen(self.engine, "engine_disposed", self._forget)
        shown = self.engine.url.render_as_string(hide_password=True)
        try:
            with self.engine.execution_options(write=True).begin() as connection:
                _migrate(connection, shown)
        except (DBAPIError, DatalintError) as error:
            self.engine.dispose()
            if isinstance(error, DatalintError):
                raise
            why = str(error.orig).strip().splitlines()[0]
            raise DatalintError(f"cannot use the database {shown}: {why}") from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end. SQLite has one at a time; the others wait."""
        with Session(self.engine.execution_options(write=True), expire_on_commit=False) as session, session.begin():
            yield session

    def moment(self) -> object:
        """What differs from an earlier answer if something was committed in between, by whatever process."""
        if not self.is_file:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                # Two snapshots that are equal see the same transactions.
                return connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one()
        with self._one:
            try:
                if self._watching is None:
                    self._watching = self.engine.raw_connection()
                    self._watching.detach()  # or closing it would keep it in the pool
                # Counts what others commit; this connection commits nothing.
                return self._watching.cursor().execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise OperationalError("PRAGMA data_version", None, error) from error

    def _forget(self, _: Engine) -> None:
        with self._one:
            if self._watching is not None:
                self._watching.close()
                self._watching = None


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = make_url("none://")
    match parsed.get_backend_name():
        case "postgresql":
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=20, max_overflow=30
            )
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            pass
        case _:
            scheme = url.partition(":")[0][:20]
            raise DatalintError(f"--database {scheme}: give sqlite:///FILE or postgresql://USER@HOST/NAME")
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30}, pool_size=20, max_overflow=30)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # One that read first and wrote later could not wait for another writer.
        immediate = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _migrate(connection: Connection, shown: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    config = Config()
    config.set_main_option("script_location", "datalint.service:migrations")
    config.attributes["connection"] = connection
    names = set(inspect(connection).get_table_names())
    if names and not {"alembic_version", "dataset", "scan", "finding"} <= names:
        raise DatalintError(f"the database {shown} holds something else: give one of its own")
    if names:
        made = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if made not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
            raise DatalintError(f"the database {shown} was made by a newer version of datalint: upgrade datalint")
    command.upgrade(config, "head")
