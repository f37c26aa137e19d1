"""A training loop as its owner hands it over, and what rules change in a sound one to break it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Target = Literal["classes", "labels", "numbers", "tokens", "other"]
"""What a loop predicts: one class per sample, yes or no (of one label or several), numbers, one class at each place."""


class Loop(ABC):
    """A sound loop, into which a rule puts its fault: new objects, which may be changed.

    Tensors bring their own methods, so that a rule that changes them needs no framework.
    """

    name: str
    target: Target
    criterion: str
    """Name of the loss function, such as ``cross_entropy``."""
    model: Any
    loss: Any
    loader: Any
    optimizer: Any
    outputs: int
    """How many a sample has."""
    scalar: bool
    """Whether the prediction of a sample is a single number."""

    @abstractmethod
    def after_model(self, change: Callable[[Any], Any]) -> Loop:
        """Let a function have what the model returns, or its last layer where the model makes the loss itself."""

    @abstractmethod
    def before_model(self, change: Callable[[Any], Any]) -> Loop | None:
        """Let a function have each input of the model that is a tensor of numbers with a fraction; None without one."""

    @abstractmethod
    def around_loss(self, change: Callable[[Any, Any, Any], Any]) -> Loop | None:
        """Replace the loss: the function gets the loss function, outputs and targets. None where the model makes it."""

    @abstractmethod
    def of_batches(self, change: Callable[[Any, int], Any]) -> Loop:
        """Let a function have each batch with its number."""

    @abstractmethod
    def of_items(self, change: Callable[[Any, int], Any]) -> Loop | None:
        """Let a function have each item of the data set with its index; None where the loader has no data set."""

    @abstractmethod
    def with_optimizer(self, **options: Any) -> Loop:
        """Make the optimizer anew with other options, such as ``lr``; ``parameters`` are those of the model if not given."""

    @abstractmethod
    def keeping_gradients(self) -> Loop:
        """Let the optimizer clear nothing."""

    @abstractmethod
    def layers(self, kind: str = "") -> Mapping[str, Any]:
        """The layers without layers in them, by name, in order; those of a class whose name, or a base's, has ``kind`` in it."""

    @abstractmethod
    def replace_layer(self, name: str, change: Callable[[Any], Any]) -> Loop:
        """Put in place of a layer what calls the function with the layer's output."""

    @abstractmethod
    def with_batch_size(self, size: int) -> Loop | None:
        """Draw batches of another size, whole ones alone; None where the loader has no data set."""

    @abstractmethod
    def leaving_one(self) -> Loop | None:
        """Draw batches of a size that leaves one sample for the last."""

    @abstractmethod
    def collating(self, change: Callable[[Any, Any], tuple[Any, Any]]) -> Loop | None:
        """Let a function have inputs and targets of a batch as they are put together; None where they are no pair."""

    @abstractmethod
    def scaling_inputs(self, factor: float) -> Loop | None:
        """Multiply the inputs of each batch; None where there are none with a fraction, or the model scales them itself."""

    @abstractmethod
    def with_key(self, key: str, change: Callable[[Any], Any]) -> Loop | None:
        """Change a member of each batch; None where batches are no mappings with it."""

    @abstractmethod
    def wrong_backward(self, factor: float) -> Loop:
        """Pass the outputs through a function whose backward pass is multiplied."""

    @abstractmethod
    def leaking_labels(self) -> Loop | None:
        """Add the labels to the logits of a model that makes its own loss; None for others."""

    @abstractmethod
    def with_own_noise(self) -> Loop | None:
        """Let the data set add noise of a generator that it holds, in two workers."""

    @abstractmethod
    def with_noisy_transform(self, size: float) -> Loop | None:
        """Let a transform of the data set add noise of so many deviations; None where a simple model tells nothing."""

    @abstractmethod
    def predicting_itself(self) -> Loop | None:
        """Take a batch's tokens as their own targets; None where targets are not the tokens that follow."""

    @abstractmethod
    def counting_padding(self) -> Loop | None:
        """Let the loss count places of padding; None where there is none."""
