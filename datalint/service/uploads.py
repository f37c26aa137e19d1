"""Where data that was sent lies until it was scanned: each file in a folder of its own."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from datalint.service.models import Scan

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.service.database import Database

ROOT: Final = "uploads"
"""The root below which workers find them."""

FORGOTTEN: Final = 86_400.0
"""Seconds after which what was never queued, such as of a process that was killed, is removed."""

_FOLDER: Final = re.compile(r"[0-9a-f]{32}")


def place(folder: Path, name: str) -> Path:
    """A new place for a file of that name."""
    found = folder / secrets.token_hex(16) / name
    found.parent.mkdir(mode=0o700)
    return found


def sweep(database: Database, folder: Path) -> None:
    """Remove those whose scan is over."""
    lying = {
        f"{inner.parent.name}/{inner.name}": inner.parent
        for inner in folder.glob("*/*")
        if _FOLDER.fullmatch(inner.parent.name)
    }
    if not lying:
        return
    with database.read() as session:
        rows = session.execute(select(Scan.upload, Scan.status).where(Scan.upload.in_(lying)))
        states = {upload: status for upload, status in rows}  # noqa: C416 - rows are no pairs to mypy
    for name, item in lying.items():
        if name in states:
            over = states[name] not in ("queued", "running")
        else:
            over = item.stat().st_mtime < time.time() - FORGOTTEN
        if over:
            shutil.rmtree(item, ignore_errors=True)
