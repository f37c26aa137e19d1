"""From the objects of a loop to its profile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from datalint.core.errors import DatalintError
from datalint.core.wording import counted
from datalint.loops.measuring import measured
from datalint.loops.torch import first, layers, loading, sequences, training
from datalint.loops.torch.batches import draw, samples_of
from datalint.loops.torch.session import Session
from datalint.loops.torch.state import seeded, untouched
from datalint.loops.torch.step import LossFails, ModelFails, find_step
from datalint.profile.loop import (
    Activations,
    ByHeart,
    Chance,
    Collated,
    Finite,
    FirstStep,
    FreeOutputs,
    Gradients,
    Influence,
    Loaded,
    LoopProfile,
    Modes,
    Optimized,
    Sequences,
    Slope,
    Terms,
)
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

PROBES: dict[type, Callable[[Session], object]] = {
    FirstStep: first.first_step,
    Loaded: loading.loaded,
    Modes: training.modes,
    Finite: layers.finite,
    Gradients: layers.gradients,
    Activations: layers.activations,
    Optimized: training.optimized,
    Terms: layers.terms,
    Influence: layers.influence,
    Chance: first.chance,
    FreeOutputs: training.free_outputs,
    Sequences: sequences.sequences,
    Collated: loading.collated,
    Slope: layers.slope,
    ByHeart: training.by_heart,
}
"""By record what measures it, from cheap to dear."""


def measure(
    model: Any, loss: Any, loader: Any, optimizer: Any, device: str | None, budget: float, wanted: Collection[type]
) -> LoopProfile:
    """What is measured of a loop; the objects are as before afterwards, whatever happens.

    Raises:
        DatalintError: an object is not what a loop needs; the message names it.
    """
    deadline = time.monotonic() + budget
    model = _bare(model)
    check_parts(model, loss, optimizer)
    place = _device(model, device)
    with untouched(model, loss, loader):
        try:
            session = Session(model, loss, loader, optimizer, place, draw(loader, place), deadline)
            _find(session)

            def run(kind: type) -> object:
                with seeded(0):
                    return PROBES[kind](session)

            records = measured(run, PROBES, wanted, session, budget, "PyTorch", _out_of_memory)
            target = session.target
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise DatalintError(f"not enough memory to copy and try {type(model).__name__}: {said(error)}") from error
    parameters = list(model.parameters())
    return LoopProfile(
        name=type(model).__name__,
        framework="PyTorch",
        target=target,
        batch_size=session.size,
        samples=samples_of(loader),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        records=records,
    )


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError)


def _bare(model: Any) -> Any:
    """The module itself where it is wrapped for several processes or compiled."""
    if type(model).__name__ in {"DataParallel", "DistributedDataParallel"}:
        model = model.module
    return getattr(model, "_orig_mod", model)


def check_parts(model: Any, loss: Any, optimizer: Any) -> None:
    """Raise DatalintError for a part that is something else."""
    if not isinstance(model, torch.nn.Module):
        raise DatalintError(f"model: a torch.nn.Module is expected, not {type(model).__name__}")
    if loss is not None and not callable(loss):
        raise DatalintError(f"loss: a function of outputs and targets is expected, not {type(loss).__name__}")
    if optimizer is not None and not hasattr(optimizer, "param_groups"):
        raise DatalintError(f"optimizer: a torch.optim.Optimizer is expected, not {type(optimizer).__name__}")
    lazy = torch.nn.parameter.UninitializedTensorMixin
    if any(isinstance(parameter, lazy) for parameter in model.parameters()):
        raise DatalintError("model: it has lazy layers without weights; call it once on a batch before")
    if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        raise DatalintError("model: its weights are on the device meta, which holds none; load them first")


def _device(model: Any, device: str | None) -> torch.device:
    if device is None:
        return next((tensor.device for tensor in (*model.parameters(), *model.buffers())), torch.device("cpu"))
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except Exception as error:  # a device that is not there raises many things
        raise DatalintError(f"device: {device} cannot be used: {said(error)}") from error
    return place


def _find(session: Session) -> None:
    """How a batch becomes a loss."""
    twin = session.twin()
    try:
        with seeded(0):
            session.step = find_step(twin, session.batch)
    except LossFails as refused:
        session.refused = refused
    except ModelFails as error:
        if any(table.error for table in sequences.embeddings(session)):
            session.broken = "the model fails on the tokens it gets"
            return
        shapes = ", ".join(
            f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
            for tensor in _tensors(session.batch)[:4]
        )
        raise DatalintError(
            f"model: {type(session.model).__name__} does not take the loader's first batch "
            f"({counted(len(_tensors(session.batch)), 'tensor')}: {shapes}): {error}"
        ) from error


def _tensors(batch: Any) -> list[torch.Tensor]:
    from datalint.loops.torch.batches import tensors_in

    return tensors_in(batch)
