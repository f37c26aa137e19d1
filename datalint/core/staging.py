"""The folder that is written: never in the source, whole or not at all, and never over what is already there."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datalint.core.errors import DatalintError
from datalint.core.temporary import TemporaryFolder
from datalint.core.writing import can_hold, inherit

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGS: Final = {"fix-log.json": "files", "subset-log.json": "files", "planted.json": "copy"}
"""What was done, stored with the data, and the key under which each lists what was written; a scan does not read them."""


class Target:
    """A folder to write to.

    Raises:
        DatalintError: it lies in the source or around it, is a file, or holds something and ``force`` is not given.
    """

    def __init__(self, out: Path, source: Path, force: bool) -> None:
        self.out = out
        self._real = Path(os.path.realpath(out))
        if not os.path.lexists(source):
            return  # reading it will say so
        # One file is a data set by itself, so its folder is no part of it; but nothing may be written over the file.
        real_source = Path(os.path.realpath(source))
        home = real_source if source.is_dir() else real_source.parent
        if self._real == home or (source.is_dir() and home in self._real.parents):
            raise DatalintError(f"--out {out} lies in {source}, which is never changed: choose a folder outside it")
        if self._real in real_source.parents:
            raise DatalintError(f"--out {out} holds {source}, which is never changed: choose a folder of its own")
        if os.path.lexists(out) and not out.is_dir():
            raise DatalintError(f"--out {out} is a file: choose a folder")
        try:
            held = sorted(os.listdir(out)) if out.is_dir() else []  # noqa: PTH208
        except OSError as error:
            raise DatalintError(f"cannot read {out}: {error.strerror}; choose another folder") from error
        if held and not force:
            raise DatalintError(
                f"--out {out} is not empty ({held[0]} is there): choose another folder, or give --force to replace "
                "what an earlier run wrote there"
            )
        if not can_hold(self._real):
            raise DatalintError(f"cannot write {self.out}: choose another folder")

    @contextmanager
    def stage(self, name: str) -> Iterator[Path]:
        """A folder of that name to prepare the files in, on the same disk; it is gone afterwards."""
        parent = self._real.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = TemporaryFolder(parent)
        except OSError as error:
            raise DatalintError(f"cannot write {self.out}: {error.strerror}; choose another folder") from error
        try:
            (folder.path / name).mkdir()
            yield folder.path / name
        except OSError as error:
            raise DatalintError(f"cannot write {self.out}: {error.strerror or error}") from error
        finally:
            folder.remove()

    def publish(self, stage: Path, log: str, record: dict[str, Any]) -> None:
        """Move what was prepared to its place, and write the log, which names every file that was written."""
        files = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
        text = json.dumps(record | {LOGS[log]: files}, indent=1, ensure_ascii=True) + "\n"
        (stage / log).write_text(text, encoding="utf-8")
        if not os.path.lexists(self.out):
            stage.replace(self._real)
            return
        for name in [*files, log]:
            goal = self._real / name
            if not self._inside(goal):
                raise DatalintError(
                    f"{self.out}/{name} lies behind a link that leads out of {self.out}: remove the link"
                )
            # A link is replaced and not followed; something else that is no file may be of use to somebody.
            if os.path.lexists(goal) and not goal.is_symlink() and not goal.is_file():
                raise DatalintError(f"{self.out}/{name} is in the way and no file: remove it, or choose another folder")
            if not inherit(stage / name, goal):
                raise DatalintError(f"{self.out}/{name} belongs to somebody else: choose another folder")
        self._forget_earlier()
        for name in [*files, log]:
            goal = self._real / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            (stage / name).replace(goal)

    def _forget_earlier(self) -> None:
        """Remove the files that an earlier run wrote here, by its log: left over, they would be part of the data."""
        for log, key in LOGS.items():
            known = earlier(self._real, log).get(key, [])
            for name in known if isinstance(known, list) else []:
                goal = self._real / str(name)
                if not str(name).startswith("/") and ".." not in Path(str(name)).parts and self._inside(goal):
                    goal.unlink(missing_ok=True)
                    self._remove_empty(goal.parent)
            (self._real / log).unlink(missing_ok=True)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._real and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def _inside(self, goal: Path) -> bool:
        parent = Path(os.path.realpath(goal.parent))
        return parent == self._real or self._real in parent.parents


def earlier(folder: Path, log: str) -> dict[str, Any]:
    """The log of an earlier run in that folder; empty where there is none."""
    try:
        record = json.loads((folder / log).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
