"""PRE116."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Field, Found, Loop, LoopProfile, LoopRule, RuleParams, Severity, Slope, digits, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class WrongGradient(LoopRule):
    """A gradient that is not the slope of the loss, found by differences in double precision.

    ## Why it hurts

    A backward pass of one's own with a wrong factor or sign trains, but not towards a lower loss.

    ## How to fix it

    Compare the function with ``torch.autograd.gradcheck``.

    ## When it is wrong

    Where the gradient is another on purpose, as with straight-through estimators, gradient reversal and stopped gradients.

    ## Reference

    37 reasons, item 26.
    """

    code = "PRE116"
    name = "wrong-gradient"
    severity: ClassVar[Severity] = "error"
    item = "26"
    measures = (Slope,)
    follows = ("PRE107", "PRE111", "PRE114", "PRE123")
    public = frozenset({"relative_error", "analytic", "numeric"})

    class Params(RuleParams):
        """Cuts."""

        error: float = Field(
            0.02, gt=0, description="Relative difference in one direction; rounding and kinks stay below."
        )
        detached: float = Field(
            0.5, gt=0, description="The same for a note where all backward passes are PyTorch's own."
        )

    params: Params

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare gradient and differences; only a backward pass of one's own is worth an alarm."""
        slope = profile[Slope]
        if slope.error <= self.params.error:
            return
        custom = [name for name in slope.custom if name != "CheckpointFunction"]
        named = f" ({quoted(custom)} has a backward pass of its own)" if custom else ""
        through = slope.flat
        if not custom and slope.error < self.params.detached:
            return
        yield Found(
            message=(
                f"the gradient of the loss is {digits(slope.analytic)} in a direction in which it changes by "
                f"{digits(slope.numeric)}{named}"
            ),
            consequence="Training moves in another direction than downhill.",
            remedy="Compare the function with torch.autograd.gradcheck; without one, look for detach in the forward pass.",
            severity="info" if not custom or through else None,
            evidence={"relative_error": slope.error, "analytic": slope.analytic, "numeric": slope.numeric},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Give the outputs a backward pass with the wrong factor."""
        return loop.wrong_backward(0.3)
