"""Probes of sequences of tokens: tables of vectors, masks, padding, and what a place of the output may see."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.torch.batches import mapped
from datalint.loops.torch.state import seeded
from datalint.profile.loop import Embedding, NotMeasured, Sequences

if TYPE_CHECKING:
    from datalint.loops.torch.session import Session

RUN = 2
"""Equal tokens at the end of a row from which they are taken for padding."""


def sequences(session: Session) -> Sequences:
    """What is known of sequences of tokens."""
    tables = embeddings(session)
    if session.broken:
        return Sequences(tables, None, 0, None, None, None, None, None, None, None)
    tokens = _tokens(session)
    if tokens is None:
        if not tables:
            raise NotMeasured("the model gets no tokens")
        return Sequences(tables, None, 0, None, None, None, None, None, None, None)
    padding = padding_of(session, tokens)
    inside = _padded(tokens, padding)
    ones, agrees, used = _mask(session, tokens, inside)
    shift, inner, later = _sight(session, tokens, inside)
    return Sequences(
        tables,
        padding,
        float(inside.float().mean()),
        ones,
        agrees,
        used,
        shift,
        inner,
        later,
        _on_padding(session, inside),
        _words_seen(session, tokens, inside),
    )


def _words_seen(session: Session, tokens: torch.Tensor, inside: torch.Tensor) -> bool | None:
    """Whether outputs that differ from sample to sample change where all words are others, and padding stays."""
    if not bool(inside.any()):
        return None
    other = tokens.clone()
    other[~inside] = tokens[~inside].roll(1)
    if bool((other == tokens).all()):
        return None
    twin = session.twin(train=False)
    before = _outputs(session, twin, session.batch)
    after = _outputs(session, twin, mapped(session.batch, lambda tensor: other if tensor is tokens else tensor))
    if before is None or after is None or before.shape != after.shape or len(before) != len(tokens):
        return None
    before, after = before.flatten(1), after.flatten(1)
    kept = torch.isfinite(before).all(1) & torch.isfinite(after).all(1)  # what sees nothing may be no number
    if not bool(kept.any()):
        return None
    before, after = before[kept], after[kept]
    spread = float((before - before.mean(0)).abs().max())
    if spread == 0:  # a head that begins at zero
        return None
    return float((after - before).abs().max()) > 1e-4 * spread


def embeddings(session: Session) -> tuple[Embedding, ...]:
    """The tables of vectors and the indices that they get."""
    twin = session.twin(train=False)
    found: dict[str, Embedding] = {}

    def look(name: str) -> Any:
        def hook(module: Any, args: Any) -> None:
            indices = args[0] if args else None
            if not isinstance(indices, torch.Tensor) or indices.is_floating_point() or not indices.numel():
                return
            low, high = int(indices.min()), int(indices.max())
            bad = low < 0 or high >= module.num_embeddings
            padding = None if module.padding_idx is None else int(module.padding_idx)
            found[name] = Embedding(name, module.num_embeddings, low, high, padding, bad)

        return hook

    handles = [
        module.register_forward_pre_hook(look(name))
        for name, module in twin.model.named_modules()
        if isinstance(module, torch.nn.Embedding)
    ]
    if not handles:
        return ()
    try:
        # What the tables got is known even where the model fails behind them.
        with contextlib.suppress(Exception), torch.no_grad(), seeded(0):
            if session.step is not None:
                session.step.run(twin, session.batch)
            else:
                _try_all(twin, session.batch)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found.values())


def _try_all(twin: Any, batch: Any) -> None:
    from datalint.loops.torch.step import find_step

    find_step(twin, batch)


def _tokens(session: Session) -> torch.Tensor | None:
    """The tokens that the model gets: whole numbers, a row per sample."""
    for tensor in session.way.inputs(session.batch):
        if (
            not tensor.is_floating_point()
            and tensor.ndim == 2
            and tensor.shape[0] == session.size
            and tensor.shape[1] > 3
            and len(tensor.unique()) > 2
        ):
            return tensor
    return None


def padding_of(session: Session, tokens: torch.Tensor) -> int | None:
    """The token that fills the ends of sequences."""
    config = getattr(session.model, "config", None)
    known = getattr(config, "pad_token_id", None)
    if isinstance(known, int) and bool((tokens == known).any()):
        return known
    tables = [m for m in session.model.modules() if isinstance(m, torch.nn.Embedding) and m.padding_idx is not None]
    if tables and bool((tokens == int(tables[0].padding_idx or 0)).any()):
        return int(tables[0].padding_idx or 0)
    runs = [int(row[-1]) for row in tokens if bool((row[-RUN:] == row[-1]).all())]
    value = max(set(runs), key=runs.count) if runs else None
    if value is None or runs.count(value) < max(3, 0.2 * len(tokens)):
        return None
    # A token that never stands before another one only fills.
    inside = _padded(tokens, value)
    alone = bool(((tokens == value) & ~inside).sum() == 0)
    return value if alone and len(inside.sum(1).unique()) > 1 else None


def _padded(tokens: torch.Tensor, padding: int | None) -> torch.Tensor:
    """Places at the ends of rows that hold the padding token."""
    if padding is None:
        return torch.zeros_like(tokens, dtype=torch.bool)
    same = (tokens == padding).flip(1).cumprod(1).flip(1).bool()
    front = (tokens == padding).cumprod(1).bool()
    return same | front


def _mask(
    session: Session, tokens: torch.Tensor, inside: torch.Tensor
) -> tuple[float | None, float | None, bool | None]:
    """Share of ones in the attention mask, how far it agrees with the padding, and whether it hides what it should."""
    batch = session.batch[0] if isinstance(session.batch, (list, tuple)) else session.batch
    if not isinstance(batch, Mapping) or not isinstance(batch.get("attention_mask"), torch.Tensor):
        return None, None, None
    mask = batch["attention_mask"]
    if mask.shape != tokens.shape:
        return None, None, None
    ones = float((mask != 0).float().mean())
    agrees = float(((mask != 0) == ~inside).float().mean()) if inside.any() else None
    hidden = mask == 0
    if not bool(hidden.any()) or not bool((~hidden).any()):
        return ones, agrees, None
    other = torch.where(hidden, tokens.roll(1, 0).clamp(min=1), tokens)
    if bool((other == tokens).all()):
        return ones, agrees, None
    change = _change(session, tokens, other)
    if change is None or change.ndim < 2 or change.shape[:2] != tokens.shape:
        return ones, agrees, None
    return ones, agrees, bool(change[~hidden].max() <= 1e-4)


def _outputs(session: Session, twin: Any, batch: Any) -> torch.Tensor | None:
    with session.sparing(), seeded(0):
        output = session.way.run(twin, batch).output
    return None if output is None else output.detach().float()


def _change(session: Session, tokens: torch.Tensor, other: torch.Tensor) -> torch.Tensor | None:
    """How much the outputs change where the tokens are others, relative to their size, at each place."""
    twin = session.twin(train=False)
    before = _outputs(session, twin, session.batch)
    batch = mapped(session.batch, lambda tensor: other if tensor is tokens else tensor)
    after = _outputs(session, twin, batch)
    if before is None or after is None or before.shape != after.shape:
        return None
    change = (after - before).abs() / (float(before.abs().max()) or 1.0)
    return (
        change.amax(-1)
        if change.ndim == tokens.ndim + 1 and change.shape[:2] == tokens.shape
        else _places(change, tokens)
    )


def _places(change: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """A value for each place of the outputs, where classes lie on the second axis."""
    if change.ndim == 3 and change.shape[0] == tokens.shape[0] and change.shape[2] == tokens.shape[1]:
        return change.amax(1)
    if change.ndim == 2 and change.shape[0] == tokens.numel():
        return change.amax(1).reshape(tokens.shape)
    return change


def _sight(session: Session, tokens: torch.Tensor, inside: torch.Tensor) -> tuple[int | None, int | None, bool | None]:
    """How far targets are ahead of inputs, what the loss moves, and whether outputs see later inputs."""
    target = session.first[1].target
    if target is None or target.is_floating_point() or target.numel() != tokens.numel():
        return None, None, None
    target = target.reshape(tokens.shape)
    kept = (target >= 0) & ~inside
    shift = next((by for by in (0, 1, 2) if _equal(tokens, target, kept, by)), None)
    if shift is None:
        return None, None, None
    other = tokens.clone()
    middle = tokens.shape[1] // 2
    other[:, middle:] = tokens.roll(1, 0)[:, middle:]
    if bool((other == tokens).all()):
        return shift, None, None
    change = _change(session, tokens, other)
    later = None
    if change is not None and change.shape[:2] == tokens.shape:
        later = bool(change[:, :middle].max() > 1e-4)
    return shift, _inner(session, tokens, target), later


def _equal(tokens: torch.Tensor, target: torch.Tensor, kept: torch.Tensor, by: int) -> bool:
    """Whether targets are the inputs some places later."""
    width = tokens.shape[1] - by
    same = (target[:, :width] == tokens[:, by:]) & kept[:, :width]
    count = int(kept[:, :width].sum())
    return count > 8 and float(same.sum()) / count > 0.95


def _inner(session: Session, tokens: torch.Tensor, target: torch.Tensor) -> int | None:
    """Places by which the loss moves the targets: which output one target changes the gradient of."""
    twin = session.twin(train=False)
    batch = session.batch
    own = session.first[1].target
    middle = tokens.shape[1] // 2

    def gradient(given: Any) -> torch.Tensor | None:
        with seeded(0):
            made = session.way.run(twin, given)
            if made.output is None or not made.loss.requires_grad:
                return None
            (grad,) = torch.autograd.grad(made.loss, made.output, allow_unused=True)
        return None if grad is None else grad.detach()

    other = target.clone()
    other[:, middle] = target.roll(1, 0)[:, middle - 1]
    if own is None or not any(tensor is own for tensor in _all(batch)):
        return None
    changed = mapped(batch, lambda tensor: other.reshape(tensor.shape) if tensor is own else tensor)
    one, two = gradient(batch), gradient(changed)
    if one is None or two is None:
        return None
    places = _places((one - two).abs(), tokens)
    if places.ndim == 3 and places.shape[:2] == tokens.shape:
        places = places.amax(-1)
    if places.shape != tokens.shape or not bool((places > 0).any()):
        return None
    return middle - int(places.amax(0).argmax())


def _all(batch: Any) -> list[torch.Tensor]:
    from datalint.loops.torch.batches import tensors_in

    return tensors_in(batch)


def _on_padding(session: Session, inside: torch.Tensor) -> float | None:
    """Share of the loss's gradient at places whose target is padding."""
    made = session.first[1]
    if made.target is None or made.output is None or not bool(inside.any()) or not made.loss.requires_grad:
        return None
    if made.target.numel() != inside.numel() or made.target.is_floating_point():
        return None
    twin = session.twin()
    with seeded(0):
        made = session.way.run(twin, session.batch)
    if made.output is None:
        return None
    (grad,) = torch.autograd.grad(made.loss, made.output, allow_unused=True)
    if grad is None:
        return None
    places = _places(grad.detach().abs(), inside)
    if places.ndim == 3 and places.shape[:2] == inside.shape:
        places = places.sum(-1)
    if places.shape != inside.shape:
        return None
    # The first padding may be the end that is to be learnt.
    deep = inside & inside.roll(1, 1)
    deep[:, 0] = inside[:, 0]
    return float((places[deep] > 0).float().mean()) if bool(deep.any()) else None
