"""Judging a training loop before its first epoch."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from datalint.config.discovery import Effective
    from datalint.report.models import Report

BUDGET = 30.0
"""Seconds."""


def preflight(
    model: Any,
    loss: Any = None,
    loader: Any = None,
    optimizer: Any = None,
    *,
    device: str | None = None,
    budget: float = BUDGET,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    config: str | Path | Mapping[str, Any] | Effective | bool | None = None,
) -> Report:
    """Say what is wrong with a training loop, before it trains: model, loss, batches and optimizer.

    All that is tried is tried on copies: weights, gradients, modes, the optimizer's state and random states are as
    before afterwards.

    Args:
        model: a module of PyTorch, a model of Keras, a module of Flax (``nnx``; ``linen`` with its variables as a pair, or a
            ``TrainState``), or a pair of a function of JAX and its weights.
        loss: a function of what the model returns and the targets; None where the model makes its own loss (as those of
            ``transformers`` do, or a Lightning module in ``training_step``). A function whose first argument is called
            ``model`` gets the model and the batch. One for Keras gets targets and outputs.
        loader: gives batches: ``(inputs, targets)``, or a mapping whose ``labels`` are the targets.
        optimizer: the optimizer that will train the model; what needs one is skipped without.
        device: where to try; where the model is if not given.
        budget: seconds that it may take, about; what was not reached is said.
        select: codes, names or beginnings of codes of the rules to run; all if empty.
        ignore: the same, of rules to leave out.
        config: a configuration file, or a mapping with the same keys; ``select``, ``ignore`` and ``rules`` count.

    Raises:
        DatalintError: an object is not what a loop needs; the message names it and says what is expected.
    """
    from datalint.config.discovery import kind_of, settle
    from datalint.judge.loops import judge_loop
    from datalint.report.models import Report, Run, Summary, Tool
    from datalint.rules.base import LoopRule

    started, clock = datetime.now(UTC), time.perf_counter()
    if not budget > 0:
        raise DatalintError(f"budget: {budget} seconds: it must be more than 0")
    if loader is None:
        raise DatalintError("loader: it is missing; a preflight needs the batches that the model is trained on")
    settings = settle(None, config).given({"select": select or None, "ignore": ignore or None})
    rules, severities = kind_of(LoopRule, settings)
    wanted = {kind for rule in rules for kind in rule.measures}
    profile = _measure(model, loss, loader, optimizer, device, budget, wanted)
    judged = judge_loop(profile, rules, severities)
    counts = {"error": 0, "warning": 0, "info": 0}
    for finding in judged.leading:
        counts[finding.severity] += 1
    return Report(
        tool=Tool(version=datalint.__version__),
        summary=Summary(**counts, datasets=1),
        datasets=(judged,),
        run=Run(
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            engine="local",
            jobs=1,
        ),
    )


def _measure(
    model: Any, loss: Any, loader: Any, optimizer: Any, device: str | None, budget: float, wanted: set[type]
) -> Any:
    """The profile, by the adapter of the model's framework."""
    if model is None:
        raise DatalintError("model: it is missing")
    names = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "keras" in names:  # before PyTorch, whose modules those of Keras are if it computes with it
        from datalint.loops.functional import keras
        from datalint.loops.functional.adapter import measure as measure_functions

        _no_device(device, "Keras")
        return measure_functions(
            keras.network_of(model, loss), keras.optimizer_of, None, loader, optimizer, budget, wanted
        )
    if "torch" in names:
        from datalint.loops.torch.adapter import measure

        return measure(model, loss, loader, optimizer, device, budget, wanted)
    if "flax" in names or (isinstance(model, (tuple, list)) and len(model) == 2 and "jax" in sys.modules):
        from datalint.loops.functional import flax
        from datalint.loops.functional.adapter import measure as measure_functions

        _no_device(device, "JAX")
        return measure_functions(flax.network_of(model), flax.optimizer_of, loss, loader, optimizer, budget, wanted)
    known = type(model).__name__ if not isinstance(model, type) else f"the class {model.__name__}"
    raise DatalintError(f"model: {known} is no model of PyTorch, JAX, Flax or Keras; others cannot be tried")


def _no_device(device: str | None, framework: str) -> None:
    if device is not None:
        raise DatalintError(f"device: {framework} chooses it itself; leave it out")
