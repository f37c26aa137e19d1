"""How long things are kept, and a second file of all of it."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from datalint.core.errors import DatalintError
from datalint.service.models import Answer, Dataset, Finding, Login, Scan
from datalint.service.security import DAY

if TYPE_CHECKING:
    from datalint.service.database import Database


def prune(database: Database, days: float) -> int:
    """Remove scans that ended more than ``days`` ago, with their reports; how many.

    The last scan of a data set stays, so does its accepted version, and the first and the last scan of each finding: what was
    decided of a finding hangs on the finding and is kept.
    """
    over = time.time() - days * DAY
    kept = [select(column) for column in (Dataset.latest_id, Dataset.reference_id, Finding.first_id, Finding.last_id)]
    old = delete(Scan).where(
        Scan.finished < over, *(Scan.id.not_in(ids.where(ids.selected_columns[0].is_not(None))) for ids in kept)
    )
    with database.write() as session:
        removed = len(session.scalars(old.returning(Scan.id)).all())
        session.execute(delete(Answer).where(Answer.at < over))
        session.execute(delete(Login).where(Login.expires < time.time()))
    if database.engine.dialect.name == "sqlite":
        _outside(database, "VACUUM")
    return removed


def backup(database: Database, file: str) -> None:
    """Write all of it into another SQLite file, while the service runs; serving that file restores it.

    Raises:
        DatalintError: the file exists, cannot be written, or the database is not SQLite.
    """
    if database.engine.dialect.name != "sqlite":
        raise DatalintError("--backup is for SQLite: use pg_dump for PostgreSQL")
    path = Path(file)
    part = path.with_name(f".{path.name}.part")
    try:
        path.open("x").close()
    except OSError as error:
        why = "it exists, and nothing is replaced" if isinstance(error, FileExistsError) else error.strerror
        raise DatalintError(f"--backup {file}: {why}") from error
    try:
        part.unlink(missing_ok=True)
        part.touch(0o600)
        _outside(database, "VACUUM INTO ?", str(part))
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        path.unlink()
        if isinstance(error, sqlite3.Error):
            raise DatalintError(f"--backup {file}: {error}") from error
        raise


def _outside(database: Database, statement: str, *values: str) -> None:
    """Run what SQLite does outside of transactions alone."""
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute(statement, values)
    finally:
        connection.close()
