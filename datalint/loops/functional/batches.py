"""Batches of NumPy arrays: what loaders of any kind give, and how a batch may be handed to a model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from datalint.core import hashing
from datalint.core.errors import DatalintError
from datalint.loops.functional.network import Arguments
from datalint.loops.limits import BATCHES, TARGETS
from datalint.loops.randomness import seed_all
from datalint.sources.objects.draw import not_used_up, said


def mapped(value: Any, change: Callable[[np.ndarray], Any]) -> Any:
    """The same nesting with every array changed; arrays of all frameworks count."""
    if isinstance(value, Mapping):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(item, change) for item in value)
    array = array_of(value)
    return value if array is None else change(array)


def array_of(value: Any) -> np.ndarray | None:
    """An array of numbers, of whatever framework it is; None for anything else."""
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    if array.dtype.kind == "V" or "bfloat" in str(array.dtype):
        array = array.astype(np.float32)
    return array if array.dtype.kind in "biuf" else None


def arrays_in(value: Any) -> list[np.ndarray]:
    """All arrays, in order."""
    found: list[np.ndarray] = []

    def keep(array: np.ndarray) -> np.ndarray:
        found.append(array)
        return array

    mapped(value, keep)
    return found


def taken(value: Any, rows: Any, size: int) -> Any:
    """Some samples; what has no axis of samples stays."""

    def take(array: np.ndarray) -> np.ndarray:
        if array.ndim and array.shape[0] == size:
            return array[rows]
        return array[:, rows] if array.ndim > 1 and array.shape[1] == size else array

    return mapped(value, take)


def fingerprint(value: Any) -> int:
    """A hash of all arrays."""
    parts = (str((a.shape, a.dtype.str)).encode() + np.ascontiguousarray(a).tobytes() for a in arrays_in(value))
    return int(hashing.bytes_hash(b"".join(parts)))


def draw(loader: Any, limit: int = BATCHES) -> tuple[list[Any], bool]:
    """The first batches, and whether there are no more.

    Raises:
        DatalintError: there are none, or the loader cannot be read twice.
    """
    batches: list[Any] = []
    for batch in _first(loader, limit + 1):
        if len(batches) == limit:
            return batches, False
        batches.append(mapped(batch, lambda array: array.copy()))
    if not batches:
        raise DatalintError("the loader gives no batch; give one whose data set holds samples")
    if not arrays_in(batches[0]):
        kind = type(batches[0]).__name__
        raise DatalintError(
            f"the loader gives batches of the type {kind} without an array in them; a batch holds arrays"
        )
    return batches, True


def _first(loader: Any, limit: int) -> Iterator[Any]:
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(loader, torch.utils.data.DataLoader):
        from datalint.loops.torch.batches import first_batches

        yield from (batch for batch, _ in first_batches(loader, limit))
        return
    if array_of(loader) is not None or not (hasattr(loader, "__iter__") or hasattr(loader, "__getitem__")):
        raise DatalintError(f"a loader gives batches one after the other; {type(loader).__name__} does not")
    # Data sets of Keras are read by number, so that no process of theirs begins.
    numbered = not isinstance(loader, (Mapping, Sequence)) and hasattr(loader, "__getitem__")
    numbered = numbered and hasattr(loader, "__len__")
    if not isinstance(loader, Sequence) and not numbered:
        not_used_up(loader, "the loader")
    seed_all(0)
    try:
        source = (loader[k] for k in range(len(loader))) if numbered else iter(loader)
        for number, batch in enumerate(source):
            if number >= limit:
                return
            yield batch
    except DatalintError:
        raise
    except Exception as error:  # a loader runs its owner's code
        raise DatalintError(f"the loader fails: {said(error)}") from error


def ways(batch: Any, *, weighted: bool) -> list[Arguments]:
    """How a batch may be handed to a model; ``weighted``: a third part holds weights of samples, as in Keras."""
    if isinstance(batch, Mapping):
        key = next((key for key in TARGETS if key in batch), None)
        rest = {k: v for k, v in batch.items() if k != key}
        target = batch.get(key) if key is not None else batch
        found = [
            Arguments((rest,), {}, target, batch),
            Arguments((), rest, target, batch),
            Arguments(tuple(rest.values()), {}, target, batch),
            Arguments((batch,), {}, target, batch),
        ]
        return found if weighted else [found[1], found[0], *found[2:]]
    if not isinstance(batch, (list, tuple)):
        return [Arguments((batch,), {}, batch, batch)]
    if len(batch) == 1:
        return [Arguments((batch[0],), {}, batch[0], batch)]
    first, last = batch[0], batch[-1]
    if weighted:
        return [Arguments((first,), {}, batch[1], batch), Arguments((tuple(batch[:-1]),), {}, last, batch)]
    nested = []
    if isinstance(first, Mapping):
        nested = [Arguments((), first, last, batch)]
    elif isinstance(first, (list, tuple)):
        nested = [Arguments(tuple(first), {}, last, batch)]
    return [
        *nested,
        Arguments(tuple(batch[:-1]), {}, last, batch),
        Arguments((first,), {}, batch[1] if len(batch) == 2 else tuple(batch[1:]), batch),
    ]
