"""PRE107."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, FreeOutputs, Loop, LoopProfile, LoopRule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class LossDirection(LoopRule):
    """A loss that does not reward what it should: it has no gradient in the outputs, or falls as they become worse.

    The loss is minimised over the outputs themselves, without any model: what it likes best must be the targets.

    ## Why it hurts

    No model and no learning rate helps: the better it trains, the worse it predicts, or it does not train at all.

    ## How to fix it

    Look at the sign of the loss, and at what cuts it off from the outputs: ``argmax``, ``round``, ``detach``, ``item``,
    ``torch.tensor(...)``, ``no_grad``.

    ## When it is wrong

    Where targets are no predictions, as in contrastive learning: then only the missing gradient is judged.

    ## Reference

    37 reasons, item 18.
    """

    code = "PRE107"
    name = "loss-direction"
    severity: ClassVar[Severity] = "error"
    item = "18"
    measures = (FreeOutputs,)
    follows = ("PRE102", "PRE103", "PRE104", "PRE106")
    public = frozenset({"start", "end", "right_share", "right_before_share"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge what free outputs became."""
        free = profile[FreeOutputs]
        if not free.connected:
            yield Found(
                message="the loss has no gradient in the outputs of the model",
                consequence="Nothing is learnt: backward() fails, or moves nothing.",
                remedy="Look for argmax, round, detach, item, no_grad or torch.tensor(...) between outputs and loss.",
            )
            return
        if not free.end < free.start:
            return
        if free.right_after is not None and free.right_before is not None:
            # No loss of classes falls below zero while it leaves all of them wrong.
            fallen = free.right_after < 0.02 and (free.right_before > 0.02 or free.end < 0)
            if fallen or free.right_after < 0.5 * free.right_before:
                yield Found(
                    message=(
                        f"minimising the loss over the outputs alone takes the share of right ones from {free.right_before:.0%} "
                        f"to {free.right_after:.0%}: the loss rewards wrong predictions"
                    ),
                    consequence="The better it trains, the worse it predicts.",
                    remedy="Look at the sign of the loss, and at the order of its arguments.",
                    evidence={
                        "start": free.start,
                        "end": free.end,
                        "right_before_share": free.right_before,
                        "right_share": free.right_after,
                    },
                )
        elif (
            free.distance_after is not None
            and free.distance_before is not None
            and free.distance_after > 4 * free.distance_before
            and free.end < 0
        ):
            yield Found(
                message="minimising the loss over the outputs alone takes them away from the targets",
                consequence="The better it trains, the worse it predicts.",
                remedy="Look at the sign of the loss.",
                evidence={"start": free.start, "end": free.end},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Turn the sign of the loss."""
        if loop.criterion not in {"cross_entropy", "mse_loss", "binary_cross_entropy_with_logits"}:
            return None
        return loop.around_loss(lambda loss, output, target: -loss(output, target))
