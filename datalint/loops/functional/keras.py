"""Models of Keras 3, whatever it computes with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from datalint.core.errors import DatalintError
from datalint.loops.functional.batches import array_of
from datalint.loops.functional.network import (
    Arguments,
    Calculus,
    Called,
    Network,
    Optimizer,
    Slopes,
    Weight,
    first_that_works,
)
from datalint.loops.limits import SLOWEST
from datalint.profile.loop import Modes
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def network_of(model: Any, loss: Any) -> Network:
    """The model as a function.

    Raises:
        DatalintError: it is none that can be tried.
    """
    if not isinstance(model, keras.Model):
        raise DatalintError(f"model: a keras.Model is expected, not {type(model).__name__}")
    if not model.built or not model.variables:
        raise DatalintError("model: it has no weights yet; call it once on a batch before")
    return Keras(model, getattr(model, "loss", None) if loss is None else loss)


def _calculus() -> Calculus:
    backend = keras.backend.backend()
    if backend == "jax":
        from datalint.loops.functional.flax import Jax

        return Jax()
    return Torch() if backend == "torch" else Tensorflow() if backend == "tensorflow" else _none(backend)


def _none(backend: str) -> Calculus:
    raise DatalintError(f"model: Keras computes with {backend}, which has no gradients; take jax, torch or tensorflow")


class _OfKeras(Calculus):
    """What the operations of Keras do."""

    def array(self, value: np.ndarray) -> Any:
        """A tensor of the backend."""
        return keras.ops.convert_to_tensor(value)

    def numbers(self, value: Any) -> np.ndarray:
        """An array of NumPy."""
        array: np.ndarray = keras.ops.convert_to_numpy(value)
        return array.astype(np.float32) if array.dtype.kind == "V" or "bfloat" in str(array.dtype) else array

    def mean(self, value: Any) -> Any:
        """Of a value for each sample the mean."""
        return keras.ops.mean(value)

    @contextlib.contextmanager
    def double(self) -> Iterator[bool]:
        """Layers of Keras turn their inputs into their own precision."""
        yield False


class Torch(_OfKeras):
    """Slopes by PyTorch."""

    def numbers(self, value: Any) -> np.ndarray:
        """An array of NumPy."""
        array: np.ndarray = value.detach().cpu().float().numpy() if value.is_floating_point() else value.cpu().numpy()
        return array

    def slopes(self, function: Callable[..., tuple[Any, Any]]) -> Callable[..., Slopes]:
        """As it stands."""
        import torch

        def measured(values: Sequence[Any], *rest: Any) -> Slopes:
            with torch.inference_mode(False), torch.enable_grad():
                own = [self.array(value).detach().clone().requires_grad_() for value in values]
                loss, besides = function(own, *rest)
                found: Any = [None] * len(own)
                if loss.requires_grad and own:
                    found = torch.autograd.grad(loss, own, allow_unused=True)
            slopes = [None if slope is None else self.numbers(slope) for slope in found]
            return Slopes(float(loss.detach()), besides, slopes)

        return measured


class Tensorflow(_OfKeras):
    """Slopes by a tape of TensorFlow."""

    def slopes(self, function: Callable[..., tuple[Any, Any]]) -> Callable[..., Slopes]:
        """As it stands."""
        import tensorflow

        def measured(values: Sequence[Any], *rest: Any) -> Slopes:
            own = [tensorflow.convert_to_tensor(value) for value in values]
            with tensorflow.GradientTape() as tape:
                for value in own:
                    tape.watch(value)
                loss, besides = function(own, *rest)
            found = tape.gradient(loss, own)
            slopes = [None if s is None else np.asarray(tensorflow.convert_to_tensor(s)) for s in found]
            return Slopes(float(loss), besides, slopes)

        return measured


class Keras(Network):
    """A model of Keras, called without changing its variables."""

    framework = "Keras"
    keras_order = True

    def __init__(self, model: Any, loss: Any) -> None:
        self.model = model
        self.name = type(model).__name__
        self.calculus = _calculus()
        self.own_loss = _loss_of(loss)
        self.own_optimizer = getattr(model, "optimizer", None)
        self.layers = [layer for layer in model._flatten_layers(include_self=False) if not _holds_layers(layer)]
        owners = {id(v): type(layer).__name__ for layer in self.layers for v in layer.variables}
        trainable = {id(v) for v in model.trainable_variables}
        held = [*model.trainable_variables, *(w for w in model.weights if id(w) not in trainable)]
        self.weights = tuple(
            Weight(v.path, owners.get(id(v), ""), self.calculus.numbers(v.value), id(v) in trainable) for v in held
        )

    def begin(self, arguments: Sequence[Arguments]) -> int:
        """The first that works."""
        return first_that_works(self, arguments)

    def start(self) -> tuple[list[np.ndarray], Any]:
        """Running statistics and random states are the state."""
        values = [self.calculus.numbers(v.value).copy() for v in self.model.trainable_variables]
        return values, [self.calculus.array(self.calculus.numbers(v.value)) for v in self._rest]

    @property
    def _rest(self) -> list[Any]:
        return list(self.model.non_trainable_variables)

    def call(self, values: Sequence[Any], state: Any, arguments: Arguments, train: bool, _seed: Any) -> Called:
        """As ``stateless_call`` has it."""
        outputs, after, losses = self.model.stateless_call(
            list(values), list(state), *arguments.args, **arguments.kwargs, training=train, return_losses=True
        )
        return Called(outputs, list(after), sum(losses) if losses else 0.0)

    def whole(self, _values: Sequence[Any], _state: Any, _loss: Any, _batch: Any) -> Any:
        """There is no such custom."""
        raise DatalintError("loss: a function of targets and outputs is expected, as Keras calls it")

    def places(self, _values: Sequence[Any], _state: Any, arguments: Arguments) -> Iterator[tuple[str, Any]]:
        """Where the model is a graph of layers, each of them."""
        model = getattr(self.model, "_functional", None) or self.model
        if not hasattr(model, "_run_through_graph"):
            return
        found: list[tuple[str, Any]] = []

        def noted(layer: Any) -> Any:
            def run(*args: Any, **kwargs: Any) -> Any:
                outputs = layer(*args, **kwargs)
                found.append((layer.name, outputs))
                return outputs

            return run

        model._run_through_graph(model._standardize_inputs(arguments.args[0]), operation_fn=noted)
        yield from ((name, outputs) for name, outputs in found if array_of(outputs) is not None)

    def order(self, values: Sequence[Any], _state: Any, _arguments: Arguments) -> list[int] | None:
        """That of the layers, where the model is a chain of them."""
        return list(range(len(values))) if isinstance(self.model, keras.Sequential) else None

    def maker(self, _values: Sequence[Any], _state: Any, _arguments: Arguments) -> str:
        """The activation of the last layer."""
        last = self.model.layers[-1] if isinstance(self.model, (keras.Sequential,)) or self._graph else None
        if isinstance(last, keras.layers.Softmax):
            return "softmax"
        name = getattr(getattr(last, "activation", None), "__name__", "")
        return "" if name == "linear" else str(name)

    @property
    def _graph(self) -> bool:
        """Whether it is a graph of layers with one output."""
        return hasattr(self.model, "_run_through_graph") and len(getattr(self.model, "outputs", ())) == 1

    def normalises(self, _values: Sequence[Any], _state: Any) -> bool:
        """By the kinds of the first layers."""
        kinds = [type(layer).__name__ for layer in self.layers if type(layer).__name__ != "InputLayer"]
        return any("Norm" in kind or "Rescal" in kind for kind in kinds[:2])

    @property
    def _norms(self) -> list[Any]:
        return [layer for layer in self.layers if isinstance(layer, keras.layers.BatchNormalization)]

    @property
    def has_statistics(self) -> bool:
        """Whether there is batch normalisation."""
        return bool(self._norms)

    def modes(self) -> Modes:
        """By the kinds of the layers; Keras sets the mode itself."""
        return Modes(
            True,
            tuple((layer.name, float(layer.rate)) for layer in self.layers if isinstance(layer, keras.layers.Dropout)),
            tuple(layer.name for layer in self._norms if layer.trainable and 1 - layer.momentum < SLOWEST),
            len(self._norms),
        )


def _holds_layers(layer: Any) -> bool:
    return any(True for _ in layer._flatten_layers(include_self=False))


def _loss_of(loss: Any) -> Any:
    """A loss as a function of targets and outputs.

    Raises:
        DatalintError: there are several, or none of that name.
    """
    if isinstance(loss, (dict, list, tuple)):
        raise DatalintError("loss: one function of targets and outputs is expected, not one for each output")
    if isinstance(loss, str):
        try:
            return keras.losses.get(loss)
        except ValueError as error:
            raise DatalintError(f"loss: {said(error)}") from error
    return loss


def optimizer_of(given: Any, network: Network) -> Optimizer:
    """The optimizer.

    Raises:
        DatalintError: it is none.
    """
    if isinstance(given, str):
        given = keras.optimizers.get(given)
    if not isinstance(given, keras.optimizers.Optimizer):
        raise DatalintError(f"optimizer: one of keras.optimizers is expected, not {type(given).__name__}")
    assert isinstance(network, Keras)
    return OfKeras(given, network)


class OfKeras(Optimizer):
    """A copy of an optimizer of Keras, made from its settings."""

    def __init__(self, given: Any, network: Keras) -> None:
        self.kind = type(given).__name__
        self.calculus = network.calculus
        self.copy = type(given).from_config(given.get_config())
        self.copy.build(network.model.trainable_variables)
        rate = self.copy.learning_rate
        self.rate = float(self.calculus.numbers(getattr(rate, "value", rate)))

    def begin(self, _values: list[np.ndarray]) -> Any:
        """As before the first step."""
        return [self.calculus.array(self.calculus.numbers(v.value).copy()) for v in self.copy.variables]

    def step(
        self, values: list[np.ndarray], slopes: list[np.ndarray | None], state: Any, factor: float
    ) -> tuple[list[np.ndarray], Any]:
        """What it does, times the factor."""
        own = [self.calculus.array(v.copy()) for v in values]
        given = [self.calculus.array(np.zeros_like(v) if s is None else s) for v, s in zip(values, slopes, strict=True)]
        moved, state = self.copy.stateless_apply(state, given, own)
        new = [self.calculus.numbers(value) for value in moved]
        return [v + factor * (after - v) for v, after in zip(values, new, strict=True)], state
