"""What the probes need of a framework: a model as a function of its weights, slopes of functions, and an optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from datalint.profile.loop import Modes


class Weight(NamedTuple):
    """One parameter."""

    name: str
    layer: str
    """Kind of the layer that owns it; empty where nobody knows."""
    value: np.ndarray
    trainable: bool = True


class Arguments(NamedTuple):
    """What a model is called with for one batch, and what the loss gets next to its outputs."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    target: Any
    batch: Any
    """As a whole, for a loss that takes the model's weights and the batch."""


class Called(NamedTuple):
    """What a pass made."""

    outputs: Any
    state: Any
    """As it is afterwards."""
    penalty: Any = 0.0
    """What the model itself adds to the loss."""


class Slopes(NamedTuple):
    """The value of a function of the weights, what it makes besides, and its slopes."""

    value: float
    besides: Any
    slopes: list[np.ndarray | None]


class Calculus(ABC):
    """The arithmetic of one framework; NumPy on this side of it."""

    @abstractmethod
    def array(self, value: np.ndarray) -> Any:
        """An array of the framework."""

    @abstractmethod
    def numbers(self, value: Any) -> np.ndarray:
        """An array of NumPy."""

    @abstractmethod
    def mean(self, value: Any) -> Any:
        """A loss as a single number, with its slopes."""

    @abstractmethod
    def slopes(self, function: Callable[..., tuple[Any, Any]]) -> Callable[..., Slopes]:
        """Of a function of the weights and of arrays: a function of both that says value and slopes."""

    @abstractmethod
    def double(self) -> contextlib.AbstractContextManager[bool]:
        """Arithmetic in double precision within, where that can be; says whether it is."""


class Network(ABC):
    """A model as a function of its weights; whatever is called, the owner's model is as before."""

    framework: str
    name: str
    calculus: Calculus
    own_loss: Any = None
    """The loss that the model was made with."""
    own_optimizer: Any = None
    keras_order: bool = False
    """Whether a loss gets targets before outputs."""
    weights: tuple[Weight, ...]
    """All, the trainable ones in the order of ``start``."""

    @abstractmethod
    def begin(self, arguments: Sequence[Arguments]) -> int:
        """The number of the first way of calling the model that it does not refuse.

        Raises:
            Exception: what the model says to the first of them.
        """

    @abstractmethod
    def start(self) -> tuple[list[np.ndarray], Any]:
        """The trainable weights, and what else a pass needs and may change (running statistics)."""

    @abstractmethod
    def call(self, values: Sequence[Any], state: Any, arguments: Arguments, train: bool, seed: Any) -> Called:
        """One pass from inputs to outputs, in the framework's own arrays."""

    @abstractmethod
    def whole(self, values: Sequence[Any], state: Any, loss: Any, batch: Any) -> Any:
        """What a loss says that takes the weights (or the model) and the batch.

        Raises:
            TypeError: the framework has no such custom.
        """

    def double(self, state: Any) -> Any:
        """The state in double precision."""
        return state

    def places(self, _values: Sequence[Any], _state: Any, _arguments: Arguments) -> Iterator[tuple[str, Any]]:
        """The layers in the order in which they end, with their outputs; none where that is not known."""
        return iter(())

    def order(self, _values: Sequence[Any], _state: Any, _arguments: Arguments) -> list[int] | None:
        """When each trainable weight is used first; None where that is not known."""
        return None

    def maker(self, _values: Sequence[Any], _state: Any, _arguments: Arguments) -> str:
        """The activation that makes the outputs; empty if none does."""
        return ""

    def custom(self, _function: Callable[..., Any], *_args: Any) -> tuple[str, ...]:
        """Functions within with slopes of their owner's own."""
        return ()

    def normalises(self, _values: Sequence[Any], _state: Any) -> bool:
        """Whether the first layer normalises."""
        return False

    @property
    def has_statistics(self) -> bool:
        """Whether a pass in training mode moves anything."""
        return False

    def modes(self) -> Modes:
        """Layers that work otherwise in training."""
        from datalint.profile.loop import NotMeasured

        raise NotMeasured(f"the layers of a model in {self.framework} are not known by their kinds")


def first_that_works(network: Network, arguments: Sequence[Arguments]) -> int:
    """The number of the first way of calling a model that it does not refuse."""
    values, state = network.start()
    first: Exception | None = None
    for number, one in enumerate(arguments):
        try:
            network.call(values, state, one, False, 0)
        except Exception as error:  # a model runs its owner's code
            first = first or error
            continue
        return number
    assert first is not None
    raise first


class Optimizer(ABC):
    """An optimizer that may be thrown away; its arrays are those of NumPy."""

    kind: str
    rate: float | None = None
    """The learning rate; None where it is not told."""
    decays: tuple[float, ...] = ()
    frozen: tuple[int, ...] = ()

    @abstractmethod
    def begin(self, values: list[np.ndarray]) -> Any:
        """The state before the first step."""

    @abstractmethod
    def step(
        self, values: list[np.ndarray], slopes: list[np.ndarray | None], state: Any, factor: float
    ) -> tuple[list[np.ndarray], Any]:
        """The weights after a step with so many times the learning rate, and the state."""


class Adam(Optimizer):
    """Adam in NumPy, for trials of our own."""

    kind = "Adam"

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def begin(self, values: list[np.ndarray]) -> Any:
        """Means of zero."""
        return 0, [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]

    def step(
        self, values: list[np.ndarray], slopes: list[np.ndarray | None], state: Any, factor: float
    ) -> tuple[list[np.ndarray], Any]:
        """As Kingma and Ba have it."""
        count, means, squares = state
        count += 1
        moved = []
        for k, (value, slope) in enumerate(zip(values, slopes, strict=True)):
            if slope is None:
                moved.append(value)
                continue
            means[k] = 0.9 * means[k] + 0.1 * slope
            squares[k] = 0.999 * squares[k] + 0.001 * slope * slope
            size = np.sqrt(squares[k] / (1 - 0.999**count)) + 1e-8
            moved.append((value - (self.rate or 0) * factor * (means[k] / (1 - 0.9**count)) / size).astype(value.dtype))
        return moved, (count, means, squares)
