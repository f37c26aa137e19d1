"""Data sets in memory: data frames, arrays, pairs of inputs and labels, and mappings of splits to any of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.sources.arrays.bundles import Bundle, array_dataset, bundle_of
from datalint.sources.arrays.files import ArrayFile, NotLookedInto
from datalint.sources.objects.frames import FramePartition, arrow_table, frame_dataset, is_frame
from datalint.sources.objects.loaders import holds_loaders, loader_dataset, source_kind
from datalint.sources.objects.tabular import tabular

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FramePartition", "from_object"]

FORMS = (
    "a path, a data frame with label=, (X, y), an array of numbers, a list of records, a data set or loader of PyTorch or "
    "Hugging Face, or a mapping of splits to these"
)


@dataclass(frozen=True)
class _Frame:
    """A data frame, and the column that was given next to it as labels."""

    frame: Any
    label: str | None = None


@dataclass(frozen=True)
class _Arrays:
    inputs: NDArray[Any]
    labels: NDArray[Any] | None = None


def from_object(source: Any, label: str | None, splits: Mapping[str, Any] | None = None) -> list[Dataset]:
    """The data set that an object in memory is.

    Args:
        source: a data frame, an array, ``(X, y)``, a data set or loader of PyTorch or Hugging Face, or a mapping of split
            names to any of these; also a mapping of columns, of array names as an ``.npz`` file has them, or a data set
            as scikit-learn loads it.
        label: the label column of data frames.
        splits: more splits, by name.

    Raises:
        DatalintError: the object is none of these, or its parts do not fit together.
    """
    if source is None and not splits:
        raise DatalintError(f"there is nothing to scan: give {FORMS}")
    named: list[tuple[Any, Any]] = []
    loaders = holds_loaders(source) or bool(splits and holds_loaders(splits))
    source = source if loaders else _known(source)
    if isinstance(source, Bundle):
        return [_described(source)]
    if isinstance(source, Mapping) and not is_frame(source):
        named += source.items()
    elif source is not None:
        named.append(("train" if splits else WHOLE, source))
    named += (splits or {}).items()
    values = _by_split(named)
    if loaders:
        return [loader_dataset(values, label)]
    parts = {split: _plain(value) for split, value in values.items()}
    frames = {split: part for split, part in parts.items() if isinstance(part, _Frame)}
    if len(frames) == len(parts):
        beside = next((part.label for part in frames.values() if part.label), None)
        return [frame_dataset({s: f.frame for s, f in frames.items()}, label or beside, label is None and bool(beside))]
    if frames:
        raise DatalintError("give every split in the same form: some are data frames and some are not")
    return [_described(_bundle({split: part for split, part in parts.items() if isinstance(part, _Arrays)}))]


def _known(source: Any) -> Any:
    """A table as one that is read, and a mapping as one by split where it is one."""
    if not isinstance(source, Mapping) or is_frame(source):
        return tabular(source)
    if not source:
        raise DatalintError("there is no split to scan: the mapping is empty")
    return _known_mapping(source)


def _by_split(named: list[tuple[Any, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for raw, value in named:
        split = vocabulary.split_of(str(raw)) or str(raw)
        if split in values:
            raise DatalintError(f"two of the parts are the split {split!r}: give each split once")
        values[split] = value
    return values


def _known_mapping(source: Mapping[Any, Any]) -> Any:
    """Mappings that are not by split: scikit-learn's data sets, arrays by name, and plain columns."""
    if {"data", "target"} <= set(source):
        return source["data"], source["target"]
    plain = {str(name): value for name, value in source.items() if np.ndim(_quiet(value)) > 0}
    if len(plain) < len(source) or any(isinstance(value, tuple) or is_frame(value) for value in source.values()):
        return source
    arrays = {name: np.asarray(value) for name, value in plain.items()}
    bundle = bundle_of([_file(name, array) for name, array in arrays.items()])
    if bundle.inputs and bundle.labels and all(len(b.shape) > 1 for b in bundle.inputs.values()):
        return bundle
    columns = all(array.ndim == 1 for array in arrays.values()) and len({len(array) for array in arrays.values()}) == 1
    if columns and not all(vocabulary.split_of(name) for name in plain):
        import pandas as pd

        return pd.DataFrame(plain)
    return source


def _quiet(value: Any) -> Any:
    try:
        return np.asarray(value)
    except (ValueError, TypeError):
        return None


def _plain(value: Any) -> _Frame | _Arrays:
    """A frame, an array, or a pair of these; a frame with labels next to it becomes one frame."""
    value = tabular(value)
    if is_frame(value):
        return _Frame(value)
    pair = isinstance(value, tuple) or (isinstance(value, list) and all(hasattr(v, "shape") for v in value))
    if pair and len(value) == 2:
        inputs, labels = tabular(value[0]), value[1]
        if is_frame(inputs):
            return _beside(inputs, labels)
        return _Arrays(_array(inputs), np.asarray(labels))
    if pair and len(value) > 2:
        raise DatalintError(
            f"cannot tell what {len(value)} parts are; give a mapping of splits, {{'train': (X, y), ...}}"
        )
    return _Arrays(_array(value))


def _array(value: Any) -> NDArray[Any]:
    if source_kind(value) is not None:
        raise DatalintError(f"give the {type(value).__name__} alone, or by split: {{'train': ..., 'test': ...}}")
    array = _quiet(value)
    if array is None or array.dtype == object or array.ndim == 0:
        kind = type(value).__name__
        raise DatalintError(f"cannot scan an object of the type {kind}; give {FORMS}")
    return np.asarray(array)


def _beside(frame: Any, labels: Any) -> _Frame:
    """The frame with its labels as one more column."""
    if is_frame(labels) or np.ndim(_quiet(labels)) == 2:
        table = arrow_table(labels) if is_frame(labels) else None
        names = table.column_names if table is not None else ["label"] * np.shape(labels)[1]
        if len(names) != 1:
            raise DatalintError(f"{len(names)} labels per sample: only one each can be judged")
        wanted, values = names[0], table.column(0).to_pylist() if table is not None else np.asarray(labels)[:, 0]
    else:
        wanted, values = str(getattr(labels, "name", None) or "label"), labels
    if len(values) != len(frame):
        raise DatalintError(f"{len(values):,} labels for {len(frame):,} rows")
    taken = {str(column) for column in arrow_table(frame[:1]).column_names}
    name = wanted
    while name in taken:
        name += "_given"
    if not hasattr(frame, "iloc"):
        import pyarrow as pa

        table = pa.table(frame)
        return _Frame(table.append_column(name, pa.array(list(values))), name)
    joined = frame.copy(deep=False)
    joined.insert(frame.shape[1], name, np.asarray(values) if not isinstance(values, list) else values)
    return _Frame(joined, name)


def _bundle(parts: Mapping[str, _Arrays]) -> Bundle:
    bundle = Bundle(evidence="arrays in memory")
    for split, part in parts.items():
        ending = "" if split == WHOLE else f"_{split}"
        if part.labels is not None and part.labels.shape[:1] != part.inputs.shape[:1]:
            count = len(part.labels) if part.labels.shape else 1
            raise DatalintError(
                f"{'' if split == WHOLE else split + ': '}{count:,} labels for {len(part.inputs):,} inputs"
            )
        bundle.inputs[split] = _file(f"X{ending}", part.inputs)
        if part.labels is not None:
            bundle.labels[split] = _file(f"y{ending}", part.labels)
    return bundle


def _file(name: str, array: NDArray[Any]) -> ArrayFile:
    return ArrayFile(None, name, array.shape, array.dtype.str, array)


def _described(bundle: Bundle) -> Dataset:
    try:
        dataset = array_dataset("data", "memory", bundle, Storage.ARRAYS)
    except NotLookedInto as error:
        raise DatalintError(f"cannot scan this: {error}") from error
    if dataset.label is not None:
        dataset.label = Label("y", "given with the inputs", "certain")
    return dataset
