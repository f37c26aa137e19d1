"""PRE111."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Gradients, Loop, LoopProfile, LoopRule, Severity, counted, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class CutGradient(LoopRule):
    """Parameters that training cannot move: cut off from the loss, all frozen, hidden in a list, or no parameters at all.

    ## Why it hurts

    What gets no gradient stays as it was drawn at random, without a word.

    ## How to fix it

    Look for ``detach``, ``.data``, ``no_grad``, ``argmax`` and ``torch.tensor(...)`` behind the layer. Put layers into
    ``nn.ModuleList`` or ``nn.ModuleDict`` instead of a list or dict, weights into ``nn.Parameter``, and make both in
    ``__init__``. Check ``requires_grad``.

    ## When it is wrong

    Where a part is frozen or detached on purpose: frozen parts are not reported, unless nothing else is left.

    ## Reference

    37 reasons, item 23.
    """

    code = "PRE111"
    name = "cut-gradient"
    severity: ClassVar[Severity] = "warning"
    item = "23"
    measures = (Gradients,)
    follows = ("PRE107", "PRE108", "PRE113", "PRE118", "PRE123", "PRE133")
    public = frozenset({"parameters", "share", "cut_share"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Judge the parameters by their gradients."""
        gradients = profile[Gradients]
        if gradients.hidden:
            yield Found(
                message=f"layers in a plain list or mapping ({quoted(list(gradients.hidden))}) are unknown to the model",
                consequence="They are neither trained, nor moved to a device, nor saved.",
                remedy="Put them into nn.ModuleList or nn.ModuleDict.",
                severity="error",
                subject="hidden",
                evidence={"modules": list(gradients.hidden)},
            )
        yield from _strangers(gradients)
        own = [p for p in gradients.parameters if p.trainable]
        if not own:
            yield Found(
                message="no parameter is trainable: requires_grad is off for all",
                consequence="Nothing is learnt.",
                remedy="Set requires_grad for what shall be trained.",
                severity="error",
                subject="frozen",
            )
            return
        total = sum(p.size for p in own)
        for cut, subject, why in (
            ([p for p in own if p.called and not p.connected], "cut", "has no path to the loss"),
            ([p for p in own if p.connected and not p.moving], "zero", "is zero in all of the first steps"),
        ):
            share = sum(p.size for p in cut) / total
            if cut:
                layers = list(dict.fromkeys(p.name.rpartition(".")[0] or p.name for p in cut))
                subjects = f"the gradient of {counted(len(cut), 'parameter')} in {quoted(layers[:3])}"
                yield Found(
                    message=f"{subjects}{' and more' if len(layers) > 3 else ''} {why} ({share:.0%} of what is trainable)",
                    consequence="These weights stay as they were drawn at random.",
                    remedy="Look for detach, .data, no_grad and argmax behind them, and for activations that are always zero.",
                    severity="error" if share > 0.5 else None,
                    subject=subject,
                    evidence={"parameters": len(cut), "cut_share": share, "layers": list(layers[:20])},
                )
        idle = [p for p in own if not p.called and not p.connected]
        if idle:
            yield Found(
                message=f"{counted(len(idle), 'parameter')} of layers that never run, such as {idle[0].name}",
                consequence="They are saved and counted, and never trained.",
                remedy="Remove them, or use them in forward().",
                severity="info",
                subject="idle",
                evidence={"parameters": len(idle)},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Detach the output of a layer from what comes before."""
        layers = [name for name in loop.layers() if any(p.requires_grad for p in loop.layers()[name].parameters())]
        weighty = [name for name in layers[1:-1] if "Norm" not in type(loop.layers()[name]).__name__]
        if len(weighty) < 1 or loop.layers("RNN") or loop.layers("LSTM") or loop.layers("GRU"):
            return None
        return loop.replace_layer(weighty[-1], lambda output: output.detach())


def _strangers(gradients: Gradients) -> Iterator[Found]:
    """Judge what the loss reaches and no optimizer will get."""
    if gradients.fresh:
        yield Found(
            message=f"the loss reaches {counted(gradients.fresh, 'parameter')} that the model makes anew at each call",
            consequence="They are drawn at random each time, and never trained.",
            remedy="Make the layer in __init__, and call it in forward().",
            severity="error",
            subject="fresh",
            evidence={"parameters": gradients.fresh},
        )
    if gradients.strange:
        yield Found(
            message=f"{quoted(list(gradients.strange[:3]))} has a gradient, and is no parameter of the model",
            consequence="The optimizer does not get it from model.parameters(), and it is not saved.",
            remedy="Wrap it in nn.Parameter.",
            subject="plain",
            evidence={"tensors": list(gradients.strange[:20])},
        )
