"""Probes of the loader: what its first batches hold, and whether they are what the data set says."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from datalint.loops.randomness import put_back, random_sources, seed_all, state_of
from datalint.loops.torch.batches import axis_of, fingerprint, mapped, samples_of, taken
from datalint.loops.torch.state import seeded
from datalint.loops.torch.training import quiet
from datalint.profile.loop import Collated, Input, Loaded, NotMeasured
from datalint.sources.objects.draw import is_stream, said

if TYPE_CHECKING:
    from datalint.loops.torch.session import Session

PAIRS = 64
"""Samples that are compared with their items."""

SCORED = 160
"""Samples from which a simple model learns."""

USUAL = (0.02, 5.0)
"""Sizes of inputs that suit any network: whether it scales them is not asked."""

ALIKE = 0.2
"""Change of outputs against their differences from sample to sample, from which on the size of inputs matters."""

TURNS: dict[str, Any] = {
    "flipped left to right": lambda picture: picture.flip(-1),
    "flipped upside down": lambda picture: picture.flip(-2),
    "turned": lambda picture: picture.rot90(1, (-2, -1)),
    "turned back": lambda picture: picture.rot90(-1, (-2, -1)),
    "turned around": lambda picture: picture.rot90(2, (-2, -1)),
}


def loaded(session: Session) -> Loaded:
    """The first batches as they came."""
    drawn = session.drawn
    prints = [fingerprint(batch) for batch in drawn.batches]
    classes = _classes(session)
    single = 0
    if classes:
        single = sum(len(batch) >= 8 and len(set(batch.tolist())) == 1 for batch in classes)
    every = torch.cat(classes) if classes else torch.zeros(0, dtype=torch.long)
    first = session.first if session.step is not None else None
    output = first[1].output if first is not None else None
    lengths = [("samples", session.size)]
    if output is not None:
        lengths += [(f"axis {k} of the outputs", int(size)) for k, size in enumerate(output.shape) if k]
    for number, tensor in enumerate(session.way.inputs(session.batch)[:3]):
        name = "the input" if number == 0 else f"input {number + 1}"
        lengths += [(f"axis {k} of {name}", int(size)) for k, size in enumerate(tensor.shape) if k]
    return Loaded(
        batches=len(prints),
        repeated=len(prints) - len(set(prints)),
        single=single,
        classes=len(every.unique()),
        low=int(every.min()) if every.numel() else 0,
        high=int(every.max()) if every.numel() else 0,
        labelled=every.numel(),
        shuffled=_shuffled(session.loader),
        only=drawn.ended,
        inputs=tuple(_input(session, number) for number in _numeric(session)),
        lengths=tuple(lengths),
    )


def _classes(session: Session) -> list[torch.Tensor]:
    """The classes of the samples by batch; none where targets are none."""
    found = []
    for batch in session.drawn.batches:
        target = None
        if session.step is not None and session.step.arguments is not None:
            target = session.step.arguments(batch)[2]
        if not isinstance(target, torch.Tensor) or target.ndim != 1 or target.is_floating_point():
            return []
        found.append(target.detach().cpu())
    return found


def _shuffled(loader: Any) -> bool | None:
    sampler = getattr(loader, "sampler", None)
    if sampler is None:
        return None
    return type(sampler).__name__ != "SequentialSampler"


def _numeric(session: Session) -> list[int]:
    inputs = session.way.inputs(session.batch)
    return [k for k, tensor in enumerate(inputs) if tensor.is_floating_point() and tensor.numel() > 1][:4]


def _input(session: Session, number: int) -> Input:
    tensors = [session.way.inputs(batch)[number].detach().float() for batch in session.drawn.batches]
    values = torch.cat([tensor.reshape(-1) for tensor in tensors])
    values = values[torch.isfinite(values)]
    if not values.numel():
        values = torch.zeros(1)
    rows = [tensor.reshape(tensor.shape[0], -1) for tensor in tensors]
    zero = sum(int((part == 0).all(1).sum()) for part in rows)
    size = float(values.square().mean().sqrt())
    return Input(
        low=float(values.min()),
        high=float(values.max()),
        mean=float(values.mean()),
        deviation=float(values.std()) if values.numel() > 1 else 0.0,
        size=size,
        zeros=zero / max(1, sum(len(part) for part in rows)),
        picture=tensors[0].ndim == 4 and tensors[0].shape[1] in {1, 3},
        normalised=not USUAL[0] <= size <= USUAL[1] and _normalised(session, number),
        expected=_expected(session.model),
    )


def _normalised(session: Session, number: int) -> bool:
    """Whether the model scales an input itself: before its first weights, or right behind them."""
    if session.step is None:
        return False
    twin = session.twin()
    quiet(twin)
    order: list[tuple[str, bool, float]] = []
    handles = [module.register_forward_pre_hook(_noting(order)) for module in twin.model.modules() if _leaf(module)]
    before = _outputs(session, twin, session.batch)
    for handle in handles:
        handle.remove()
    first = next((k for k, (kind, weighty, _) in enumerate(order) if weighty and "Norm" not in kind), None)
    if first is None:
        return False
    if len(_numeric(session)) == 1 and USUAL[0] <= order[first][2] <= USUAL[1]:
        return True
    if not any("Norm" in kind for kind, _, _ in order[first + 1 : first + 3]):
        return False
    own = session.way.inputs(session.batch)[number]
    after = _outputs(session, twin, mapped(session.batch, lambda tensor: tensor / 2 if tensor is own else tensor))
    if before is None or after is None or before.shape != after.shape:
        return True
    spread = float((before - before.mean(axis_of(before, session.size) or 0, keepdim=True)).norm())
    # Where a head begins at zero nothing is seen.
    return spread == 0 or float((after - before).norm()) < ALIKE * spread


def _leaf(module: Any) -> bool:
    return not any(True for _ in module.children())


def _noting(order: list[tuple[str, bool, float]]) -> Any:
    def hook(module: Any, args: Any) -> None:
        given = args[0] if args else None
        if isinstance(given, torch.Tensor) and given.is_floating_point() and given.numel():
            weighty = any(True for _ in module.parameters(recurse=False))
            order.append(
                (
                    " ".join(base.__name__ for base in type(module).__mro__),
                    weighty,
                    float(given.detach().float().square().mean().sqrt()),
                )
            )

    return hook


def _outputs(session: Session, twin: Any, batch: Any) -> torch.Tensor | None:
    with session.sparing(), seeded(0):
        output = session.way.run(twin, batch).output
    return None if output is None else output.detach().float()


def _expected(model: Any) -> tuple[float, float] | None:
    """Mean and deviation that the weights were trained with, where the model says so, over its channels."""
    for name in ("pretrained_cfg", "default_cfg"):
        known = getattr(model, name, None)
        if known is not None:
            read = known.get if isinstance(known, dict) else lambda key, known=known: getattr(known, key, None)
            mean, deviation = read("mean"), read("std")
            if mean and deviation:
                return float(np.mean(mean)), float(np.mean(deviation))
    return None


# --- batches against items ------------------------------------------------------------------------------------------------


def collated(session: Session) -> Collated:
    """Batches against the items that they were made of."""
    loader = session.loader
    dataset = getattr(loader, "dataset", None)
    if dataset is None or is_stream(dataset) or not session.drawn.indices:
        raise NotMeasured("the loader does not tell which items it draws")
    compared, displaced, changing = _compared(session, dataset)
    lone, error = _lone(session)
    raw, own, majority = scores(dataset) if changing and session.left() > 3 else (None, None, None)
    return Collated(
        compared=compared,
        displaced=displaced,
        changing=changing,
        unlike=_unlike(dataset) if changing else (),
        same_seeds=_same_seeds(loader, dataset) if changing else "",
        lone=lone,
        lone_error=error,
        raw_score=raw,
        loaded_score=own,
        majority=majority,
    )


def _compared(session: Session, dataset: Any) -> tuple[int, int, bool]:
    """How many samples of the first batch were compared, how many of them have another's target, and whether items change."""
    indices = session.drawn.indices[0][:PAIRS]
    items = [_pair(dataset[index]) for index in indices]
    again = [_pair(dataset[index]) for index in indices[:4]]
    if any(item is None for item in (*items, *again)):
        return 0, 0, False
    changing = any(
        fingerprint(one[0]) != fingerprint(two[0])
        for one, two in zip(items, again, strict=False)
        if one is not None and two is not None
    )
    batch = session.batch
    if not isinstance(batch, (list, tuple)) or len(batch) != 2:
        return 0, 0, changing
    inputs, targets = batch
    if not (isinstance(inputs, torch.Tensor) and isinstance(targets, torch.Tensor)) or len(targets) != session.size:
        return 0, 0, changing
    inputs = inputs.movedim(axis_of(inputs, session.size) or 0, 0)
    keys = [item[1] for item in items if item is not None]
    rows = [targets[k].cpu() for k in range(len(keys))]
    if not all(isinstance(key, torch.Tensor) and key.shape == row.shape for key, row in zip(keys, rows, strict=True)):
        return 0, 0, changing
    wrong = [
        k for k, (key, row) in enumerate(zip(keys, rows, strict=True)) if not torch.allclose(key.float(), row.float())
    ]
    if not wrong:
        return len(keys), 0, changing
    # Another order of inputs and targets together is none of our business.
    values = {fingerprint(key) for key in keys}
    known = {fingerprint(row.to(keys[0].dtype)) for row in rows}
    if not known <= values or (not changing and _moved_together(items, inputs, targets)):
        return len(keys), 0, changing
    return len(keys), len(wrong), changing


def _moved_together(items: list[Any], inputs: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether the samples of the batch are those items in another order."""
    pairs = {(fingerprint(item[0].float()), fingerprint(item[1].float())) for item in items}
    found = {(fingerprint(inputs[k].float()), fingerprint(targets[k].float())) for k in range(len(items))}
    return len(found & pairs) >= 0.9 * len(items)


def _pair(item: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Input and target of an item, as tensors."""
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        return None
    try:
        return torch.as_tensor(np.asarray(item[0])), torch.as_tensor(np.asarray(item[1]))
    except (TypeError, ValueError, RuntimeError):
        return None


def _lone(session: Session) -> tuple[int, str]:
    """Samples of a last batch of one, and what the model says to it."""
    total, size = samples_of(session.loader), getattr(session.loader, "batch_size", None)
    if not total or not size or getattr(session.loader, "drop_last", False) or total % size != 1 or size == 1:
        return 0, ""
    twin = session.twin()
    try:
        with seeded(0), session.sparing():
            session.way.run(twin, taken(session.batch, torch.tensor([0]), session.size))
    except Exception as error:  # what the model says is what is wanted
        return 1, said(error)
    return 1, ""


def _unlike(dataset: Any) -> tuple[str, ...]:
    """Changes that an input undergoes from draw to draw, and a target of the same size does not."""
    found = []
    for index in range(min(3, len(dataset))):
        draws = [_pair(dataset[index]) for _ in range(8)]
        if any(draw is None for draw in draws):
            return ()
        inputs, targets = ([draw[part].float() for draw in draws if draw is not None] for part in (0, 1))
        if inputs[0].ndim < 2 or targets[0].ndim < 2 or inputs[0].shape[-2:] != targets[0].shape[-2:]:
            return ()
        for later, mask in zip(inputs[1:], targets[1:], strict=True):
            for name, turn in TURNS.items():
                turned, expected = turn(inputs[0]), turn(targets[0])
                if turned.shape != later.shape or torch.equal(turned, inputs[0]) or not torch.allclose(turned, later):
                    continue
                if torch.equal(mask, targets[0]) and not torch.equal(expected, targets[0]):
                    found.append(name)
    return tuple(dict.fromkeys(found))


def _same_seeds(loader: Any, dataset: Any) -> str:
    """Why workers draw the same random numbers."""
    workers = getattr(loader, "num_workers", 0)
    if workers < 2:
        return ""
    own = [source for source in random_sources(dataset) if not isinstance(source, torch.Generator)]
    start = getattr(loader, "worker_init_fn", None)
    if start is not None:
        states = []
        for worker in (0, 1):
            seed_all(1000 + worker)
            try:
                start(worker)
            except Exception:  # it may need a worker process
                return ""
            states.append((np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()))  # type: ignore[index]
        same = [name for k, name in enumerate(("NumPy", "PyTorch")) if states[0][k] == states[1][k]]
        return f"worker_init_fn gives all workers the same seed of {' and '.join(same)}" if same else ""
    if own:
        before = [state_of(source) for source in own]
        dataset[0]
        moved = any(repr(state_of(source)) != repr(state) for source, state in zip(own, before, strict=True))
        for source, state in zip(own, before, strict=True):
            put_back(source, state)
        if moved:
            return (
                f"the data set holds a random generator ({type(own[0]).__name__}), and every worker gets a copy of it"
            )
    return ""


def scores(dataset: Any) -> tuple[float | None, float | None, float | None]:
    """How well a simple model tells the classes of raw and of loaded items."""
    nothing = (None, None, None)
    holder = dataset
    while hasattr(holder, "dataset"):
        holder = holder.dataset
    if getattr(holder, "transform", None) is None:
        return nothing
    bare = copy.copy(holder)
    bare.transform = None
    total = min(len(holder), 20 * SCORED)
    rows = np.linspace(0, total - 1, min(SCORED, total)).astype(int)
    try:
        raw, own = ([_pair(source[int(row)]) for row in rows] for source in (bare, holder))
    except Exception:  # a data set may not work without its transform
        return nothing
    if any(item is None for item in (*raw, *own)):
        return nothing
    labels = np.array([int(item[1]) if item is not None and item[1].ndim == 0 else -1 for item in raw])
    shapes = {tuple(item[0].shape) for item in own if item is not None}
    counts = np.bincount(labels[labels >= 0]) if (labels >= 0).any() else np.zeros(1, int)
    if (labels < 0).any() or len(shapes) != 1 or (counts > 0).sum() < 2 or counts[counts > 0].min() < 5:
        return nothing
    return _score(raw, labels), _score(own, labels), float(counts.max() / counts.sum())


def _score(items: list[Any], labels: Any) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.stack([item[0].float().reshape(-1).numpy() for item in items])
    if features.shape[1] > 4096:
        features = features[:, :: math.ceil(features.shape[1] / 4096)]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, C=0.1))
    return float(cross_val_score(model, features, labels, cv=4).mean())
