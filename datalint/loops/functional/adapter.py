"""From the objects of a loop in JAX, Flax or Keras to its profile."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.loops.functional import probes, training
from datalint.loops.functional.batches import draw
from datalint.loops.functional.session import Session
from datalint.loops.measuring import measured
from datalint.loops.randomness import loader_kept, seed_all
from datalint.profile.loop import (
    ByHeart,
    Chance,
    Finite,
    FirstStep,
    FreeOutputs,
    Gradients,
    Influence,
    Loaded,
    LoopProfile,
    Modes,
    Optimized,
    Slope,
)
from datalint.sources.objects.draw import random_kept, said

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from datalint.loops.functional.network import Network

PROBES: dict[type, Callable[[Session], object]] = {
    FirstStep: probes.first_step,
    Loaded: probes.loaded,
    Modes: training.modes,
    Finite: probes.finite,
    Gradients: probes.gradients,
    Optimized: training.optimized,
    Influence: probes.influence,
    Chance: training.chance,
    FreeOutputs: training.free_outputs,
    Slope: probes.slope,
    ByHeart: training.by_heart,
}
"""By record what measures it, from cheap to dear."""


def measure(
    network: Network,
    optimizers: Callable[[Any, Network], Any],
    loss: Any,
    loader: Any,
    optimizer: Any,
    budget: float,
    wanted: Collection[type],
) -> LoopProfile:
    """What is measured of a loop; the objects are as before afterwards, whatever happens.

    Raises:
        DatalintError: an object is not what a loop needs; the message names it.
    """
    deadline = time.monotonic() + budget
    loss = network.own_loss if loss is None else loss
    if not callable(loss):
        what = "it is missing" if loss is None else f"it is of the type {type(loss).__name__}"
        raise DatalintError(f"loss: a function of outputs and targets is expected, and {what}")
    with loader_kept(loader), random_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batches, ended = draw(loader)
        session = Session(network, loss, None, batches, ended, deadline)
        optimizer = network.own_optimizer if optimizer is None else optimizer
        session.optimizer = None if optimizer is None else optimizers(optimizer, network)

        def run(kind: type) -> object:
            seed_all(0)
            if kind not in {FirstStep, Loaded, Modes}:
                _ = session.first  # nothing else can be measured where the loss refuses its outputs
            return PROBES[kind](session)

        try:
            records = measured(run, PROBES, wanted, session, budget, network.framework, _out_of_memory)
        except MemoryError as error:
            raise DatalintError(f"not enough memory to try {network.name}: {said(error)}") from error
        target = session.kind
    return LoopProfile(
        name=network.name,
        framework=network.framework,
        target=target,
        batch_size=session.size,
        samples=_samples(loader),
        parameters=sum(weight.value.size for weight in network.weights),
        trainable=sum(weight.value.size for weight in network.weights if weight.trainable),
        records=records,
    )


def _out_of_memory(error: Exception) -> bool:
    return "RESOURCE_EXHAUSTED" in str(error)


def _samples(loader: Any) -> int | None:
    try:
        return len(loader.dataset)
    except (TypeError, NotImplementedError, AttributeError):
        return None
