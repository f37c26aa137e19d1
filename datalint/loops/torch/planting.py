"""Sound loops of PyTorch that rules put their faults into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from datalint.core.loops import Loop
from datalint.loops.torch.batches import mapped

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
    options: dict[str, Any] = field(default_factory=dict)
    optimizer: Any = None

    def __post_init__(self) -> None:
        if self.optimizer is None:
            self.optimizer = self.make_optimizer(self.model.parameters())

    def after_model(self, change: Callable[[Any], Any]) -> Loop:
        """Let a function have what the model returns."""
        return self._with_model(Changed(self.model, after=change))

    def before_model(self, change: Callable[[Any], Any]) -> Loop:
        """Let a function have each input of the model that is a tensor of numbers with a fraction."""
        return self._with_model(Changed(self.model, before=change))

    def _with_model(self, model: Any) -> Loop:
        return replace(self, model=model, optimizer=self.make_optimizer(model.parameters(), **self.options))

    def around_loss(self, change: Callable[[Any, Any, Any], Any]) -> Loop:
        """Replace the loss."""
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

    def layers(self, kind: str = "") -> Mapping[str, Any]:
        """The layers without layers in them."""
        return {
            name: part
            for name, part in self.model.named_modules()
            if name and kind in type(part).__name__ and not any(True for _ in part.children())
        }

    def replace_layer(self, name: str, change: Callable[[Any], Any]) -> Loop:
        """Put in place of a layer what calls the function with the layer's output."""
        parent, _, own = name.rpartition(".")
        holder = self.model.get_submodule(parent)
        setattr(holder, own, Changed(getattr(holder, own), after=change))
        return self._with_model(self.model)


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
