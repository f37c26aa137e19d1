"""From a recognised data set to one in memory into which rules can plant their fault.

Tables hold the rows that a scan sees, with their columns in order and of the types they have; image files are taken as
they are. Large data is thinned evenly, or refused where all of it is needed.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.clean import Clean
from datalint.core.dataset import split_order
from datalint.core.errors import DatalintError
from datalint.core.vocabulary import WHOLE
from datalint.core.writing import safe_name
from datalint.sources.arrays.files import ArrayPartition, column_names
from datalint.sources.files import reason
from datalint.sources.images.files import ImagePartition
from datalint.sources.objects.frames import FramePartition
from datalint.sources.sounds.files import SoundFiles
from datalint.sources.tables.beside import BesidePartition
from datalint.sources.tables.convert import UNASSIGNED
from datalint.sources.tables.format import TablePartition
from datalint.sources.tables.several_labels import LIST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from datalint.core.dataset import Dataset, Field, Partition
    from datalint.sources.tables.convert import TablePlan

MAX_BYTES = 1 << 30
"""Bytes of files that are taken into memory whole."""

MAX_ROWS = 5_000_000
THINNED_BYTES = 512 << 20
"""Of larger tables that may be thinned, partitions spread evenly over them are read."""

PARTS = 4

_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclass(frozen=True)
class Loaded:
    """A data set in memory."""

    clean: Clean
    taken: int
    """Samples in it."""
    total: int | None
    """Samples of the original; None where not all of it was read."""
    folders: Mapping[str, str]
    """First folders of image files as the original calls them, where that differs."""


def load(dataset: Dataset, *, samples: int | None = None, seed: int = 0) -> Loaded:
    """Take a data set into memory.

    Args:
        dataset: as a source recognised it.
        samples: how many samples to keep at most, drawn evenly and left in their order; None for all.
        seed: of the drawing.

    Raises:
        DatalintError: it cannot be read, holds no samples, or is too large to be taken whole.
    """
    size = sum(partition.weight for partition in dataset.partitions)
    if samples is None and size > MAX_BYTES:
        raise DatalintError(
            f"{dataset.path} holds {size / 1e9:,.1f} GB: at most {MAX_BYTES / 1e9:,.1f} GB can be taken into memory; "
            "give a part of it"
        )
    rng = np.random.default_rng(seed)
    try:
        if dataset.modality != "table":
            return _images(dataset, samples, rng)
        return _tables(dataset, samples, rng, size)
    except (OSError, ValueError, EOFError) as error:
        raise DatalintError(f"{dataset.path} cannot be read whole: {reason(error)}") from error


# --- images ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """One image file and where it lies in the copy."""

    path: Path
    place: str
    split: str


def _images(dataset: Dataset, samples: int | None, rng: np.random.Generator) -> Loaded:
    found: dict[str, _File] = {}
    folders: dict[str, str] = {}
    several = len(dataset.splits) > 1
    for partition in dataset.partitions:
        if not isinstance(partition, (ImagePartition, SoundFiles)):
            raise DatalintError(
                f"{dataset.path} holds pictures as arrays: faults are planted into tables and folders of image files"
            )
        for k, name in enumerate(partition.files):
            path = partition.base / name
            class_ = None if partition.classes is None else partition.classes[k]
            within = _within(path, dataset.path)
            parts = [safe_name(part) for part in (partition.split if several else None, class_) if part is not None]
            place = "/".join([*parts, safe_name(_flat(within, several, class_))])
            if place in found:
                place = "/".join([*parts, safe_name("__".join(within))])
            found[place] = _File(path, place, partition.split)
            if several and len(within) > 1:
                # Two folders of one split become one.
                folders.setdefault(safe_name(partition.split), safe_name(within[0]))
    kept = _kept([file.split for file in found.values()], samples, rng)
    chosen = [file for file, keep in zip(found.values(), kept, strict=True) if keep]
    if not chosen:
        raise DatalintError(f"{dataset.path} holds no image that could be taken")
    files = {file.place: file.path.read_bytes() for file in chosen}
    renamed = {split: folder for split, folder in folders.items() if folder != split}
    return Loaded(Clean(dataset.name, files=files), len(files), len(found), renamed)


def _within(path: Path, root: str) -> tuple[str, ...]:
    """The path below the data set's folder."""
    try:
        return path.relative_to(Path.cwd() / root).parts
    except ValueError:
        return (path.name,)


def _flat(within: Sequence[str], several: bool, class_: str | None) -> str:
    """The name of a file below its class folder; folders below that become part of it."""
    below = within[1:] if several and len(within) > 1 else within
    if class_ is not None and class_ in below[:-1]:
        below = below[list(below).index(class_) + 1 :]
    return "__".join(below)


# --- tables ---------------------------------------------------------------------------------------------------------


def _tables(dataset: Dataset, samples: int | None, rng: np.random.Generator, size: int) -> Loaded:
    partitions = list(dataset.partitions)
    whole = samples is None or size <= THINNED_BYTES or len(partitions) <= PARTS
    if not whole:
        partitions = [partitions[len(partitions) * k // PARTS] for k in range(PARTS)]
    parts: dict[str, list[pd.DataFrame]] = {}
    for partition in partitions:
        for split, table in _read(partition).items():
            parts.setdefault(split, []).append(table)
    import pandas as pd

    tables = {
        split: pd.concat(parts[split], ignore_index=True) if len(parts[split]) > 1 else parts[split][0]
        for split in sorted(parts, key=split_order)
    }
    total = sum(map(len, tables.values()))
    if total == 0:
        raise DatalintError(f"{dataset.path} holds no rows")
    if samples is None and total > MAX_ROWS:
        raise DatalintError(
            f"{dataset.path} holds {total:,} rows: at most {MAX_ROWS:,} can be taken; give a part of it"
        )
    if samples is not None and total > samples:
        kept = _kept([split for split, table in tables.items() for _ in range(len(table))], samples, rng)
        start = 0
        for split, table in tables.items():
            tables[split] = table[kept[start : start + len(table)]]
            start += len(table)
    kinds = {field.name: field for field in dataset.fields}
    tables = {split: _typed(table.reset_index(drop=True), kinds) for split, table in tables.items() if len(table)}
    if len(tables) == 1:
        tables = {WHOLE: next(iter(tables.values()))}
    label = None if dataset.label is None else _label_name(dataset)
    plan: TablePlan | None = getattr(dataset.partitions[0], "plan", None) if dataset.task == "multi-label" else None
    joint = plan.several.joint if plan and plan.several else ""
    if plan is not None and joint in {"", LIST}:
        label, joint = None, ""  # no rule plants into several columns, or into lists
    clean = Clean(dataset.name, tables, label, joint=joint)
    return Loaded(clean, sum(map(len, tables.values())), total if whole else None, {})


def _label_name(dataset: Dataset) -> str:
    """The label's column in the copy."""
    assert dataset.label is not None
    arrays = any(isinstance(partition, ArrayPartition) for partition in dataset.partitions)
    return "y" if arrays else dataset.label.name


def _read(partition: Partition) -> dict[str, pd.DataFrame]:
    """The rows of one partition by split, as they are stored."""
    if isinstance(partition, ArrayPartition):
        return {partition.split: _array_rows(partition)}
    table, plan = _rows(partition)
    for name in table.columns:
        if table[name].dtype.name == "category":
            table[name] = table[name].astype(table[name].cat.categories.dtype)
    if plan.split_column is None:
        return {plan.split or WHOLE: table}
    # The split column has said what it has to say.
    said = table.pop(plan.split_column).astype(str).str.strip().map(dict(plan.split_values)).fillna(UNASSIGNED)
    return {str(split): table[said == split] for split in said.unique()}


def _rows(partition: Partition) -> tuple[pd.DataFrame, TablePlan]:
    """All rows of one partition, and what its columns are."""
    if isinstance(partition, TablePartition):
        return _stored(partition), partition.plan
    if isinstance(partition, FramePartition):
        return partition.table.to_pandas(strings_to_categorical=False), partition.plan
    if isinstance(partition, BesidePartition):
        table, plan = _rows(partition.inputs)
        for side in partition.sides:
            beside, own = _rows(side)
            known = {field.name for field in own.fields} | {own.label}
            if len(beside) == len(table):
                table = table.assign(**{n: beside[n] for n in beside.columns if n in known and n not in table.columns})
        return table, plan
    raise DatalintError(f"samples of this kind ({partition.sample_id(0)}) cannot be taken into memory")


def _stored(partition: TablePartition) -> pd.DataFrame:
    """The rows of a file as the scan sees them, numbers where the plan says so."""
    import pyarrow as pa

    kinds = {field.name: field.kind for field in partition.plan.fields}
    names = [name for name in partition.names if name in kinds]
    # Fields of structures are columns of their own.
    names += [
        n for n, kind in kinds.items() if n not in names and kind != "other" and n.partition(".")[0] in partition.names
    ]
    batches = list(partition.raw_rows(names))
    if not batches:
        import pandas as pd

        return pd.DataFrame(columns=names)
    table = pa.Table.from_batches(batches)
    columns = {name: table.column(name) for name in names}
    typed = {name: _numbers(column) if kinds[name] == "number" else column for name, column in columns.items()}
    found: pd.DataFrame = pa.table(typed).to_pandas(ignore_metadata=True)
    return found


def _numbers(column: Any) -> Any:
    """A column of texts as whole numbers or others; itself if it holds anything else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column
    texts = pc.utf8_trim_whitespace(column)
    for kind in (pa.int64(), pa.float64()):
        with contextlib.suppress(pa.ArrowInvalid):
            return texts.cast(kind)
    with contextlib.suppress(ValueError):  # Arrow reads no plus sign
        return pa.array([None if text is None else float(text) for text in texts.to_pylist()])
    return column


def _array_rows(partition: ArrayPartition) -> pd.DataFrame:
    import pandas as pd

    values = np.concatenate([np.asarray(block) for block in partition.inputs.rows(1 << 16)])
    flat = values.reshape(len(values), -1)
    table = pd.DataFrame(flat, columns=list(column_names(flat.shape[1])))
    if partition.labels is not None:
        labels = np.concatenate([np.asarray(block) for block in partition.labels.rows(1 << 20)])
        if labels.ndim == 2:
            labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
        table["y"] = labels
    return table


def _typed(table: pd.DataFrame, fields: Mapping[str, Field]) -> pd.DataFrame:
    """Times and truth values in their own types, where every cell is one."""
    import pandas as pd

    for name in table.columns:
        field = fields.get(name)
        if field is None or not pd.api.types.is_string_dtype(table[name]):
            continue
        if field.kind == "time":
            moments = pd.to_datetime(table[name], errors="coerce", format="ISO8601")
            if moments.isna().equals(table[name].isna()):
                table[name] = moments
        elif field.dtype == "bool" and set(table[name].unique()) <= _TRUTH.keys():
            table[name] = table[name].map(_TRUTH)
    return table


def _kept(splits: Sequence[str], samples: int | None, rng: np.random.Generator) -> Any:
    """Which samples to keep: of each split its share, so that none is lost."""
    kept = np.ones(len(splits), np.bool_)
    if samples is None or len(splits) <= samples:
        return kept
    names = np.asarray(splits, dtype=object)
    kept[:] = False
    for split in dict.fromkeys(splits):
        rows = np.flatnonzero(names == split)
        count = min(len(rows), max(1, round(samples * len(rows) / len(splits))))
        kept[rng.choice(rows, count, replace=False)] = True
    return kept
