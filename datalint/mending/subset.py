"""``datalint subset``: the small, clean, balanced set that a model must be able to learn by heart."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import datalint
from datalint import api
from datalint.core.errors import DatalintError
from datalint.core.staging import Target
from datalint.core.wording import counted
from datalint.core.writing import safe_name
from datalint.mending import tables
from datalint.mending.stored import only, places
from datalint.report import wording
from datalint.report.escape import clean, guard
from datalint.sources.remote.path import local

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from datalint.core.dataset import Dataset
    from datalint.mending.stored import Places, Stored
    from datalint.report.models import Report

LOG: Final = "subset-log.json"
SCHEMA: Final = "datalint-subset/1"


@dataclass(frozen=True)
class Subset:
    """What was written."""

    classes: dict[str, int]
    short: tuple[str, ...]
    """Classes of which there were fewer clean samples than asked for."""
    mild: int
    """Samples among them that an info finding names, where others would not do."""
    named: int
    """Samples of the split that a warning or error names, and that were passed over."""
    split: str
    written: tuple[str, ...]

    def __str__(self) -> str:
        """For a terminal."""
        counts = [f"{name!r} ({count:,})" for name, count in self.classes.items()]
        total = sum(self.classes.values())
        lines = [
            f"{counted(total, 'sample')}{'' if self.split == 'all' else f' of {self.split}'} in {counted(len(counts), 'class')}: "
            f"{wording.listing(counts, 12)}",
            f"passed over: {counted(self.named, 'sample')} that a warning or an error names",
        ]
        if self.short:
            lines.append(
                f"fewer than asked for, since there are no more that are clean: {wording.listing([*self.short], 8)}"
            )
        if self.mild:
            lines.append(f"{counted(self.mild, 'sample')} of these are named by findings of severity info")
        lines += [
            "train on it until the loss is near zero: a model that cannot learn it has a bug",
            f"written: {', '.join(self.written)}",
        ]
        return "".join(guard(clean(line, 600)) + "\n" for line in lines)


def subset(
    source: str | Path,
    out: str | Path,
    *,
    per_class: int | None = None,
    classes: Sequence[str] = (),
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> Subset:
    """Write a small set without the samples that findings name, in random order.

    Args:
        source: a table, a folder of tables, or class folders of images.
        out: the folder to write: a CSV file, or class folders; it must not exist or be empty.
        per_class: samples of each class; all clean ones if not given.
        classes: the classes to take; all if empty.
        label: the label column; recognised if not given.
        splits: glob patterns by split.
        seed: of the choice.
        force: replace what an earlier run wrote to ``out``.
        progress: told how far the reading is.

    Raises:
        DatalintError: the job cannot be done; nothing was written.
    """
    path = local(source, "subset")
    if per_class is None and not classes:
        raise DatalintError("say how small: --per-class N, --classes A,B or both")
    if per_class is not None and per_class < 1:
        raise DatalintError(f"{per_class} samples per class: it must be at least 1")
    target = Target(Path(out), path, force)
    dataset = only(api.detect(path, label=label, splits=splits), path, "take a subset of")
    if dataset.label is None:
        raise DatalintError(f"{path} has no label, so it has no classes to choose from; name the column with --label")
    where = places(dataset, path)
    split = "train" if "train" in where.splits else max(where.splits, key=lambda name: len(where.splits[name].label))
    stored = where.splits[split]
    by_class = _by_class(stored, classes)
    report = api.scan(path, label=label, splits=splits, progress=progress)
    (found,) = report.datasets
    if found.label is None or found.label.task != "classification":
        raise DatalintError(
            f"the label {dataset.label.name!r} of {path} is a number to be predicted: there are no classes"
        )
    bad, mild = _named(report, split)
    chosen = _choose(by_class, per_class, bad, mild, np.random.default_rng(seed))
    counts = {name: len(rows) for name, rows in chosen.items()}
    order = np.random.default_rng([seed, 1]).permutation(np.concatenate([*chosen.values()]))
    record = {
        "schema": SCHEMA,
        "tool": {"name": "datalint", "version": datalint.__version__},
        "source": clean(path.as_posix()),
        "split": split,
        "seed": seed,
        "classes": counts,
        "positions": [int(k) for k in order],
    }
    with target.stage(path.resolve().name or "data") as stage:
        if dataset.modality == "images":
            _copy(path, stage, where, stored, order)
        else:
            _write(dataset, stage / f"{safe_name(dataset.name or 'subset')}.csv", stored, order)
        target.publish(stage, LOG, record)
    return Subset(
        counts,
        tuple(f"{name} ({count:,})" for name, count in counts.items() if per_class and count < per_class),
        len(mild & {int(k) for k in order}),
        len(bad),
        split,
        (f"{out}/", f"{out}/{LOG}"),
    )


def _named(report: Report, split: str) -> tuple[set[int], set[int]]:
    """Positions that a warning or error names, and those that only an info finding does."""
    bad: set[int] = set()
    mild: set[int] = set()
    for finding in report.findings:
        mine = bad if finding.severity != "info" or finding.part_of else mild
        mine.update(s.index for s in report.samples(finding) if s.split == split)
    return bad, mild - bad


def _by_class(stored: Stored, classes: Sequence[str]) -> dict[str, list[int]]:
    """Positions by class, of the wanted classes in their order."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(stored.label):
        if name is not None:
            found.setdefault(name, []).append(index)
    unknown = [name for name in classes if name not in found]
    if unknown:
        known = wording.listing([repr(name) for name in sorted(found)], 12) or "none"
        raise DatalintError(f"there is no class {unknown[0]!r}; there are {known}")
    return {name: found[name] for name in dict.fromkeys(classes or sorted(found))}


def _choose(
    by_class: Mapping[str, list[int]], per_class: int | None, bad: set[int], mild: set[int], rng: np.random.Generator
) -> dict[str, list[int]]:
    """Positions by class; clean ones first, then such as only an info finding names."""
    chosen = {}
    for name, rows in by_class.items():
        good = [index for index in rows if index not in bad]
        if not good:
            raise DatalintError(
                f"every sample of the class {name!r} is named by a warning or an error: mend the data first"
            )
        drawn = [good[int(k)] for k in rng.permutation(len(good))]
        drawn.sort(key=lambda index: index in mild)
        chosen[name] = drawn[:per_class]
    return chosen


def _write(dataset: Dataset, path: Path, stored: Stored, order: Any) -> None:
    loaded = tables.load(dataset)
    names = list(dict.fromkeys(name for table in loaded for name in table.names))
    rows: list[list[Any]] = [[] for _ in order]
    for number, table in enumerate(loaded):
        mine = [k for k, index in enumerate(order) if int(stored.file[index]) == number]
        if not mine:
            continue
        picked = table.picked([int(stored.row[order[k]]) for k in mine], table.names)
        cells = [picked.column(name).to_pylist() if name in table.names else [None] * len(mine) for name in names]
        for k, *values in zip(mine, *cells, strict=True):
            rows[k] = values
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    path.write_bytes(stream.getvalue().encode("utf-8", "replace"))


def _copy(root: Path, stage: Path, where: Places, stored: Stored, order: Any) -> None:
    """The files below folders of their classes; a number is added where two of a class have one name."""
    for index in order:
        name, label = where.files[int(stored.file[index])], stored.label[index]
        folder = stage / safe_name(str(label))
        folder.mkdir(exist_ok=True)
        goal = folder / PurePosixPath(name).name
        number = 1
        while goal.exists():
            goal = folder / f"{PurePosixPath(name).stem}_{number}{goal.suffix}"
            number += 1
        shutil.copyfile(root / name, goal)
