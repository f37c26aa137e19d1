"""What the probes share: the loop as functions, its first batches, and the time that is left."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from datalint.core.errors import DatalintError
from datalint.core.wording import counted
from datalint.loops.functional.batches import arrays_in, mapped, taken, ways
from datalint.loops.functional.named import OF_LABELS, OF_NUMBERS, named, whole_classes
from datalint.loops.limits import OUTPUTS, SOME
from datalint.profile.loop import NotMeasured
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datalint.core.loops import Target
    from datalint.loops.functional.network import Arguments, Network, Optimizer, Slopes


class Made(NamedTuple):
    """What one pass made."""

    loss: float
    output: np.ndarray | None
    slopes: list[np.ndarray | None]
    state: Any


class Session:
    """One preflight of a loop whose model is a function of its weights."""

    def __init__(
        self, network: Network, loss: Any, optimizer: Optimizer | None, batches: list[Any], ended: bool, deadline: float
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.batches, self.ended, self.deadline = batches, ended, deadline
        self.size = next((a.shape[0] for a in reversed(arrays_in(batches[0])) if a.ndim), 1)
        self.custom = _takes_weights(loss)
        self.error = ""
        """Why the loss refused what it got."""
        self._slopes: dict[bool, Callable[..., Slopes]] = {}
        self.way = self._way()
        self.values, self.state = network.start()

    def _way(self) -> int:
        try:
            return self.network.begin(self.ways(self.batches[0]))
        except DatalintError:
            raise
        except Exception as error:  # a model runs its owner's code
            arrays = arrays_in(self.batches[0])
            shapes = ", ".join(f"{array.dtype} {array.shape}" for array in arrays[:4])
            raise DatalintError(
                f"model: {self.network.name} does not take the loader's first batch "
                f"({counted(len(arrays), 'array')}: {shapes}): {said(error)}"
            ) from error

    def ways(self, batch: Any) -> list[Arguments]:
        """How a batch may be handed over."""
        return ways(batch, weighted=self.network.keras_order)

    def arguments(self, batch: Any) -> Arguments:
        """How it is."""
        return self.ways(batch)[self.way]

    # --- passes -------------------------------------------------------------------------------------------------------

    def scored(self, output: Any, target: Any) -> Any:
        """The loss of outputs, in the framework's own arrays."""
        loss = self.loss(target, output) if self.network.keras_order else self.loss(output, target)
        if isinstance(loss, Mapping):
            loss = loss["loss"] if "loss" in loss else sum(loss.values())
        elif isinstance(loss, (tuple, list)):
            loss = loss[0]
        return self.network.calculus.mean(loss)

    def pass_of(self, values: Any, state: Any, arguments: Arguments, seed: Any, *, train: bool) -> tuple[Any, Any]:
        """The loss, and outputs and state next to it."""
        if self.custom:
            loss = self.network.whole(values, state, self.loss, arguments.batch)
            loss = loss[0] if isinstance(loss, (tuple, list)) else loss
            return self.network.calculus.mean(loss), (None, state)
        called = self.network.call(values, state, arguments, train, seed)
        loss = self.scored(called.outputs, arguments.target) + called.penalty
        return loss, (_prediction(called.outputs), called.state)

    def run(
        self,
        batch: Any,
        values: Sequence[np.ndarray] | None = None,
        state: Any = None,
        *,
        train: bool = True,
        seed: int = 0,
    ) -> Made:
        """One pass with slopes."""
        if train not in self._slopes:

            def function(values: Any, state: Any, batch: Any, seed: Any) -> tuple[Any, Any]:
                return self.pass_of(values, state, self.arguments(batch), seed, train=train)

            self._slopes[train] = self.network.calculus.slopes(function)
        given = self.state if state is None else state
        made = self._slopes[train](self.values if values is None else values, given, self.own(batch), seed)
        output, after = made.besides
        return Made(made.value, self.numbers(output), made.slopes, after)

    def own(self, batch: Any) -> Any:
        """The batch in arrays of the framework."""
        return mapped(batch, self.network.calculus.array)

    def numbers(self, output: Any) -> np.ndarray | None:
        """Outputs as NumPy has them."""
        return None if output is None else self.network.calculus.numbers(output)

    def outputs(self, batch: Any, *, seed: int = 0) -> np.ndarray:
        """The prediction, in evaluation mode."""
        called = self.network.call(self.values, self.state, self.arguments(self.own(batch)), False, seed)
        output = self.numbers(_prediction(called.outputs))
        if output is None:
            raise NotMeasured("the prediction of the model is not known")
        return output

    def slope_of_outputs(self, target: Any) -> Callable[[np.ndarray], tuple[float, np.ndarray | None]]:
        """The loss of outputs alone, and its slope in them.

        Raises:
            NotMeasured: the loss is no function of outputs and targets.
        """
        if self.custom:
            raise NotMeasured("the loss is no function of outputs and targets, and its prediction is not known")
        given = self.own(target)
        slopes = self.network.calculus.slopes(lambda values: (self.scored(values[0], given), 0))

        def measured(output: np.ndarray) -> tuple[float, np.ndarray | None]:
            made = slopes([output])
            return made.value, made.slopes[0]

        return measured

    # --- what is known of the first -----------------------------------------------------------------------------------

    @cached_property
    def first(self) -> Made:
        """The first pass in training mode.

        Raises:
            NotMeasured: the loss refuses what it gets.
        """
        if self.error:
            raise NotMeasured("the loss refuses what it is given")
        try:
            return self.run(self.batches[0])
        except DatalintError:
            raise
        except Exception as error:  # a loss runs its owner's code
            self.error = said(error)
            raise NotMeasured("the loss refuses what it is given") from error

    @cached_property
    def target(self) -> np.ndarray | None:
        """Of the first batch."""
        return self.target_of(self.batches[0])

    def target_of(self, batch: Any) -> np.ndarray | None:
        """The target, where it is one array."""
        found = arrays_in(self.arguments(batch).target)
        return found[0] if len(found) == 1 else None

    def inputs(self, batch: Any) -> list[np.ndarray]:
        """What the model gets."""
        arguments = self.arguments(batch)
        return arrays_in([list(arguments.args), dict(arguments.kwargs)])

    @cached_property
    def few(self) -> tuple[Any, int]:
        """Some samples of the first batch, and how many."""
        count = min(self.size, SOME)
        return taken(self.batches[0], np.arange(count), self.size), count

    @cached_property
    def criterion(self) -> tuple[str, tuple[int, ...] | None]:
        """The loss function, as PyTorch calls it, and the shape to which it stretches."""
        output, target = self.first.output, self.target
        if output is None or target is None or self.custom or output.ndim == 0:
            return "", None
        given = self.own(self.arguments(self.batches[0]).target)

        def score(outputs: np.ndarray) -> float:
            return float(self.numbers(self.scored(self.network.calculus.array(outputs), given)))  # type: ignore[arg-type]

        with contextlib.suppress(Exception):  # a loss that does not take what is random is none of these
            return named(output.shape, target.astype(np.float64), score)
        return "", None

    @property
    def kind(self) -> Target:
        """What is predicted."""
        with contextlib.suppress(NotMeasured):
            name = self.criterion[0]
            output, target = self.first.output, self.target
            if output is None or target is None:
                return "other"
            if name in OF_LABELS:
                return "labels"
            if name in OF_NUMBERS:
                return "numbers"
            if whole_classes(output.shape, target):
                return "classes" if output.ndim == 2 else "tokens"
            return "numbers" if target.dtype.kind == "f" and target.size == output.size else "other"
        return "other"

    def left(self) -> float:
        """Seconds that are left."""
        return self.deadline - time.monotonic()

    def short(self) -> bool:
        """Whether time is up."""
        return self.left() <= 0


def _prediction(raw: Any) -> Any:
    """The prediction among what a model returned."""
    if array_like(raw):
        return raw
    for name in OUTPUTS:
        value = raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
        if array_like(value):
            return value
    if isinstance(raw, Mapping):
        raw = list(raw.values())
    return next((item for item in raw if array_like(item)), None) if isinstance(raw, (list, tuple)) else None


def array_like(value: Any) -> bool:
    """Whether it is an array of any framework."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _takes_weights(loss: Any) -> bool:
    """Whether a loss is a function of weights (or the model) and the batch, by the name of its first argument."""
    try:
        names = [*inspect.signature(loss).parameters]
    except (TypeError, ValueError):
        return False
    return bool(names) and names[0] in {"params", "variables", "model", "module", "net", "network"}
