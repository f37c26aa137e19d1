"""How a batch becomes a loss: the conventions in which models, losses and batches meet."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from datalint.core.errors import DatalintError
from datalint.loops.limits import OUTPUTS, TARGETS
from datalint.loops.torch.batches import replaced, tensors_in
from datalint.loops.torch.trace import traced
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.loops.torch.state import Twin
    from datalint.loops.torch.trace import Calls


@dataclass
class Made:
    """What one pass made."""

    raw: Any
    """What the model returned; None where only the loss is known."""
    output: torch.Tensor | None
    """The prediction in it."""
    loss: torch.Tensor
    """A single number."""
    target: torch.Tensor | None


class LossFails(Exception):
    """The model took the batch, and the loss refuses what it is given."""

    def __init__(
        self, error: Exception, output: torch.Tensor | None, target: torch.Tensor | None, calls: Calls
    ) -> None:
        super().__init__(said(error))
        self.output, self.target, self.calls = output, target, calls


class ModelFails(Exception):
    """The model refuses the batch."""


@dataclass
class Step:
    """One way from a batch to a loss."""

    form: str
    """``call``: the loss of outputs and targets; ``own``: the model makes the loss; ``step``: the model's
    ``training_step``; ``custom``: a function of model and batch."""
    arguments: Callable[[Any], tuple[tuple[Any, ...], dict[str, Any], Any]] | None = None
    """Positional and named arguments of the model, and the target, of a batch."""
    whole: bool = False
    """Whether the loss gets all that the model returned, and not the prediction alone."""
    values: int = 1
    """Numbers that the last loss consisted of."""
    producer: str | None = None
    """The module whose output is the prediction, where the loss is made inside the model."""

    def forward(self, model: Any, batch: Any) -> tuple[Any, torch.Tensor | None, Any]:
        """What the model returns, the prediction in it, and the target."""
        assert self.arguments is not None
        args, kwargs, target = self.arguments(batch)
        raw = model(*args, **kwargs)
        return raw, prediction_in(raw), target

    def run(self, twin: Twin, batch: Any) -> Made:
        """One pass from a batch to its loss."""
        if self.form == "step":
            held: list[torch.Tensor] = []
            with self._watched(twin.model, held.append):
                loss = _number(twin.model.training_step(batch, 0))
            return Made(None, held[-1] if held else None, loss, target_of(batch))
        if self.form == "custom":
            held = []
            with self._watched(twin.model, held.append):
                loss = _number(twin.loss(twin.model, batch))
            return Made(None, held[-1] if held else None, loss, target_of(batch))
        raw, output, target = self.forward(twin.model, batch)
        if self.form == "own":
            return Made(raw, output, _number(_loss_in(raw)), _tensor(target))
        loss = twin.loss(raw if self.whole else output, target)
        self.values = loss.numel() if isinstance(loss, torch.Tensor) else 1
        return Made(raw, output, _number(loss), _tensor(target))

    def loss_of(self, twin: Twin, batch: Any, made: Made, output: torch.Tensor) -> torch.Tensor:
        """The loss that another prediction would have."""
        if self.form == "call":
            assert self.arguments is not None and made.output is not None
            target = self.arguments(batch)[2]
            return _number(twin.loss(replaced(made.raw, made.output, output) if self.whole else output, target))
        if self.producer is None:
            raise LookupError("the loss is made inside the model, and its prediction is not known")
        with self._substituted(twin.model, output):
            return self.run(twin, batch).loss

    def _watched(self, model: Any, tell: Callable[[torch.Tensor], None]) -> Any:
        import contextlib

        if self.producer is None:
            return contextlib.nullcontext()

        @contextlib.contextmanager
        def watching() -> Iterator[None]:
            def hook(_module: Any, _args: Any, output: Any) -> None:
                found = prediction_in(output)
                if found is not None:
                    tell(found)

            handle = model.get_submodule(self.producer).register_forward_hook(hook)
            try:
                yield
            finally:
                handle.remove()

        return watching()

    def _substituted(self, model: Any, output: torch.Tensor) -> Any:
        import contextlib

        @contextlib.contextmanager
        def substituting() -> Iterator[None]:
            def hook(_module: Any, _args: Any, own: Any) -> Any:
                found = prediction_in(own)
                return own if found is None else replaced(own, found, output)

            handle = model.get_submodule(self.producer or "").register_forward_hook(hook)
            try:
                yield
            finally:
                handle.remove()

        return substituting()

    def inputs(self, batch: Any) -> list[torch.Tensor]:
        """The tensors that the model gets, without the target."""
        if self.arguments is None:
            found = tensors_in(batch)
            return found[:-1] or found
        args, kwargs, _ = self.arguments(batch)
        return tensors_in([list(args), {key: value for key, value in kwargs.items() if key not in TARGETS}])


def prediction_in(raw: Any) -> torch.Tensor | None:
    """The prediction among what a model returned."""
    if isinstance(raw, torch.Tensor):
        return raw
    for name in OUTPUTS:
        value = raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
        if isinstance(value, torch.Tensor):
            return value
    own = {key: value for key, value in raw.items() if key != "loss"} if isinstance(raw, Mapping) else raw
    tensors = [tensor for tensor in tensors_in(own) if tensor.ndim]
    return next((tensor for tensor in tensors if tensor.is_floating_point()), None)


def target_of(batch: Any) -> torch.Tensor | None:
    """The target of a batch whose use is not known."""
    if isinstance(batch, Mapping):
        return next((_tensor(batch[key]) for key in TARGETS if key in batch), None)
    if isinstance(batch, (list, tuple)) and len(batch) > 1:
        return _tensor(batch[-1])
    return None


def _tensor(value: Any) -> torch.Tensor | None:
    if isinstance(value, torch.Tensor):
        return value
    found = tensors_in(value)
    return found[0] if len(found) == 1 else None


def _loss_in(raw: Any) -> Any:
    value = raw.get("loss") if isinstance(raw, Mapping) else getattr(raw, "loss", None)
    if value is not None:
        return value
    if isinstance(raw, Mapping) and raw and all(isinstance(v, torch.Tensor) and v.numel() == 1 for v in raw.values()):
        return raw  # terms, as detectors give them
    if isinstance(raw, torch.Tensor):
        return raw
    if isinstance(raw, (list, tuple)):
        return next((item for item in raw if isinstance(item, torch.Tensor) and item.numel() == 1), None)
    return None


class NoNumber(TypeError):
    """What should be a loss is none."""


def _number(loss: Any) -> torch.Tensor:
    """The loss as a single number: of several terms the sum, of a value per sample the mean."""
    if isinstance(loss, Mapping):
        loss = (
            loss["loss"] if "loss" in loss else sum(value for value in loss.values() if isinstance(value, torch.Tensor))
        )
    elif isinstance(loss, (list, tuple)) and loss and all(isinstance(item, torch.Tensor) for item in loss):
        loss = sum(loss) if all(item.ndim == 0 for item in loss) else loss[0]
    if not isinstance(loss, torch.Tensor):
        raise NoNumber(f"the loss is of the type {type(loss).__name__}, and a tensor with one number is expected")
    return loss if loss.ndim == 0 else loss.mean()


# --- which way it is --------------------------------------------------------------------------------------------------


def find_step(twin: Twin, batch: Any) -> Step:
    """The convention of a loop, found by trying it on a batch.

    Raises:
        ModelFails: the model takes the batch in no convention.
        LossFails: it does, and the loss refuses its outputs and targets.
    """
    errors: list[Exception] = []
    failed: LossFails | None = None
    for step in _candidates(twin, batch):
        try:
            with traced(twin.model, twin.loss) as tracer:
                _ = step.run(twin, batch) if step.form != "call" else _tried(step, twin, batch, tracer)
        except LossFails as error:
            failed = failed or error
            continue
        except (DatalintError, KeyboardInterrupt):
            raise
        except Exception as error:  # a model runs its owner's code
            for call in tracer.calls.losses[-1:]:
                output, target = call.tensor(0, "input"), call.tensor(1, "target")
                if call.error and output is not None and target is not None:  # the loss that the model makes itself
                    failed = failed or LossFails(error, output, target, tracer.calls)
            errors.append(error)
            continue
        if step.form != "call":
            step.producer = _producer(step, twin, batch)
        return step
    if failed is not None:
        raise failed
    raise ModelFails(said(errors[0]) if errors else "no way to call it is known") from (errors[0] if errors else None)


def _tried(step: Step, twin: Twin, batch: Any, tracer: Any) -> Made:
    raw, output, target = step.forward(twin.model, batch)
    first: Exception | None = None
    # A model of its owner's own may return several things for its own loss; others want the prediction alone.
    for whole in (True, False) if raw is not output else (True,):
        try:
            loss = _number(twin.loss(raw if whole else output, target))
        except Exception as error:  # a loss runs its owner's code
            first = first or error
            continue
        step.whole = whole
        return Made(raw, output, loss, _tensor(target))
    assert first is not None
    raise LossFails(first, output, _tensor(target), tracer.calls) from first


def _candidates(twin: Twin, batch: Any) -> Iterator[Step]:
    if twin.loss is None:
        if hasattr(twin.model, "training_step"):
            yield Step("step")
        yield from (Step("own", way) for way in _ways(batch, keep=True))
        return
    if _takes_model(twin.loss):
        yield Step("custom")
    yield from (Step("call", way) for way in _ways(batch, keep=False))
    yield Step("custom")


def _takes_model(loss: Any) -> bool:
    """Whether a loss is a function of model and batch, by the name of its first argument."""
    try:
        names = [*inspect.signature(loss.forward if isinstance(loss, torch.nn.Module) else loss).parameters]
    except (TypeError, ValueError):
        return False
    return bool(names) and names[0] in {"model", "net", "network", "module"}


Way = Callable[[Any], tuple[tuple[Any, ...], dict[str, Any], Any]]


def _ways(batch: Any, keep: bool) -> list[Way]:
    """How a batch may be handed to a model; ``keep``: with the targets, for models that make the loss."""
    if isinstance(batch, Mapping):
        return _ways_of_mapping(batch, keep)
    if not isinstance(batch, (list, tuple)):
        return [lambda batch: ((batch,), {}, batch)]
    if len(batch) == 1:
        return [lambda batch: ((batch[0],), {}, batch[0])]

    def ordered(batch: Any) -> Any:
        return tuple(batch if keep else batch[:-1]), {}, batch[-1]

    def first(batch: Any) -> Any:
        return (batch[0],), {}, batch[1] if len(batch) == 2 else tuple(batch[1:])

    def unpacked(batch: Any) -> Any:
        return (), dict(batch[0]) | ({"labels": batch[-1]} if keep else {}), batch[-1]

    def together(batch: Any) -> Any:
        return (batch,), {}, batch[-1]

    def spread(batch: Any) -> Any:
        return (*batch[0], *(batch[1:] if keep else ())), {}, batch[-1]

    nested = [unpacked] if isinstance(batch[0], Mapping) else [spread] if isinstance(batch[0], (list, tuple)) else []
    return [ordered, first, *nested, together] if nested == [spread] else [*nested, ordered, first, together]


def _ways_of_mapping(batch: Any, keep: bool) -> list[Way]:
    key = next((key for key in TARGETS if key in batch), None)

    def target(batch: Any) -> Any:
        return batch[key] if key is not None else batch

    def named(batch: Any) -> Any:
        return (), {k: v for k, v in batch.items() if keep or k != key}, target(batch)

    def whole(batch: Any) -> Any:
        return (batch,), {}, target(batch)

    def single(batch: Any) -> Any:
        return tuple(value for k, value in batch.items() if k != key), {}, target(batch)

    return [named, whole, single]


def _producer(step: Step, twin: Twin, batch: Any) -> str | None:
    """The last module whose output the loss is made of; None if there is none."""
    outputs: list[tuple[str, torch.Tensor]] = []

    def note(name: str) -> Any:
        def hook(_module: Any, _args: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.ndim:
                outputs.append((name, output))

        return hook

    modules = [(name, module) for name, module in twin.model.named_modules() if name or step.form != "own"]
    handles = [module.register_forward_hook(note(name)) for name, module in modules]
    try:
        with traced() as tracer:
            made = step.run(twin, batch)
    finally:
        for handle in handles:
            handle.remove()
    used = [made.output, *(call.tensor(0, "input") for call in tracer.calls.losses)]
    places = {tensor.untyped_storage().data_ptr() for tensor in used if tensor is not None}
    found = [name for name, tensor in outputs if tensor.untyped_storage().data_ptr() in places]
    return found[-1] if found else None
