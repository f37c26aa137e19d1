"""Drawing batches and items from other people's loaders without leaving traces: random states, order, and errors."""

from __future__ import annotations

import contextlib
import copy
import random
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.dataset import LoadedBatches
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_STREAM = 100_000
"""Samples read of a stream that does not say how long it is."""

MAX_FAILURES = 100
"""Items that may fail before the rest is left unread."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A place where reading failed."""

    place: str
    why: str


@dataclass
class Drawn:
    """What has been drawn of one loader or data set."""

    order: list[int] | None = field(default_factory=list)
    """Item of the data set behind each sample, in drawn order; None where the loader does not tell."""
    cut: bool = False
    """Whether an endless stream was cut."""
    loaded: LoadedBatches = field(default_factory=LoadedBatches)
    """Its batches."""


@contextlib.contextmanager
def random_kept(*generators: Any) -> Iterator[None]:
    """Put the random states of Python, NumPy, PyTorch and the given generators back afterwards."""
    torch = sys.modules.get("torch")
    python, legacy = random.getstate(), np.random.get_state()
    states = [(generator, generator.get_state()) for generator in generators if hasattr(generator, "get_state")]
    theirs = torch.get_rng_state() if torch is not None and hasattr(torch, "get_rng_state") else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        for generator, state in states:
            generator.set_state(state)
        if torch is not None and theirs is not None:
            torch.set_rng_state(theirs)


def generators_of(loader: Any) -> list[Any]:
    """The random generators that drawing an epoch advances, each once."""
    sampler = getattr(loader, "sampler", None)
    batches = getattr(loader, "batch_sampler", None)
    owners = (loader, sampler, batches, getattr(batches, "sampler", None))
    found = [generator for owner in owners if (generator := getattr(owner, "generator", None)) is not None]
    return list({id(generator): generator for generator in found}.values())


def said(error: BaseException) -> str:
    """An exception in one short line."""
    from datalint.sources.files import printable

    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A worker process sends its traceback along, whose last line says what happened.
    text = lines[-1] if len(lines) > 1 and "Traceback" in str(error) else lines[0] if lines else ""
    name = type(error).__name__
    return printable(text if text.startswith(name) else f"{name}: {text}" if text else name)[:200]


class Recorder:
    """A batch sampler that notes what it hands out."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.batches: list[list[int]] = []

    def __iter__(self) -> Iterator[Any]:
        for batch in self.inner:
            self.batches.append([int(index) for index in batch])
            yield batch

    def __len__(self) -> int:
        return len(self.inner)


def recorded(loader: Any) -> tuple[Any, Recorder | None]:
    """A copy of a loader that notes which items it draws, and the notes; the loader itself where that cannot be.

    A loader that collates by itself takes its order from ``batch_sampler``; all else of the copy is the user's own.
    """
    inner = vars(loader).get("batch_sampler") if hasattr(loader, "__dict__") else None
    if inner is None or is_stream(loader.dataset) or not hasattr(inner, "__iter__"):
        return loader, None
    twin = copy.copy(loader)
    notes = Recorder(inner)
    vars(twin)["batch_sampler"] = notes  # a loader refuses to have it set in the usual way
    if "_iterator" in vars(twin):
        vars(twin)["_iterator"] = None  # processes that are kept belong to the user's loader
    return twin, notes


def is_stream(dataset: Any) -> bool:
    """Whether items come one after the other and not by number; the base class of a data set has both methods."""
    if any(base.__name__ == "IterableDataset" for base in type(dataset).__mro__) or not hasattr(dataset, "__getitem__"):
        return True
    return hasattr(dataset, "__iter__") and not hasattr(dataset, "__len__")


def is_endless(source: Any) -> bool:
    """Whether a loader or stream does not say how long it is."""
    try:
        return len(source) < 0
    except (TypeError, NotImplementedError, AttributeError):
        return True


def not_used_up(stream: Any, what: str) -> None:
    """Raise DatalintError if the stream gives the same iterator each time."""
    iterator = iter(stream)
    if iterator is stream or iter(stream) is iterator:
        raise DatalintError(
            f"{what} can be read only once, and a scan would use it up: let its __iter__ make a new iterator"
        )


def batches_of(loader: Any, drawn: Drawn, failures: list[Failure], name: str) -> Iterator[Any]:
    """One epoch of batches, as the loader draws them.

    A batch that fails is read item by item, so that only the items that fail are missing.
    """
    twin, notes = recorded(loader)
    if notes is None:
        drawn.order = None
    iterator, number = iter(twin), 0
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except Exception as error:  # a loader runs its owner's code
            if notes is None or len(failures) >= MAX_FAILURES or number >= len(notes.batches):
                failures.append(Failure(f"{name}, batch {number}", f"{said(error)}; the rest was not read"))
                return
            mended = _mended(loader, notes.batches[number], failures, name, number, error)
            kept = mended[0]
            batch = mended[1]
        else:
            kept = notes.batches[number] if notes is not None else []
        if notes is not None and drawn.order is not None:
            drawn.order += kept
        number += 1
        if batch is not None:
            yield batch


def _mended(
    loader: Any, indices: Sequence[int], failures: list[Failure], name: str, number: int, error: Exception
) -> tuple[list[int], Any]:
    """The items of a failed batch that can be read, collated as the loader does it."""
    good, kept, before = [], [], len(failures)
    for index in indices:
        try:
            good.append(loader.dataset[index])
        except Exception as single:  # a data set runs its owner's code
            failures.append(Failure(f"{name}[{index}]", said(single)))
        else:
            kept.append(index)
    if good and len(failures) > before:
        try:
            return kept, loader.collate_fn(good)
        except Exception as again:  # so does a collate function
            error = again
    if good:
        failures.append(Failure(f"{name}, batch {number}", f"cannot be put together: {said(error)}"))
    return [], None


def items_of(dataset: Any, drawn: Drawn, failures: list[Failure], name: str) -> Iterator[Any]:
    """The items of a data set in stored order; those that fail are told and left out."""
    if is_stream(dataset):
        drawn.order = None
        yield from _streamed(dataset, failures, name)
        return
    for index in range(len(dataset)):
        try:
            item = dataset[index]
        except Exception as error:  # a data set runs its owner's code
            failures.append(Failure(f"{name}[{index}]", said(error)))
            if len(failures) > MAX_FAILURES:
                failures.append(Failure(name, f"{MAX_FAILURES} items failed; the rest was not read"))
                return
            continue
        if drawn.order is not None:
            drawn.order.append(index)
        yield item


def _streamed(stream: Any, failures: list[Failure], name: str) -> Iterator[Any]:
    iterator, count = iter(stream), 0
    while True:
        try:
            item = next(iterator)
        except StopIteration:
            return
        except Exception as error:  # a stream runs its owner's code
            failures.append(Failure(f"{name}[{count}]", f"{said(error)}; the rest was not read"))
            return
        count += 1
        yield item
