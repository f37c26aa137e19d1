"""Batches of any nesting: moving, cutting and comparing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from datalint.core import hashing
from datalint.core.errors import DatalintError
from datalint.loops.limits import BATCHES
from datalint.loops.randomness import seed_all
from datalint.sources.objects.draw import is_stream, not_used_up, recorded, said

if TYPE_CHECKING:
    from collections.abc import Iterator


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same nesting with every tensor changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return change(torch.as_tensor(value))
    if isinstance(value, Mapping):
        items = {key: mapped(item, change) for key, item in value.items()}
        if type(value) is dict:
            return items
        try:
            same = type(value)()
            same.update(items)  # type: ignore[attr-defined]
        except Exception:  # a mapping of its owner's own making
            return items
        return same
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(item, change) for item in value)
    return value


def tensors_in(value: Any) -> list[torch.Tensor]:
    """All tensors, in order."""
    found: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        found.append(tensor)
        return tensor

    if is_dataclass(value) and not isinstance(value, (type, Mapping)):
        value = [getattr(value, own.name) for own in fields(value)]
    mapped(value, keep)
    return found


def axis_of(tensor: torch.Tensor, size: int) -> int | None:
    """The axis of the samples: the first, or the second where time comes first."""
    if tensor.ndim and tensor.shape[0] == size:
        return 0
    return 1 if tensor.ndim > 1 and tensor.shape[1] == size else None


def taken(batch: Any, rows: torch.Tensor, size: int) -> Any:
    """Some samples of a batch."""

    def take(tensor: torch.Tensor) -> torch.Tensor:
        axis = axis_of(tensor, size)
        return tensor if axis is None else tensor.index_select(axis, rows.to(tensor.device))

    return mapped(batch, take)


def moved(batch: Any, device: torch.device) -> Any:
    """The batch on the model's device."""
    return mapped(batch, lambda tensor: tensor.detach().to(device))


def fingerprint(value: Any) -> int:
    """A hash of all tensors."""
    parts = [tensor.detach().cpu().contiguous() for tensor in tensors_in(value)]
    text = b"".join(
        str((tuple(part.shape), str(part.dtype))).encode() + part.reshape(-1).view(torch.uint8).numpy().tobytes()
        if part.numel()
        else b"-"
        for part in parts
    )
    return int(hashing.bytes_hash(text))


@dataclass
class Drawn:
    """The first batches of a loader."""

    batches: list[Any] = field(default_factory=list)
    indices: list[list[int]] = field(default_factory=list)
    """Which items each of them holds; empty where the loader does not tell."""
    size: int = 0
    """Samples of the first batch."""
    ended: bool = False
    """Whether the loader has no more than these."""


def draw(loader: Any, device: torch.device, limit: int = BATCHES) -> Drawn:
    """The first batches, drawn from a copy of the loader in this process.

    Raises:
        DatalintError: there are none, or the loader cannot be read twice.
    """
    drawn = Drawn()
    for batch, indices in first_batches(loader, limit + 1):
        if len(drawn.batches) == limit:
            break
        drawn.batches.append(moved(batch, device))
        if indices is not None:
            drawn.indices.append(indices)
    else:
        drawn.ended = True
    if not drawn.batches:
        raise DatalintError("the loader gives no batch; give one whose data set holds samples")
    if not tensors_in(drawn.batches[0]):
        kind = type(drawn.batches[0]).__name__
        raise DatalintError(
            f"the loader gives batches of the type {kind} without a tensor in them; a batch holds tensors"
        )
    drawn.size = _size(loader, drawn)
    return drawn


def first_batches(loader: Any, limit: int, seed: int = 0) -> Iterator[tuple[Any, list[int] | None]]:
    """Batches with the items that they hold, where the loader tells."""
    if isinstance(loader, torch.Tensor) or not hasattr(loader, "__iter__"):
        raise DatalintError(f"a loader gives batches one after the other; {type(loader).__name__} does not")
    if not isinstance(loader, Sequence):
        not_used_up(loader, "the loader")
    source, notes = loader, None
    if isinstance(loader, torch.utils.data.DataLoader):
        source, notes = recorded(loader)
        own = vars(source)
        if source is loader:
            import copy

            source = copy.copy(loader)
            own = vars(source)
        # No process of its own for a few batches; what a user's loader keeps running is not touched.
        own.update(num_workers=0, pin_memory=False, timeout=0, _iterator=None, persistent_workers=False)
    seed_all(seed)
    try:
        for number, batch in enumerate(source):
            if number >= limit:
                return
            yield batch, notes.batches[number] if notes is not None and number < len(notes.batches) else None
    except DatalintError:
        raise
    except Exception as error:  # a loader runs its owner's code
        raise DatalintError(f"the loader fails: {said(error)}") from error


def _size(loader: Any, drawn: Drawn) -> int:
    if drawn.indices:
        return len(drawn.indices[0])
    batch = drawn.batches[0]
    known = getattr(loader, "batch_size", None)
    shapes = [tuple(tensor.shape) for tensor in tensors_in(batch) if tensor.ndim]
    if isinstance(known, int) and any(known in shape[:2] for shape in shapes):
        return known
    return shapes[-1][0] if shapes else 1


def samples_of(loader: Any) -> int | None:
    """Samples of the data set; None where nobody knows."""
    dataset = getattr(loader, "dataset", None)
    if dataset is None or is_stream(dataset):
        return None
    try:
        return len(dataset)
    except (TypeError, NotImplementedError, AttributeError):
        return None


def replaced(outputs: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    """What the model returned, with one of its tensors replaced."""
    if outputs is old:
        return new
    if isinstance(outputs, MutableMapping):
        import copy

        same = copy.copy(outputs)
        for key, value in outputs.items():
            same[key] = replaced(value, old, new)
        return same
    if isinstance(outputs, tuple) and hasattr(outputs, "_fields"):
        return type(outputs)(*(replaced(item, old, new) for item in outputs))
    if isinstance(outputs, (list, tuple)):
        return type(outputs)(replaced(item, old, new) for item in outputs)
    return outputs
