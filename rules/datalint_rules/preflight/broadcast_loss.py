"""PRE104."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import FirstStep, Found, Loop, LoopProfile, LoopRule, Severity, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class BroadcastLoss(LoopRule):
    """A loss that compares every prediction with every target, because their shapes differ and are stretched to fit.

    Predictions of the shape (32, 1) minus targets of the shape (32,) are 32 times 32 differences, not 32.

    ## Why it hurts

    The best that such a loss allows is the mean of the targets for all samples: the loss stops at their variance, and the
    model learns to ignore its inputs. Nothing fails.

    ## How to fix it

    Give both one shape: ``output.squeeze(1)``, or ``target.unsqueeze(1)``.

    ## When it is wrong

    Where all pairs are meant, as in contrastive losses: then the shapes of outputs and targets are not those of a sample each.

    ## Reference

    37 reasons, items 18 and 19.
    """

    code = "PRE104"
    name = "broadcast-loss"
    severity: ClassVar[Severity] = "error"
    item = "18, 19"
    measures = (FirstStep,)
    public = frozenset({"output", "target", "result"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Look for arithmetic of predictions with targets that makes pairs."""
        first = profile[FirstStep]
        found = next((s for s in first.stretches if _pairs(s, first)), None)
        if found is None:
            return
        yield Found(
            message=(
                f"the loss stretches predictions of shape {found.left} and targets of shape {found.right} to "
                f"{found.result}: every prediction is compared with every target"
            ),
            consequence="The loss stops at the variance of the targets, whatever the model learns.",
            remedy="Give both one shape: output.squeeze(-1) or target.unsqueeze(-1).",
            evidence={"output": list(found.left), "target": list(found.right), "result": list(found.result)},
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Give predictions of one number a second axis that the targets do not have, or take theirs away."""
        if loop.criterion != "mse_loss":
            return None

        def pairs(_loss: object, output: object, target: object) -> object:
            if getattr(output, "ndim", 0) == getattr(target, "ndim", 0) == 1:
                return ((output[:, None] - target) ** 2).mean()  # type: ignore[index]
            if getattr(output, "shape", (0, 0))[1:] == (1,):
                return ((output - target.reshape(-1)) ** 2).mean()  # type: ignore[attr-defined]
            return None

        return loop.around_loss(pairs) if loop.scalar else None


def _pairs(stretch: Stretch, first: FirstStep) -> bool:
    """Whether the two are a prediction and a target of as many samples, and the result has them against each other."""
    left, right = stretch.left, stretch.right
    count = max(left[0] if left else 0, 1)
    sizes = sorted([_size(left), _size(right)])
    return (
        count > 1
        and bool(right)
        and sizes[0] == sizes[1]
        and _size(stretch.result) == sizes[0] * max(left[0], right[-1], right[0], left[-1])
        and _size(left) in {_size(first.output_shape), _size(first.target_shape)}
    )


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
