"""The folders that the operator named: nothing outside of them is ever looked at."""

from __future__ import annotations

import re
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from datalint.core.errors import DatalintError
from datalint.service.child import call
from datalint.service.history import note
from datalint.service.models import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.service.child import Limits
    from datalint.service.database import Database

NAME = re.compile(r"[\w][\w. -]{0,199}")


def named(values: Iterable[str]) -> dict[str, Path]:
    """The roots by name, from ``PATH`` or ``NAME=PATH``.

    Raises:
        DatalintError: one is no folder, or two have one name.
    """
    roots: dict[str, Path] = {}
    for value in values:
        name, sign, path = value.partition("=")
        folder = Path(path if sign else value).expanduser().resolve()
        name = name if sign else folder.name
        if not folder.is_dir():
            raise DatalintError(f"--root {value}: no such folder")
        if not NAME.fullmatch(name) or name in roots:
            raise DatalintError(f"--root {value}: give each a name of its own, such as --root team=PATH")
        roots[name] = folder
    return roots


def place(roots: dict[str, Path], root: str | None, path: str) -> Path:
    """The place of a data set.

    Raises:
        DatalintError: there is none, or it lies outside, be it through a link.
    """
    if root not in roots:
        raise DatalintError(f"no root is called {root!r}: the roots are {', '.join(roots) or 'none'}")
    if "\0" in path or "://" in path:
        raise DatalintError(f"{path!r} is no path below {root}")
    try:
        found = (roots[root] / path).resolve()
    except (OSError, RuntimeError) as error:
        raise DatalintError(f"{path!r} cannot be found below {root}") from error
    if not found.is_relative_to(roots[root]):
        raise DatalintError(f"{path!r} lies outside of {root}")
    if not found.exists():
        raise DatalintError(f"{path!r} is not there below {root}")
    return found


def inside(roots: dict[str, Path], root: str, path: str) -> list[tuple[str, str, bool]]:
    """Name, path below the root and whether it is a folder, of all that can be seen in a folder."""
    folder = place(roots, root, path)
    if not folder.is_dir():
        return []
    return [
        (item.name, item.relative_to(roots[root]).as_posix(), item.is_dir())
        for item in sorted(folder.iterdir(), key=lambda item: item.name)[:1000]
        if not item.name.startswith(".") and item.resolve().is_relative_to(roots[root])
    ]


def discover(database: Database, roots: dict[str, Path], limits: Limits, who: str = "") -> None:
    """Add the data sets that lie directly below the roots, and are not known yet."""
    with database.read() as session:
        known = {(d.root, d.path) for d in session.scalars(select(Dataset))}
    fresh = [(root, path) for root in roots for _, path, _ in inside(roots, root, "") if (root, path) not in known]
    asked = {"paths": [str(place(roots, root, path)) for root, path in fresh]}
    recognised = [item for item, found in zip(fresh, call("detect", asked, limits)["found"], strict=True) if found]
    with database.write() as session:
        names = set(session.scalars(select(Dataset.name)))
        for root, path in recognised:
            base = re.sub(r"[^\w. -]", "_", Path(path).name)[:150].lstrip(". -") or "data"
            name = next(n for n in chain((base, f"{root} {base}"), (f"{base} {k}" for k in count(2))) if n not in names)
            names.add(name)
            session.add(Dataset(name=name, root=root, path=path))
        note(session, who, "roots searched", f"{len(recognised)} added")
