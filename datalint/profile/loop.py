"""What was measured of a training loop before it trains: records that every framework's adapter fills, and rules read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.core.loops import Target

Record = TypeVar("Record")
Shape = tuple[int, ...]


class NotMeasured(Exception):
    """A record is not there; the message says why, as a clause."""

    def __init__(self, reason: str, *, failed: bool = False) -> None:
        super().__init__(reason)
        self.failed = failed
        """Whether measuring it broke down, rather than made no sense."""


@dataclass(frozen=True)
class LoopProfile:
    """All that is known of one loop."""

    name: str
    """Of the model's class."""
    framework: str
    target: Target
    batch_size: int
    samples: int | None
    """Of the data set behind the loader; None where nobody knows."""
    parameters: int
    trainable: int
    records: Mapping[type, object] = field(default_factory=dict)
    """By type what was measured, or why it was not."""

    def __getitem__(self, kind: type[Record]) -> Record:
        """What was measured.

        Raises:
            NotMeasured: it was not.
        """
        record = self.records.get(kind)
        if isinstance(record, kind):
            return record
        if isinstance(record, NotMeasured):
            raise record
        raise NotMeasured("it was not measured")


# --- the first pass -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LossCall:
    """A loss function as the loop calls it."""

    name: str
    """As the framework calls it: ``cross_entropy``."""
    shape: Shape = ()
    """Of the predictions."""
    low: float = 0.0
    high: float = 0.0
    maker: str = ""
    """The activation that made the predictions; empty if none did."""
    sums_to_one: bool = False
    """Whether they are positive and sum to one over the classes."""
    logs_sum_to_one: bool = False
    """Whether they are logarithms of such."""
    target_shape: Shape = ()
    target_whole: bool = False
    """Whether the targets are of a type of whole numbers."""
    target_low: float = 0.0
    target_high: float = 0.0
    one_hot: bool = False
    """Whether the targets are one-hot vectors."""
    ignored: float = 0.0
    """Share of the targets that are ignored."""
    reduction: str = "mean"
    error: str = ""
    """Why it refused what it got; empty if it did not."""


@dataclass(frozen=True)
class Stretch:
    """Arithmetic in the loss whose result is larger than what it is made of."""

    left: Shape
    right: Shape
    result: Shape


@dataclass(frozen=True)
class Exchange:
    """A change of shape that gives the axes of a tensor another order, and leaves its numbers where they are."""

    place: str
    """The module that makes it."""
    before: Shape
    after: Shape


@dataclass(frozen=True)
class FirstStep:
    """One pass from a batch to its loss."""

    loss: float
    output_shape: Shape
    target_shape: Shape
    calls: tuple[LossCall, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    exchanges: tuple[Exchange, ...] | None = None
    """None where changes of shape are not seen."""
    values: int = 1
    """Numbers that the loss consists of: more than one where it is not reduced."""
    growth: float = 1.0
    """The loss of all samples against that of half of them: about 2 where it is a sum."""
    error: str = ""
    """Why the loss refused what it got; empty if it did not."""


@dataclass(frozen=True)
class Chance:
    """The first loss against what can be had without looking at the inputs."""

    loss: float
    """Over the first batches, in training mode."""
    constant: float
    """Of the best prediction that is the same for all samples."""
    classes: int | None
    """How many the loss tells apart, where it is a cross-entropy; 2 for a binary one."""
    uniform: float | None
    """Of a prediction that takes all classes for equally likely."""
    samples: int


# --- the loss by itself -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FreeOutputs:
    """The loss minimised over the outputs themselves, whatever the model could do."""

    connected: bool
    """Whether the loss has a gradient in the outputs."""
    start: float = 0.0
    end: float = 0.0
    right_before: float | None = None
    """Share of the predictions that hit their target; None where that makes no sense."""
    right_after: float | None = None
    distance_before: float | None = None
    """Mean squared distance from the targets, of numbers."""
    distance_after: float | None = None


@dataclass(frozen=True)
class Term:
    """One of the terms that a loss is the sum of."""

    value: float
    gradient: float
    """Norm of its gradient in the weights."""
    of_outputs: bool
    """Whether it depends on the data, rather than on the weights alone."""


@dataclass(frozen=True)
class Terms:
    """The terms of a loss, in order."""

    terms: tuple[Term, ...]


# --- what depends on what ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Influence:
    """What the outputs change with, in evaluation mode."""

    samples: int
    own: float
    """Largest change of a sample's output where its input is replaced, relative to the size of outputs."""
    others: float
    """The same of the other samples."""
    constant: bool
    """Whether no output changes with its input, even after some steps of training."""
    random: float
    """Difference of two passes of the same batch."""
    dropouts: tuple[str, ...] = ()
    """Places where dropout is active though the model evaluates."""
    label: float | None = None
    """Change where labels are replaced that the model gets with the inputs; None where it gets none."""
    over_batch: tuple[str, ...] = ()
    """Places of a softmax over the axis of the samples."""
    batch_norms: int = 0
    """Layers that use the statistics of the batch even where the model evaluates."""


@dataclass(frozen=True)
class Parameter:
    """One parameter and its gradient in the first steps."""

    name: str
    layer: str
    """Class of the module that owns it."""
    size: int
    axes: int
    trainable: bool
    called: bool
    """Whether the module that owns it ran."""
    connected: bool
    """Whether the loss has a gradient in it."""
    moving: bool
    """Whether that gradient was ever other than zero."""
    gradient: float
    """Norm of the first gradient."""
    weight: float
    """Norm."""
    spread: float
    """Standard deviation of the values."""
    fan_in: int
    alike: bool
    """Whether all rows are the same."""
    order: int
    """When its module first ran; -1 if it never did."""
    normalised: bool
    """Whether a normalisation follows at once."""
    finite: bool = True
    """Whether value and gradient are finite."""


@dataclass(frozen=True)
class Gradients:
    """The parameters in the order of their modules."""

    parameters: tuple[Parameter, ...]
    hidden: tuple[str, ...]
    """Modules in lists or mappings that the model does not know of."""
    norm: float
    """Of the first gradient as a whole."""
    strange: tuple[str, ...] = ()
    """Tensors that the loss reaches and the model holds, which have a gradient and are no parameters of it."""
    fresh: int = 0
    """Parameters that the loss reaches and that are made anew at each call."""


@dataclass(frozen=True)
class Optimized:
    """The optimizer against the model."""

    kind: str
    missing: tuple[str, ...]
    """Trainable parameters of the model, or of the loss, that it does not have."""
    missing_share: float
    foreign: int
    """Parameters that neither the model nor the loss has."""
    twice: int
    rates: tuple[float, ...]
    """Learning rates; empty where the optimizer does not tell."""
    scheduled: tuple[float, ...]
    """Initial rates, where a scheduler noted them."""
    decays: tuple[float, ...]
    decoupled: bool
    """Whether weight decay is not part of the gradient."""
    moved: float | None
    """Share of the weights that have a gradient and changed in one step."""
    ratio: float | None
    """Median over the weights of the size of that change against the weight; where none changed, in double precision."""
    decay_ratio: float
    """Norm of the weight decay in the gradient against that of the loss."""
    kept: int = 0
    """Gradients that are there after the optimizer was told to clear them."""
    left: int = 0
    """Gradients that were there before anything ran."""


# --- inside of the model ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Activity:
    """What one activation lets through."""

    place: str
    kind: str
    units: int
    dead: float
    """Share of the units that are zero for all samples."""
    saturated: float
    """Share of the values at either end of the range."""


@dataclass(frozen=True)
class Activations:
    """All of them in the order in which they ran."""

    activities: tuple[Activity, ...]
    samples: int


@dataclass(frozen=True)
class Finite:
    """Where numbers end that are none."""

    inputs: int
    """Values in the inputs of the first batches that are no finite numbers."""
    targets: int
    first: str
    """The first module whose output is not finite while its inputs are, or the first that gets such inputs from what is
    computed between modules; empty if there is none."""
    loss: bool
    gradients: tuple[str, ...]
    """Parameters whose gradient is not finite though the loss is."""
    largest: float
    """Largest size of an activation."""
    largest_at: str
    before: bool = False
    """Whether it is what comes before that module."""
    precision: str = ""
    """Type of the numbers there, such as ``float16``, where that is less than single precision."""


@dataclass(frozen=True)
class Slope:
    """The gradient against differences of the loss, in double precision."""

    error: float
    """Relative, the smallest of several step sizes, the largest of several directions."""
    analytic: float
    numeric: float
    custom: tuple[str, ...]
    """Functions with a backward pass of their owner's own."""
    flat: bool
    """Whether the loss does not change at all where the gradient says it does."""


# --- some steps of training ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ByHeart:
    """Training on a few samples until they are known by heart."""

    samples: int
    start: float
    chance: float
    floor: float
    end: float
    progress: float
    """From chance (0) to what free outputs reach (1)."""
    steps: int
    diverged: bool
    rate: float | None
    """The learning rate that was given; None without an optimizer, NaN where it does not tell."""
    best_factor: float | None
    """How many times that rate did best with the same optimizer; None where no other did better."""
    best_progress: float
    any_progress: float
    """The best of all optimizers."""
    train_loss: float
    eval_loss: float
    """At the end, in training and in evaluation mode, without dropout."""
    finished: bool = True
    """Whether the time sufficed."""


@dataclass(frozen=True)
class Modes:
    """Modes, and layers that work otherwise in them."""

    training: bool
    """As it was handed over."""
    dropouts: tuple[tuple[str, float], ...]
    still_norms: tuple[str, ...]
    """Batch normalisation whose running statistics do not move, or hardly."""
    batch_norms: int
    hasty_norms: tuple[tuple[str, int], ...] = ()
    """Batch normalisation whose running statistics are those of the last batch, and how many numbers these come from."""


# --- the loader ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Input:
    """One tensor of numbers that the model gets."""

    low: float
    high: float
    mean: float
    deviation: float
    size: float
    """Root of the mean square."""
    zeros: float
    """Share of samples that are zero all over."""
    picture: bool
    normalised: bool
    """Whether the model makes its size no matter."""
    expected: tuple[float, float] | None = None
    """Mean and deviation that pretrained weights were trained with."""


@dataclass(frozen=True)
class Loaded:
    """The first batches as they came."""

    batches: int
    repeated: int
    """Batches that an earlier one equals."""
    single: int
    """Batches with one class alone."""
    classes: int
    """Classes that occur; 0 where targets are none."""
    low: int
    high: int
    labelled: int
    shuffled: bool | None
    only: bool
    """Whether the loader has no other batches."""
    inputs: tuple[Input, ...] = ()
    lengths: tuple[tuple[str, int], ...] = ()
    """Named sizes of the batch: samples, classes, places, features."""


@dataclass(frozen=True)
class Collated:
    """Batches against the items of the data set that they were made of."""

    compared: int
    displaced: int
    """Samples whose target is not that of their input."""
    changing: bool
    """Whether an item is another each time."""
    unlike: tuple[str, ...] = ()
    """Changes that inputs undergo and targets of the same shape do not."""
    same_seeds: str = ""
    """Why workers draw the same random numbers; empty if they do not."""
    lone: int = 0
    """Samples of the last batch, where it is kept."""
    lone_error: str = ""
    """What the model says to a batch of one in training mode."""
    raw_score: float | None = None
    """How well a simple model tells the classes of raw items, out of fold."""
    loaded_score: float | None = None
    """The same of items as they are loaded."""
    majority: float | None = None


# --- sequences ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Embedding:
    """One table of vectors and the indices that it gets."""

    place: str
    rows: int
    low: int
    high: int
    padding: int | None
    error: bool


@dataclass(frozen=True)
class Sequences:
    """Tokens, masks, and what a place of the output may see."""

    embeddings: tuple[Embedding, ...]
    padding: int | None
    """The token that fills the ends of sequences; None where none does."""
    padded: float
    """Share of the places that it fills."""
    mask_ones: float | None
    """Share of ones in the attention mask; None without a mask."""
    mask_agrees: float | None
    """Share of places where the mask is one just where there is no padding."""
    mask_used: bool | None
    """Whether outputs do not change with what the mask hides."""
    shift: int | None
    """Places by which targets are ahead of the inputs they equal; None where they equal no shifted inputs."""
    inner_shift: int | None
    """Places by which the loss itself moves the targets."""
    sees_later: bool | None
    """Whether the output at a place changes with later inputs."""
    loss_on_padding: float | None
    """Share of the loss's gradient at places of padding."""
    words_seen: bool | None = None
    """Whether outputs that differ change with the words at all; None where there is no padding to look at instead."""
