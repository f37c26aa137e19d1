"""Loaders and data sets in words, as evidence tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datalint.sources.files import printable
from datalint.sources.objects.draw import (
    MAX_STREAM,
    is_endless,
    is_stream,
)


def describe(value: Any) -> str:
    """An object in words: what it is, how it draws, over what."""
    if not hasattr(value, "batch_size"):
        return named(value) + (f", read up to {MAX_STREAM:,} samples" if is_endless(value) else "")
    size = own_batch_size(value)
    sampler = type(sampler_of(value)).__name__ if sampler_of(value) is not None else ""
    order = {
        "SequentialSampler": "not shuffled",
        "RandomSampler": "shuffled",
        "": "in its own order",
    }.get(sampler, f"in the order of its {sampler}")
    if is_stream(value.dataset):
        order = "in the order of its stream" + (f", read up to {MAX_STREAM:,} samples" if is_endless(value) else "")
    dropped = ", the last incomplete one dropped" if getattr(value, "drop_last", False) else ""
    batches = f"of batches of {size:,}" if size else "of batches"
    return f"{_article(type(value).__name__)} {batches}, {order}{dropped}, over {named(value.dataset)}"


def named(value: Any) -> str:
    """A data set by its type and number of samples."""
    if is_subset(value) if not is_stream(value) else False:
        return f"a {type(value).__name__} of {len(value):,} of {named(value.dataset)}"
    name = _article(type(value).__name__)
    if hasattr(value, "features") and hasattr(value, "with_format"):
        name = f"a Hugging Face {type(value).__name__}"
    try:
        return f"{name} of {len(value):,} samples"
    except (TypeError, NotImplementedError):
        return name


def _article(name: str) -> str:
    spelt = name[1:2].isupper()  # MNIST is read letter by letter
    return f"an {name}" if name[:1] in ("AEFHILMNORSX" if spelt else "AEIOU") else f"a {name}"


def sampler_of(loader: Any) -> Any:
    """The sampler of a loader, or its batch sampler, or None."""
    batches = getattr(loader, "batch_sampler", None)
    return getattr(batches, "sampler", None) or (batches if batches is not None else getattr(loader, "sampler", None))


def own_batch_size(loader: Any) -> int | None:
    """Batch size of a loader or its batch sampler."""
    for owner in (loader, getattr(loader, "batch_sampler", None)):
        size = getattr(owner, "batch_size", None)
        if isinstance(size, int) and size > 0:
            return size
    return None


def is_subset(value: Any) -> bool:
    """Whether a data set is a selection from another one, as torch's ``Subset``."""
    return hasattr(value, "dataset") and hasattr(value, "indices") and len(value.indices) == len(value)


def class_names(value: Any) -> tuple[str, ...]:
    """The names of the classes 0..C-1 where a data set knows them."""
    classes = getattr(value, "classes", None)
    if isinstance(classes, (list, tuple)) and all(isinstance(name, str) for name in classes):
        return tuple(map(printable, classes))
    numbers = getattr(value, "class_to_idx", None)
    if isinstance(numbers, Mapping) and sorted(numbers.values()) == list(range(len(numbers))):
        return tuple(printable(str(name)) for name in sorted(numbers, key=numbers.__getitem__))
    inner = getattr(value, "dataset", None)
    return () if inner is None else class_names(inner)
