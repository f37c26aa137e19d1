"""What the probes share: the loop, its copies, its first batches, and the time that is left."""

from __future__ import annotations

import contextlib
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.limits import SOME
from datalint.loops.torch.batches import taken
from datalint.loops.torch.state import Twin, seeded, twin_of
from datalint.loops.torch.trace import Calls, traced
from datalint.profile.loop import NotMeasured

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from datalint.core.loops import Target
    from datalint.loops.torch.batches import Drawn
    from datalint.loops.torch.step import LossFails, Made, Step


class Session:
    """One preflight of a loop in PyTorch."""

    def __init__(
        self, model: Any, loss: Any, loader: Any, optimizer: Any, device: torch.device, drawn: Drawn, deadline: float
    ) -> None:
        self.model, self.loss, self.loader, self.optimizer = model, loss, loader, optimizer
        self.device, self.drawn, self.deadline = device, drawn, deadline
        self.step: Step | None = None
        self.refused: LossFails | None = None
        """Why the loss does not take what it gets; no probe that needs a loss can run then."""
        self.broken = ""
        """Why the model does not take the batch, where a rule has a word for it."""

    def twin(self, *, train: bool = True) -> Twin:
        """A copy of the loop, in one mode or the other."""
        twin = twin_of(self.model, self.loss, self.optimizer, self.device)
        twin.model.train(train)
        if isinstance(twin.loss, torch.nn.Module):
            twin.loss.train(train)
        return twin

    @property
    def way(self) -> Step:
        """How a batch becomes a loss.

        Raises:
            NotMeasured: the loss refuses what it gets.
        """
        if self.step is None:
            raise NotMeasured(self.broken or "the loss refuses what it is given")
        return self.step

    @property
    def batch(self) -> Any:
        """The first batch."""
        return self.drawn.batches[0]

    @property
    def size(self) -> int:
        """Samples of the first batch."""
        return self.drawn.size

    @cached_property
    def few(self) -> tuple[Any, int]:
        """Some samples of the first batch, and how many."""
        count = min(self.size, SOME)
        return taken(self.batch, torch.arange(count), self.size), count

    @cached_property
    def _of_slopes(self) -> bool:
        """Whether the loss holds slopes of the outputs itself, and cannot be had without gradients."""
        twin = self.twin()
        try:
            with torch.no_grad(), seeded(0):
                self.way.run(twin, self.batch)
        except RuntimeError as error:
            return "does not require grad" in str(error)
        return False

    def sparing(self) -> AbstractContextManager[Any]:
        """Compute without gradients, where the loss can be had so."""
        return contextlib.nullcontext() if self._of_slopes else torch.no_grad()

    @cached_property
    def first(self) -> tuple[Twin, Made, Calls]:
        """The first pass in training mode, and the calls in it."""
        twin = self.twin()
        with seeded(0), traced(twin.model, twin.loss) as tracer:
            made = self.way.run(twin, self.batch)
        return twin, made, tracer.calls

    @cached_property
    def criterion(self) -> str:
        """The loss function that decides, as PyTorch calls it; empty for one of the owner's own."""
        names = [call.name for call in self.first[2].losses]
        return names[0] if names else ""

    @cached_property
    def target(self) -> Target:
        """What is predicted."""
        if self.step is None:
            return "other"
        _, made, calls = self.first
        call = calls.losses[0] if calls.losses else None
        if call is None:
            whole = made.target is not None and not made.target.is_floating_point()
            return "other" if whole else "numbers"
        if call.name in {"cross_entropy", "nll_loss", "multi_margin_loss"}:
            scores = call.tensor(0, "input")
            output = made.output
            many = output is not None and scores is not None and scores.shape[0] > self.size
            return "tokens" if many or (scores is not None and scores.ndim > 2) else "classes"
        if call.name.startswith(("binary_", "multilabel_", "soft_margin")):
            return "labels"
        return "numbers"

    def left(self) -> float:
        """Seconds that are left."""
        return self.deadline - time.monotonic()

    def short(self) -> bool:
        """Whether time is up."""
        return self.left() <= 0
