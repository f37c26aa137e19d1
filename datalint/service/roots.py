"""The folders and URL prefixes that the operator named: nothing outside of them is ever looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import select

from datalint.core.errors import DatalintError
from datalint.service.child import call
from datalint.service.history import note
from datalint.service.models import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.service.child import Limits
    from datalint.service.database import Database

URL = re.compile(r"[a-z][a-z0-9+]*://")
UNSAFE = "\\?#%*[]@\0\n\r\t"
"""Characters that could lead out of a URL prefix, or that a URL means otherwise."""
NAME = re.compile(r"[\w][\w. -]{0,199}")


Root = Path | str
"""A folder, or a URL below which everything may be read."""

Roots = Mapping[str, Root]


def named(values: Iterable[str]) -> Roots:
    """The roots by name, from ``PATH``, ``NAME=PATH`` or ``NAME=URL``.

    Raises:
        DatalintError: one is no folder, two have one name, or a URL would show a login to whoever sees the pages.
    """
    roots: dict[str, Root] = {}
    for value in values:
        name, sign, path = value.partition("=") if URL.match(value) is None else ("", "=", value)
        root: Root
        if URL.match(path):
            root = path.rstrip("/")
            if urlsplit(path).username or set("?#") & set(path):
                raise DatalintError(
                    f"--root {name}: give a URL without login, ? and #; credentials are of the environment"
                )
        else:
            root = Path(path if sign else value).expanduser().resolve()
            name = name if sign else root.name
            if not root.is_dir():
                raise DatalintError(f"--root {value}: no such folder")
        if not NAME.fullmatch(name) or name in roots:
            raise DatalintError(f"--root {value}: give each a name of its own, such as --root team=PATH")
        roots[name] = root
    return roots


def place(roots: Roots, root: str | None, path: str) -> Root:
    """The place of a data set.

    Raises:
        DatalintError: there is none, or it lies outside, be it through a link.
    """
    if root is None or root not in roots:
        raise DatalintError(f"no root is called {root!r}: the roots are {', '.join(roots) or 'none'}")
    base = roots[root]
    if isinstance(base, str):
        if set(path) & set(UNSAFE) or any(part in ("", ".", "..") for part in path.split("/")):
            raise DatalintError(f"{path!r} is no path below {root}")
        return f"{base}/{path}"
    if "\0" in path or "://" in path:
        raise DatalintError(f"{path!r} is no path below {root}")
    try:
        found = (base / path).resolve()
    except (OSError, RuntimeError) as error:
        raise DatalintError(f"{path!r} cannot be found below {root}") from error
    if not found.is_relative_to(base):
        raise DatalintError(f"{path!r} lies outside of {root}")
    if not found.exists():
        raise DatalintError(f"{path!r} is not there below {root}")
    return found


def inside(roots: Roots, root: str, path: str) -> list[tuple[str, str, bool]]:
    """Name, path below the root and whether it is a folder, of all that can be seen in a folder; URLs are not looked around in."""
    base = roots.get(root)
    if isinstance(base, str):
        return []
    folder = Path(place(roots, root, path))
    if base is None or not folder.is_dir():
        return []
    return [
        (item.name, item.relative_to(base).as_posix(), item.is_dir())
        for item in sorted(folder.iterdir(), key=lambda item: item.name)[:1000]
        if not item.name.startswith(".") and item.resolve().is_relative_to(base)
    ]


def discover(database: Database, roots: Roots, limits: Limits, who: str = "") -> None:
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
