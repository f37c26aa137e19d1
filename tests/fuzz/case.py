"""One hostile input: what lies in the scanned folder, how it is scanned, and what may come of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

SECRET = "Zaphod-42-Prefect"
"""Lies next to the scanned folder; nothing that is written may hold it."""
GOOD_CLASS = "sound"
GOOD_ROWS = 48
FAST = ("--preset", "fast", "--no-cache")


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Pipe:
    """A FIFO."""


Content = bytes | Link | Pipe | None
"""Of a file; None for a folder."""


@dataclass(frozen=True)
class Case:
    """What is scanned."""

    data: dict[str, Content]
    """Everything below the folder, by path; text from bytes that are no UTF-8 holds surrogates."""
    options: tuple[str, ...] = FAST
    command: tuple[str, ...] = ("scan", "data")
    may_refuse: bool = False
    """Whether exit status 2 is right: where the command line or a configuration is hostile."""
    good: bool = True
    """Whether the good table must be judged."""
    between: Callable[[Random, Path], None] | None = None
    """What happens to the cache before the same is scanned again."""
    more: dict[str, Content] = field(default_factory=dict)
    """Files that options name; they do not lie in the data."""

    def beside(self, more: dict[str, Content]) -> Case:
        """The same with files outside the data."""
        return replace(self, more=more)


def good_table() -> bytes:
    """A small table without a fault that stops anything."""
    rows = [f"{(k * 37) % 101 / 10},{(k * 53) % 97},{GOOD_CLASS if k % 3 % 2 else 'hale'}" for k in range(GOOD_ROWS)]
    return "\n".join(["girth,height,variety", *rows, ""]).encode()


def lay_out(case: Case, root: Path) -> None:
    """Make the folder to scan, and what must not change next to it."""
    for name in ("data", "beside", "home", "tmp"):
        (root / name).mkdir()
    (root / "beside" / "secret.csv").write_text("a,b,label\n" + f"1,{SECRET},{SECRET}\n" * 20)
    (root / "beside" / "secret.toml").write_text(f'label = "{SECRET}"\n')
    (root / "beside" / "folder").mkdir()
    write(case.data, root / "data")
    write(case.more, root)
    if case.good:
        (root / "data" / "good.csv").write_bytes(good_table())


def write(data: dict[str, Content], folder: Path) -> None:
    """Make the files. Names that this file system does not take are left out."""
    for name, content in data.items():
        place = folder / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                place.mkdir(exist_ok=True)
            elif isinstance(content, Link):
                place.symlink_to(content.target)
            elif isinstance(content, Pipe):
                os.mkfifo(place)
            else:
                place.write_bytes(content)
        except (OSError, ValueError):
            continue


def read(folder: Path) -> dict[str, Content]:
    """What :func:`write` made."""
    found: dict[str, Content] = {}
    for place in sorted(folder.rglob("*")):
        name = str(place.relative_to(folder))
        if place.is_symlink():
            found[name] = Link(os.readlink(place))  # noqa: PTH115 - as it is written, not made tidy
        elif place.is_fifo():
            found[name] = Pipe()
        elif place.is_dir():
            if not any(place.iterdir()):
                found[name] = None
        else:
            found[name] = place.read_bytes()
    return found
