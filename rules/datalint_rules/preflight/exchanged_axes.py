"""PRE137."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import FirstStep, Found, Loop, LoopProfile, LoopRule, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class ExchangedAxes(LoopRule):
    """A ``view`` or ``reshape`` that gives the axes of a tensor another order, where ``permute`` is meant.

    ``x.view(32, 3, 20, 20)`` of 32 pictures of (20, 20, 3) leaves all numbers where they are in memory: what is then called a
    channel holds bits of all three.

    ## Why it hurts

    Pixels, channels, times or samples are mixed up. The network learns something of it, which is less than it could.

    ## How to fix it

    Take ``permute`` or ``transpose`` to change the order of axes; ``view`` and ``reshape`` cut and join them alone.

    ## When it is wrong

    Where lengths agree by accident, as of 16 groups of 8 that become 8 groups of 16.

    ## Reference

    37 reasons, items 22 and 25.
    """

    code = "PRE137"
    name = "exchanged-axes"
    severity: ClassVar[Severity] = "error"
    item = "22, 25"
    measures = (FirstStep,)
    public = frozenset({"before", "after"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the first change of shape that only exchanges lengths."""
        found = profile[FirstStep].exchanges
        if found is None:
            raise Skip("changes of shape are not seen here")
        if not found:
            return
        first = found[0]
        where = f" in {first.place!r}" if first.place else ""
        evidence: dict[str, Any] = {"place": first.place, "before": list(first.before), "after": list(first.after)}
        yield Found(
            message=f"a tensor of shape {first.before} is given the shape {first.after}{where}, without its axes being permuted",
            consequence="What was next to each other is now elsewhere: samples, places or channels are mixed up.",
            remedy="Take permute or transpose; view and reshape only cut and join axes.",
            evidence=evidence,
        )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Give what the first table of vectors or convolution returns the shape of exchanged axes, and permute it back."""
        for kind in ("Conv2d", "Embedding"):
            for name in loop.layers(kind):
                return loop.replace_layer(name, lambda x: x.reshape(x.transpose(1, -1).shape).transpose(1, -1))
        return None
