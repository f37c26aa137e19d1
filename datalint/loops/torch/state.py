"""Working on other people's objects without leaving traces: twins, random states, and what a copy cannot hold."""

from __future__ import annotations

import contextlib
import copy
import random
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from datalint.core.errors import DatalintError
from datalint.sources.objects.draw import random_kept, said

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 4
"""How deep random generators are looked for in a loader: data set, subset, transform, its parts."""


class Twin(NamedTuple):
    """A copy of what trains, whose parts belong together as those of the original do."""

    model: Any
    loss: Any
    optimizer: Any


def twin_of(model: Any, loss: Any, optimizer: Any, device: torch.device) -> Twin:
    """A copy that may be trained and thrown away.

    Raises:
        DatalintError: the model cannot be copied.
    """
    try:
        # In one go, so that the parameters in the optimizer's copy are those of the model's copy.
        made = copy.deepcopy((model, loss, optimizer))
    except Exception as error:  # a model runs its owner's code
        raise DatalintError(
            f"the model cannot be copied, and preflight works on copies alone: {said(error)}"
        ) from error
    twin = Twin(*made)
    if twin.optimizer is not None:
        # A scheduler puts a function in place of the method, which steps the optimizer that it was made for.
        vars(twin.optimizer).pop("step", None)
    for part in (twin.model, twin.loss):
        if isinstance(part, torch.nn.Module):
            _moved(part, device)
    for parameter in parameters_of(twin):
        parameter.grad = None
    return twin


def parameters_of(twin: Twin) -> list[Any]:
    """All parameters of the model and of its loss, each once."""
    found = {
        id(p): p for part in (twin.model, twin.loss) if isinstance(part, torch.nn.Module) for p in part.parameters()
    }
    return list(found.values())


def _moved(module: Any, device: torch.device) -> None:
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.device != device:
                tensor.data = tensor.data.to(device)


@contextlib.contextmanager
def untouched(model: Any, loader: Any) -> Iterator[None]:
    """Put back what even work on copies changes: random states, gradients that a closure reaches, modes of a thread."""
    owners = [part for part in (model,) if isinstance(part, torch.nn.Module)]
    grads = [(parameter, parameter.grad) for part in owners for parameter in part.parameters()]
    contents = [(grad, grad.detach().clone()) for _, grad in grads if grad is not None]
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    sources = random_sources(loader)
    states = [(source, state_of(source)) for source in sources]
    with (
        random_kept(),
        warnings.catch_warnings(),
        torch.inference_mode(False),
        torch.enable_grad(),
        _default_kind(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for source, state in states:
                put_back(source, state)
            for parameter, grad in grads:
                parameter.grad = grad
            with torch.no_grad():
                for grad, content in contents:
                    grad.copy_(content)
            if cuda is not None:
                torch.cuda.set_rng_state_all(cuda)


@contextlib.contextmanager
def _default_kind() -> Iterator[None]:
    kind = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(kind)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The same random numbers each time."""
    with random_kept():
        seed_all(seed)
        yield


def seed_all(seed: int) -> None:
    """Seed Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_sources(root: Any) -> list[Any]:
    """The random generators that a loader, its data set and their transforms hold, each once."""
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def look(value: Any, depth: int) -> None:
        if id(value) in seen or depth > DEPTH:
            return
        seen.add(id(value))
        if isinstance(value, (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)):
            found[id(value)] = value
        elif isinstance(value, (list, tuple)):
            for item in value[:50]:
                look(item, depth + 1)
        elif hasattr(value, "__dict__") and not isinstance(value, (type, torch.Tensor, torch.nn.Module)):
            for item in list(vars(value).values())[:200]:
                if not isinstance(item, (str, bytes, int, float, np.ndarray)):
                    look(item, depth + 1)

    look(root, 0)
    return list(found.values())


def state_of(source: Any) -> Any:
    """The state of a random generator."""
    if isinstance(source, np.random.Generator):
        return copy.deepcopy(source.bit_generator.state)
    if isinstance(source, random.Random):
        return source.getstate()
    if isinstance(source, np.random.RandomState):
        return source.get_state()
    return source.get_state().clone()


def put_back(source: Any, state: Any) -> None:
    """Put a random generator into a state."""
    if isinstance(source, np.random.Generator):
        source.bit_generator.state = state
    elif isinstance(source, random.Random):
        source.setstate(state)
    else:
        source.set_state(state)
