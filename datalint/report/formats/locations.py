"""Which file and line a finding points at: build servers show a finding only where it has a place."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from datalint.report.escape import clean

if TYPE_CHECKING:
    from datalint.report.models import AffectedSample, DatasetReport, Finding

_LINE = re.compile(r"(?P<path>.+):(?P<line>[1-9]\d{0,8})", re.DOTALL)
_ITEM = re.compile(r"(?P<path>.+)\[\d+\]", re.DOTALL)
_OBJECT = re.compile(r".*\.i?loc\[.*\]", re.DOTALL)


@dataclass(frozen=True)
class Location:
    """A file, or the folder of a data set, and a line of it where there is one."""

    path: str
    line: int | None = None

    @property
    def uri(self) -> str:
        """The path as a relative URI reference, or a ``file:`` URI outside the repository."""
        # Only UTF-8 can be quoted; a name with lone surrogates was made printable when it was read.
        text = quote(self.path.encode("utf-8", "replace"), safe="/-._~")
        return f"file://{text}" if self.path.startswith("/") else text


def location(dataset: DatasetReport, finding: Finding) -> Location:
    """Where the worst affected sample lies; else the data set."""
    if finding.affected.samples:
        return of_sample(dataset, finding.affected.samples[0])
    return Location(in_repository(dataset.path))


def of_sample(dataset: DatasetReport, sample: AffectedSample) -> Location:
    """The file of a sample, and its line in a text table."""
    name, line = sample.id, None
    if sample.index >= 0 and dataset.modality == "table":
        if _OBJECT.fullmatch(name):
            name = dataset.path
        elif found := _LINE.fullmatch(name):
            name, line = found["path"], int(found["line"])
    if sample.index >= 0 and line is None and (found := _ITEM.fullmatch(name)):
        name = found["path"]
    return Location(in_repository(name), line)


def in_repository(path: str) -> str:
    """``path`` as seen from the root of the repository one works in, or from the working folder; with slashes."""
    plain = clean(path).strip() or "."
    root = _root(str(Path.cwd()))
    # A link inside the repository that leads to another place of it: the server knows only the latter.
    for base, target in ((os.path.realpath(root), os.path.realpath(plain)), (root, os.path.abspath(plain))):  # noqa: PTH100
        inside = os.path.relpath(target, base)
        if inside != ".." and not inside.startswith(f"..{os.sep}"):
            return Path(inside).as_posix()
    return Path(os.path.abspath(plain)).as_posix()  # noqa: PTH100


@cache
def _root(folder: str) -> str:
    """The nearest folder above that holds a repository; the folder itself where there is none."""
    return next((str(above) for above in (Path(folder), *Path(folder).parents) if (above / ".git").exists()), folder)
