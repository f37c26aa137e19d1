"""Sound loops of PyTorch that rules put their faults into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from datalint.core.loops import Loop
from datalint.loops.torch.batches import mapped, tensors_in
from datalint.loops.torch.loading import scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from datalint.core.loops import Target


@dataclass
class TorchLoop(Loop):
    """A loop whose parts are made anew for each fault."""

    name: str
    model: Any
    loss: Any
    loader: Any
    make_optimizer: Callable[..., Any]
    """Makes an optimizer of parameters and options."""
    target: Target
    criterion: str
    scalar: bool = False
    outputs: int = 1
    causal: bool = False
    """Whether the targets are the tokens that follow."""
    padded: bool = False
    """Whether some targets are ignored, because they are padding."""
    options: dict[str, Any] = field(default_factory=dict)
    optimizer: Any = None

    def __post_init__(self) -> None:
        if self.optimizer is None:
            self.optimizer = self.make_optimizer(self.model.parameters())

    def after_model(self, change: Callable[[Any], Any]) -> Loop:
        """Let a function have what the model returns, or its last layer where the model makes the loss itself."""
        if self.loss is None:
            return self.replace_layer(list(self.layers())[-1], change)
        return self._with_model(Changed(self.model, after=change))

    def before_model(self, change: Callable[[Any], Any]) -> Loop | None:
        """Let a function have each input of the model that is a tensor of numbers with a fraction; None without one."""
        inputs = next(iter(self.loader))
        inputs = inputs[:-1] if isinstance(inputs, (list, tuple)) else inputs
        if not any(tensor.is_floating_point() for tensor in tensors_in(inputs)):
            return None
        return self._with_model(Changed(self.model, before=change))

    def _with_model(self, model: Any) -> Loop:
        return replace(self, model=model, optimizer=self.make_optimizer(model.parameters(), **self.options))

    def around_loss(self, change: Callable[[Any, Any, Any], Any]) -> Loop | None:
        """Replace the loss; None where the model makes it."""
        if self.loss is None:
            return None
        own = self.loss
        return replace(self, loss=lambda output, target: change(own, output, target))

    def of_batches(self, change: Callable[[Any, int], Any]) -> Loop:
        """Let a function have each batch with its number."""
        return replace(self, loader=Batches(self.loader, change))

    def of_items(self, change: Callable[[Any, int], Any]) -> Loop | None:
        """Let a function have each item of the data set with its index."""
        own = self.loader
        if not isinstance(own, torch.utils.data.DataLoader):
            return None
        made = torch.utils.data.DataLoader(
            Items(own.dataset, change), batch_size=own.batch_size, shuffle=True, collate_fn=own.collate_fn
        )
        return replace(self, loader=made)

    def with_optimizer(self, **options: Any) -> Loop:
        """Make the optimizer anew."""
        own = dict(options)
        parameters = own.pop("parameters", None)
        made = self.make_optimizer(self.model.parameters() if parameters is None else parameters, **own)
        return replace(self, optimizer=made, options=own)

    def keeping_gradients(self) -> Loop:
        """Let the optimizer clear nothing."""
        kind = type(self.optimizer)
        self.optimizer.__class__ = type(kind.__name__, (kind,), {"zero_grad": lambda *_, **__: None})
        return self

    def layers(self, kind: str = "") -> Mapping[str, Any]:
        """The layers without layers in them."""
        return {
            name: part
            for name, part in self.model.named_modules()
            if name
            and any(kind in base.__name__ for base in type(part).__mro__)
            and not any(True for _ in part.children())
        }

    def replace_layer(self, name: str, change: Callable[[Any], Any]) -> Loop:
        """Put in place of a layer what calls the function with the layer's output."""
        parent, _, own = name.rpartition(".")
        holder = self.model.get_submodule(parent)
        setattr(holder, own, Changed(getattr(holder, own), after=change))
        return self._with_model(self.model)

    # --- loaders ------------------------------------------------------------------------------------------------------

    def _again(self, dataset: Any = None, **options: Any) -> Loop | None:
        own = self.loader
        if not isinstance(own, torch.utils.data.DataLoader):
            return None
        given = {"batch_size": own.batch_size, "shuffle": True, "collate_fn": own.collate_fn} | options
        made: Any = torch.utils.data.DataLoader(own.dataset if dataset is None else dataset, **given)
        return replace(self, loader=made)

    def with_batch_size(self, size: int) -> Loop | None:
        """Draw batches of another size, whole ones alone."""
        return self._again(batch_size=size, drop_last=True)

    def leaving_one(self) -> Loop | None:
        """Draw batches of a size that leaves one sample for the last."""
        if not isinstance(self.loader, torch.utils.data.DataLoader):
            return None
        total = len(self.loader.dataset)
        size = next((size for size in range(8, 65) if total % size == 1), None)
        return None if size is None else self._again(batch_size=size)

    def _pair(self) -> bool:
        """Whether the items of the data set are pairs of tensors."""
        dataset = getattr(self.loader, "dataset", None)
        if dataset is None or not isinstance(self.loader, torch.utils.data.DataLoader):
            return False
        item = dataset[0]
        return (
            isinstance(item, (tuple, list)) and len(item) == 2 and all(isinstance(part, torch.Tensor) for part in item)
        )

    def collating(self, change: Callable[[Any, Any], tuple[Any, Any]]) -> Loop | None:
        """Let a function have inputs and targets of a batch as they are put together."""
        if not self._pair():
            return None
        own = self.loader.collate_fn

        def collate(items: Any) -> Any:
            return change(*own(items))

        return self._again(collate_fn=collate)

    def scaling_inputs(self, factor: float) -> Loop | None:
        """Multiply the inputs of each batch."""
        if not self._pair() or not self.loader.dataset[0][0].is_floating_point():
            return None
        if set(list(self.layers())[:2]) & set(self.layers("Norm")):
            return None
        return self.of_batches(lambda batch, _number: (batch[0] * factor, batch[1]))

    def with_key(self, key: str, change: Callable[[Any], Any]) -> Loop | None:
        """Change a member of each batch."""
        batch = next(iter(self.loader))
        if not isinstance(batch, dict) or key not in batch:
            return None
        return self.of_batches(lambda batch, _number: batch | {key: change(batch[key])})

    def with_own_noise(self) -> Loop | None:
        """Let the data set add noise of a generator that it holds, in two workers."""
        if not self._pair() or not self.loader.dataset[0][0].is_floating_point():
            return None
        return self._again(dataset=Noisy(self.loader.dataset), num_workers=2)

    def with_noisy_transform(self, size: float) -> Loop | None:
        """Let a transform of the data set add noise of so many deviations."""
        if not self._pair() or self.target != "classes" or not self.loader.dataset[0][0].is_floating_point():
            return None
        raw, _, majority = scores(Transformed(self.loader.dataset, lambda tensor: tensor))
        if raw is None or majority is None or raw - majority < 0.3:
            return None  # a simple model tells nothing that noise could hide
        made = Transformed(self.loader.dataset, lambda tensor: tensor + size * torch.randn(tensor.shape))
        return self._again(dataset=made)

    def predicting_itself(self) -> Loop | None:
        """Take a batch's tokens as their own targets."""
        if not self.causal:
            return None
        batch = next(iter(self.loader))
        if isinstance(batch, dict):
            return None
        return self.of_batches(lambda batch, _number: (batch[0], batch[0]))

    def counting_padding(self) -> Loop | None:
        """Let the loss count places of padding."""
        if not self.padded:
            return None

        def count(batch: Any, _number: int) -> Any:
            if isinstance(batch, dict):
                return batch | {"labels": batch["labels"].clamp(min=0)}
            return (batch[0], batch[1].clamp(min=0))

        return self.of_batches(count)

    # --- models -------------------------------------------------------------------------------------------------------

    def wrong_backward(self, factor: float) -> Loop:
        """Pass the outputs through a function whose backward pass is multiplied."""
        return self.after_model(lambda output: WrongSlope.apply(output, factor))

    def leaking_labels(self) -> Loop | None:
        """Add the labels to the logits of a model that makes its own loss."""
        if self.loss is not None or not isinstance(next(iter(self.loader)), dict):
            return None
        return self._with_model(Leaking(self.model))


class WrongSlope(torch.autograd.Function):
    """The identity, with another slope."""

    @staticmethod
    def forward(ctx: Any, tensor: Any, factor: float) -> Any:
        """Nothing happens."""
        ctx.factor = factor
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """All but that."""
        return grads[0] * ctx.factor, None


class Leaking(torch.nn.Module):
    """A model whose logits hold the labels."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, **batch: Any) -> Any:
        """Call it."""
        made = self.inner(**batch)
        labels = batch["labels"].clamp(min=0)
        made["logits"] = made["logits"] + torch.nn.functional.one_hot(labels, made["logits"].shape[-1])
        return made


class Noisy(torch.utils.data.Dataset):
    """A data set that adds noise of a generator of its own."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.random = np.random.default_rng(0)

    def __getitem__(self, index: int) -> Any:
        first, second = self.inner[index]
        return first + torch.from_numpy(self.random.normal(0, 0.05, tuple(first.shape))).to(first.dtype), second

    def __len__(self) -> int:
        return len(self.inner)


class Transformed(torch.utils.data.Dataset):
    """A data set with a transform of its inputs."""

    def __init__(self, inner: Any, transform: Callable[[Any], Any] | None) -> None:
        self.inner, self.transform = inner, transform

    def __getitem__(self, index: int) -> Any:
        first, second = self.inner[index]
        return (first if self.transform is None else self.transform(first)), second

    def __len__(self) -> int:
        return len(self.inner)


class Changed(torch.nn.Module):
    """A module between two functions."""

    def __init__(
        self, inner: Any, before: Callable[[Any], Any] | None = None, after: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__()
        self.inner = inner
        self.before, self.after = before, after

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        if self.before is not None:
            args, kwargs = (mapped(part, self._changed) for part in (args, kwargs))
        made = self.inner(*args, **kwargs)
        return made if self.after is None else mapped(made, self._after)

    def _changed(self, tensor: Any) -> Any:
        return self.before(tensor) if self.before is not None and tensor.is_floating_point() else tensor

    def _after(self, tensor: Any) -> Any:
        return self.after(tensor) if self.after is not None and tensor.is_floating_point() and tensor.ndim else tensor


class Batches:
    """A loader whose batches are changed."""

    def __init__(self, inner: Any, change: Callable[[Any, int], Any]) -> None:
        self.inner, self.change = inner, change
        self.batch_size = getattr(inner, "batch_size", None)

    def __iter__(self) -> Any:
        return (self.change(batch, number) for number, batch in enumerate(self.inner))

    def __len__(self) -> int:
        return len(self.inner)


class Items(torch.utils.data.Dataset):
    """A data set whose items are changed."""

    def __init__(self, inner: Any, change: Callable[[Any, int], Any]) -> None:
        self.inner, self.change = inner, change

    def __getitem__(self, index: int) -> Any:
        return self.change(self.inner[index], index)

    def __len__(self) -> int:
        return len(self.inner)
