"""What data sets of PyTorch and torchvision keep in attributes: tensors, arrays, lists of files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import Field, Label
from datalint.sources.arrays.bundles import MAX_COLUMNS
from datalint.sources.arrays.files import ArrayFile, ArrayPartition, column_names, grey_scale, layout_of
from datalint.sources.files import Entry
from datalint.sources.images.decode import SUFFIXES
from datalint.sources.images.files import image_partitions
from datalint.sources.objects.draw import (
    is_stream,
)
from datalint.sources.objects.items import (
    array_of,
    is_array,
    why_no_label,
)
from datalint.sources.objects.part import Part
from datalint.sources.objects.words import class_names, describe, is_subset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from datalint.core.terms import Modality


_PICTURES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


@dataclass
class Kept:
    """What a data set keeps: arrays, or files, with labels."""

    where: str
    """The attributes, as messages name them."""
    inputs: NDArray[Any] | None = None
    files: Sequence[str] | None = None
    labels: NDArray[Any] | None = None
    why_no_label: str = ""
    classes: tuple[str, ...] = ()


def stored_in(value: Any) -> Kept | None:
    """What can be read from a data set's attributes without asking for single items; None if nothing can."""
    if is_stream(value):
        return None
    if is_subset(value):
        inner = stored_in(value.dataset)
        if inner is None:
            return None
        rows = np.asarray(value.indices, np.int64)
        if inner.files is not None:
            inner.files = [inner.files[k] for k in rows]
        elif inner.inputs is not None:
            inner.inputs = inner.inputs[rows]
        inner.labels = None if inner.labels is None else inner.labels[rows]
        return inner
    return _files(value) or _tensors(value) or _arrays(value)


def _files(value: Any) -> Kept | None:
    """Folders of image files: ``samples`` holds a path and a class number each."""
    samples = getattr(value, "samples", None)
    if not isinstance(samples, list) or len(samples) != len(value) or not samples:
        return None
    if not all(isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], (str, Path)) for item in samples):
        return None
    paths = [os.fspath(path) for path, _ in samples]
    if not all(os.path.splitext(path)[1].lower() in _PICTURES for path in paths):  # noqa: PTH122 - a Path each is slow
        return None
    labels = np.array([number for _, number in samples])
    if labels.dtype.kind not in "iu":
        return None
    return Kept("samples", files=paths, labels=labels, classes=class_names(value))


def _tensors(value: Any) -> Kept | None:
    """Tensors side by side, inputs first."""
    tensors = getattr(value, "tensors", None)
    if not isinstance(tensors, (tuple, list)) or not tensors or not all(map(is_array, tensors)):
        return None
    arrays = [array_of(tensor) for tensor in tensors]
    found = Kept("tensors", inputs=arrays[0], why_no_label="it holds a single tensor")
    for array in arrays[1:]:
        reason = why_no_label(array)
        if reason is None:
            found.labels, found.why_no_label = array, ""
            break
        found.why_no_label = reason
    return found if _sound(found) else None


def _arrays(value: Any) -> Kept | None:
    """An array of inputs next to one of labels, as torchvision keeps small sets."""
    inputs = getattr(value, "data", None)
    name = next((n for n in ("targets", "labels") if getattr(value, n, None) is not None), None)
    if name is None or not is_array(inputs):
        return None
    raw = getattr(value, name)
    try:
        array, labels = array_of(inputs), array_of(raw) if is_array(raw) else np.asarray(raw)
    except (TypeError, ValueError, RuntimeError):
        return None
    found = Kept(f"data and {name}", inputs=array, classes=class_names(value))
    reason = why_no_label(labels)
    found.labels, found.why_no_label = (labels, "") if reason is None else (None, reason)
    if not len(array) == len(labels) == len(value):
        return None
    return found if _sound(found) else None


def _sound(found: Kept) -> bool:
    array = found.inputs
    if array is None or array.ndim == 0 or array.size == 0 or array.dtype.kind not in "iufb":
        return False
    pictures = layout_of(array.shape, array.dtype) != "table"
    return pictures or int(np.prod(array.shape[1:], dtype=np.int64)) <= MAX_COLUMNS


def stored_part(split: str, value: Any, stored: Kept, name: str, scale: tuple[float, float] | None) -> Part:
    """The split that these attributes make; ``scale`` brings pixel values to 0..255 where an earlier split says it."""
    kind = describe(value)
    transformed = _transform(value)
    seen = f"{kind}, read from its {stored.where}" + (" before its transforms" if transformed else "")
    beside = f"the labels beside the {stored.where.split(' ')[0]}"
    label = None if stored.labels is None else Label("target", beside, "certain")
    if stored.files is not None and stored.labels is not None:
        classes = [stored.classes[k] if k < len(stored.classes) else str(k) for k in stored.labels.tolist()]
        entries = [Entry(str(path), (str(path),), _size(path)) for path in stored.files]
        return Part(
            seen,
            "images",
            image_partitions(split, entries, classes),
            label,
            by_class=bool((np.diff(stored.labels) >= 0).all()),
        )
    assert stored.inputs is not None
    array = stored.inputs
    layout = layout_of(array.shape, array.dtype)
    own = scale or (grey_scale(array[:256]) if layout != "table" else (0.0, 1.0))
    inputs = ArrayFile(None, name, array.shape, array.dtype.str, array)
    labels = stored.labels
    y = None if labels is None else ArrayFile(None, "targets", labels.shape, labels.dtype.str, labels)
    partition = ArrayPartition(split, inputs, y, layout, own, stored.classes)
    fields: tuple[Field, ...] = ()
    if layout == "table":
        width = int(np.prod(array.shape[1:], dtype=np.int64))
        fields = tuple(Field(column, "number", "feature", array.dtype.str) for column in column_names(width))
    modality: Modality = "table" if layout == "table" else "images"
    return Part(seen, modality, [partition], label, fields, stored.why_no_label, array.shape)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0  # reading it tells why


def _transform(value: Any) -> bool:
    names = ("transform", "transforms", "target_transform")
    inner = getattr(value, "dataset", None)
    return any(getattr(value, name, None) is not None for name in names) or (inner is not None and _transform(inner))
