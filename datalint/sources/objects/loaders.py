"""Data sets and loaders of PyTorch, torchvision and Hugging Face, recognised by what they offer and not by their class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Dataset, Field, Split, split_order
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.sources.objects.hugging_face import hugging_face_parts
from datalint.sources.objects.torch import torch_parts

if TYPE_CHECKING:
    from datalint.sources.objects.part import Part, Source


def source_kind(value: Any) -> Source | None:
    """What kind of loader or data set an object is; None for arrays, frames and plain Python values.

    Raises:
        DatalintError: an iterator, which can be read only once.
    """
    if hasattr(value, "features") and hasattr(value, "with_format"):
        return "hugging-face"
    if isinstance(value, (str, bytes, Sequence, Mapping, set, frozenset, type)) or value is None:
        return None
    if any(hasattr(value, name) for name in ("__array__", "__arrow_c_stream__", "__dataframe__", "iloc", "dtype")):
        return None
    if hasattr(value, "__next__"):
        raise DatalintError(
            f"a {type(value).__name__} can be read only once, and a scan would use it up: "
            "give the data set or loader that it comes from"
        )
    if hasattr(value, "dataset") and hasattr(value, "__iter__") and hasattr(value, "batch_size"):
        return "loader"
    if hasattr(value, "__getitem__") and hasattr(value, "__len__"):
        return "data set"
    return "stream" if hasattr(value, "__iter__") else None


def holds_loaders(value: Any) -> bool:
    """Whether this is a loader or data set, or a mapping of splits to these."""
    if isinstance(value, Mapping):
        return bool(value) and any(source_kind(item) is not None for item in value.values())
    return source_kind(value) is not None


def loader_dataset(parts: Mapping[str, Any], label: str | None) -> Dataset:
    """One data set of one or several loaders or data sets, by split.

    Raises:
        DatalintError: one of them is empty, cannot be read, or does not go with the others.
    """
    kinds = {split: source_kind(value) for split, value in parts.items()}
    strange = [split for split, kind in kinds.items() if kind is None]
    if strange:
        raise DatalintError(
            f"give every split in the same form: {strange[0]!r} is a {type(parts[strange[0]]).__name__} "
            "and others are data sets or loaders"
        )
    ordered = {split: parts[split] for split in sorted(parts, key=split_order)}
    if all(kind == "hugging-face" for kind in kinds.values()):
        found = hugging_face_parts(ordered, label)
    else:
        found = torch_parts(ordered, kinds, label)
    return _joined(found)


def _joined(parts: Mapping[str, Part]) -> Dataset:
    first_split, first = next(iter(parts.items()))
    for split, part in parts.items():
        if part.modality != first.modality:
            raise DatalintError(
                f"the split {first_split!r} holds {_what(first)} and {split!r} {_what(part)}: scan them apart"
            )
    fields: dict[str, Field] = {}
    for part in parts.values():
        for item in part.fields:
            fields.setdefault(item.name, item)
    labelled = [part for part in parts.values() if part.label is not None]
    drawn = "train" in parts and len(parts) > 1
    return Dataset(
        name="data",
        path="memory",
        layout=first.seen if len(parts) == 1 else f"{first.seen}, and {len(parts) - 1} more, one per split",
        modality=first.modality,
        evidence=first.seen,
        partitions=[partition for part in parts.values() for partition in part.partitions],
        splits=tuple(
            Split(
                split,
                part.seen,
                part.shape,
                part.columns,
                trains=split == "train" or not drawn or not part.batch_size,
                augmented=part.augmented,
                loaded=part.loaded,
            )
            for split, part in parts.items()
        ),
        label=labelled[0].label if labelled else None,
        fields=tuple(fields.values()),
        problems=[problem for part in parts.values() for problem in part.problems],
        by_class=all(part.by_class for part in parts.values()),
        skipped_label=first.why_no_label or "no label found in the items",
        task=first.task,
        annotations=first.annotations,
        conversation=first.conversation,
        batch_size=first.batch_size,
        redrawn=any(part.redrawn for part in parts.values()),
        storage=Storage.MEMORY,
    )


def _what(part: Part) -> str:
    return "pictures" if part.modality == "images" else "a table"
