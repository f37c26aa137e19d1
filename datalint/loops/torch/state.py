"""Working on other people's objects without leaving traces: twins, random states, and what a copy cannot hold."""

from __future__ import annotations

import contextlib
import copy
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from datalint.core.errors import DatalintError
from datalint.loops.randomness import loader_kept, seed_all
from datalint.sources.objects.draw import random_kept, said

if TYPE_CHECKING:
    from collections.abc import Iterator


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
def untouched(model: Any, loss: Any, loader: Any) -> Iterator[None]:
    """Put back what even work on copies changes: random states, gradients that a closure reaches, modes of a thread."""
    owners = [part for part in (model,) if isinstance(part, torch.nn.Module)]
    grads = [(parameter, parameter.grad) for part in owners for parameter in part.parameters()]
    contents = [(grad, grad.detach().clone()) for _, grad in grads if grad is not None]
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    with (
        _scalers_kept(loss),
        _uncached(),
        loader_kept(loader),
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
            for parameter, grad in grads:
                parameter.grad = grad
            with torch.no_grad():
                for grad, content in contents:
                    grad.copy_(content)
            if cuda is not None:
                torch.cuda.set_rng_state_all(cuda)


@contextlib.contextmanager
def _uncached() -> Iterator[None]:
    """Let autocast look at weights anew each time: within one context it keeps what they were before a step."""
    cached = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(cached)


@contextlib.contextmanager
def _scalers_kept(loss: Any) -> Iterator[None]:
    """Put back the gradient scalers that a loss uses: they make their state when they are first called."""
    cells = [cell.cell_contents for cell in getattr(loss, "__closure__", None) or () if _filled(cell)]
    named = [
        getattr(loss, "__globals__", {}).get(name) for name in getattr(getattr(loss, "__code__", None), "co_names", ())
    ]
    held = list(vars(getattr(loss, "__self__", None) or loss).values()) if hasattr(loss, "__dict__") else []
    scalers = [part for part in (*cells, *named, *held) if isinstance(part, torch.amp.GradScaler)]
    states = [dict(vars(scaler)) for scaler in scalers]
    try:
        yield
    finally:
        for scaler, state in zip(scalers, states, strict=True):
            vars(scaler).clear()
            vars(scaler).update(state)


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


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
