"""What the graph of a loss tells: the tensors that it is made of, and functions with a backward pass of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.torch.batches import tensors_in
from datalint.loops.torch.state import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.loops.torch.session import Session
    from datalint.loops.torch.state import Twin


def _nodes(loss: torch.Tensor) -> Iterator[Any]:
    todo: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while todo and len(seen) < 100_000:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        todo += [parent for parent, _ in node.next_functions]


def custom_in(loss: torch.Tensor) -> list[str]:
    """Functions whose backward pass is written in Python."""
    return [
        type(node).__name__.removesuffix("Backward")
        for node in _nodes(loss)
        if isinstance(node, torch.autograd.function.BackwardCFunction)
    ]


def leaves_of(loss: torch.Tensor) -> list[Any]:
    """The tensors with a gradient of their own that a loss is made of; none where it holds slopes of slopes."""
    nodes = list(_nodes(loss))
    if any("BackwardBackward" in type(node).__name__ for node in nodes):
        return []  # what a slope is taken in needs a gradient, and is no weight
    return [node.variable for node in nodes if hasattr(node, "variable")]


def strangers(session: Session, twin: Twin, unknown: list[Any]) -> tuple[tuple[str, ...], int]:
    """Of leaves that are no parameters: those that the model holds, and how many are made anew at each call."""
    optimizers = [owner.optimizer for owner in (session, twin) if owner.optimizer is not None]
    trained = {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
    ids = {id(leaf) for leaf in unknown} - trained
    held = tuple(
        f"{name}.{key}" if name else key
        for name, module in twin.model.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, torch.Tensor) and id(value) in ids
    )
    with seeded(0):
        again = leaves_of(session.way.run(twin, session.batch).loss)
    lasting = {id(leaf) for leaf in again}
    shapes = {tensor.shape for tensor in tensors_in(session.batch)}
    fresh = [
        leaf
        for leaf in unknown
        if isinstance(leaf, torch.nn.Parameter) and id(leaf) not in lasting and leaf.shape not in shapes
    ]
    return held, len(fresh)
