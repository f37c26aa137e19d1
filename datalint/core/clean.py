"""Clean data sets in memory, into which rules put their own fault."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from datalint.core import vocabulary
from datalint.core.errors import DatalintError
from datalint.core.vocabulary import WHOLE
from datalint.core.writing import safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import pandas as pd
    from PIL import Image


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 52428800\n"
"""What Git LFS leaves in place of a file that was not fetched."""


@dataclass(frozen=True)
class Clean:
    """A data set without known faults: tables by split, or files by relative path."""

    name: str
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """By split; a single one called ``all`` is not split."""
    label: str | None = None
    """The label column of tables; image trees say it by their folders."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """An image tree (``split/class/name.png`` or ``class/name.png``), or tables as bytes."""
    annotations: Mapping[str, bytes] = field(default_factory=dict)
    """What describes the pictures, by relative path; those that are changed without it become plain pictures."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """What is configured for its scan, with the keys of ``datalint.toml``."""
    joint: str = ""
    """What joins the labels in a cell of the label column, where a sample may have several."""

    @property
    def modality(self) -> str:
        """``table``, ``images`` or ``audio``."""
        suffixes = {PurePosixPath(path).suffix for path in self.files}
        if suffixes & {".wav", ".flac", ".ogg", ".mp3"}:
            return "audio"
        return "images" if suffixes - {".csv", ".parquet"} else "table"

    def write(self, folder: Path) -> Path:
        """Lay the data set out on disk; returns the folder.

        Raises:
            DatalintError: a path of a file leads out of the folder.
        """
        for split, table in self.tables.items():
            folder.mkdir(parents=True, exist_ok=True)
            write_table(table, folder / safe_name(split))
        top = os.path.abspath(folder)  # noqa: PTH100 - resolve() would follow links
        for path, content in (*self.files.items(), *self.annotations.items()):
            target = Path(os.path.abspath(folder / path))  # noqa: PTH100
            if not target.is_relative_to(top) or target == Path(top):
                raise DatalintError(f"{path!r} leads out of the folder of the copy")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return folder


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table next to ``path``: as CSV, or as JSON lines where a cell holds a list."""
    if any(isinstance(cell, list) for name in table.columns for cell in table[name].head(1)):
        table.to_json(path.with_name(f"{path.name}.jsonl"), orient="records", lines=True, force_ascii=False)
    else:
        table.to_csv(path.with_name(f"{path.name}.csv"), index=False)


@dataclass(frozen=True)
class Planted:
    """A data set with a known fault, and where it is; what is not given is the data set as a whole."""

    data: Clean
    split: str | None = None
    column: str | None = None
    class_: str | None = None
    rows: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Faulty samples by split, as 0-based positions in stored order."""
    files: frozenset[str] = frozenset()
    """Faulty files by relative path, where no sample of them can be read."""


def training(clean: Clean) -> str:
    """The split that models are trained on: ``train``, or the first."""
    return "train" if "train" in clean.tables else next(iter(clean.tables))


def blacken(clean: Clean, strength: float, rng: np.random.Generator) -> Planted:
    """Make some pictures zero in every pixel: one, up to 5 % at full strength."""

    def black(image: Image.Image) -> Image.Image:
        return image.point(lambda _: 0)

    return _redraw(clean, max(1, round(0.05 * strength * len(clean.files))), rng, black)


def transpose(clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
    """Exchange rows and columns of some pictures: one, up to 4 % at full strength.

    None where they are square, or of so many sizes that a swapped one is like the others.
    """
    from PIL import Image

    sizes = [_size(content) for content in clean.files.values()]
    usual = max(set(sizes), key=sizes.count)
    if usual[0] == usual[1] or sizes.count(usual) < 0.95 * len(sizes):
        return None
    count = max(1, round(0.04 * strength * len(clean.files)))
    return _redraw(clean, count, rng, lambda image: image.transpose(Image.Transpose.TRANSPOSE))


def truncate(clean: Clean, strength: float, rng: np.random.Generator) -> Planted:
    """Cut some files in half: one, up to 5 % at full strength."""
    chosen = _choose(clean, max(1, round(0.05 * strength * len(clean.files))), rng)
    files = {path: content[: len(content) // 2] if path in chosen else content for path, content in clean.files.items()}
    return Planted(Clean(clean.name, files=files), rows=rows_of(clean, chosen))


def _redraw(
    clean: Clean, count: int, rng: np.random.Generator, change: Callable[[Image.Image], Image.Image]
) -> Planted:
    from PIL import Image

    chosen = _choose(clean, count, rng)
    files = dict(clean.files)
    for path in chosen:
        with Image.open(io.BytesIO(files[path])) as image:
            out = io.BytesIO()
            change(image).save(out, image.format or "PNG")
        files[path] = out.getvalue()
    return Planted(Clean(clean.name, files=files), rows=rows_of(clean, chosen))


def _size(content: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return image.size


def _choose(clean: Clean, count: int, rng: np.random.Generator) -> set[str]:
    paths = sorted(clean.files)
    return {paths[k] for k in rng.choice(len(paths), min(count, len(paths)), replace=False)}


def rows_of(clean: Clean, chosen: set[str]) -> dict[str, frozenset[int]]:
    """Positions of some files in stored order, by split: ``split/class/name``, ``class/name`` or ``split/name``."""
    by_split: dict[str, list[str]] = {}
    splits = vocabulary.split_folders(sorted({path.split("/")[0] for path in clean.files if "/" in path})) is not None
    for path in sorted(clean.files, key=lambda path: path.split("/")):
        folder, *below = path.split("/")
        split = vocabulary.split_of(folder) or folder
        by_split.setdefault(split if len(below) > (0 if splits else 1) else WHOLE, []).append(path)
    found = {split: frozenset(k for k, path in enumerate(paths) if path in chosen) for split, paths in by_split.items()}
    return {split: rows for split, rows in found.items() if rows}


def break_shards(clean: Clean, strength: float, rng: np.random.Generator) -> Planted:
    """Write the tables as Parquet shards and spoil one of four, half of them at full strength."""
    split, shards = training(clean), 4
    spoilt = rng.choice(shards, max(1, round(shards / 2 * strength)), replace=False)
    kind = str(rng.choice(["cut", "empty", "pointer"]))
    files: dict[str, bytes] = {}
    faulty = set()
    for name, table in clean.tables.items():
        for k in range(shards):
            path = f"{name}-{k:05d}.parquet"
            part = table.iloc[len(table) * k // shards : len(table) * (k + 1) // shards]
            files[path] = part.to_parquet(None, index=False)
            if name == split and k in spoilt:
                files[path] = {"cut": files[path][: len(files[path]) // 2], "empty": b"", "pointer": POINTER}[kind]
                faulty.add(path)
    data = Clean(clean.name, label=clean.label, files=files)
    return Planted(data, files=frozenset(faulty))
