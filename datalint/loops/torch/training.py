"""Probes that train copies: outputs by themselves, one step of the optimizer, a few samples by heart."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.by_heart import Levels, Tried, distinct, ended, learnt, levels
from datalint.loops.limits import FREE_STEPS, HASTY, HEART_STEPS, SLOWEST
from datalint.loops.torch.batches import fingerprint, taken
from datalint.loops.torch.first import SHAPES, best_constant
from datalint.loops.torch.state import parameters_of, seeded
from datalint.loops.torch.trace import maker_of
from datalint.profile.loop import ByHeart, FreeOutputs, Modes, NotMeasured, Optimized

if TYPE_CHECKING:
    from datalint.loops.torch.session import Session
    from datalint.loops.torch.state import Twin
    from datalint.loops.torch.step import Made


# --- outputs by themselves --------------------------------------------------------------------------------------------


def free_outputs(session: Session) -> FreeOutputs:
    """Minimise the loss over the outputs."""
    twin = session.twin()
    batch, _ = session.few
    made = session.way.run(twin, batch)
    if made.output is None or not made.output.is_floating_point():
        raise NotMeasured("the prediction within the model is not known")
    free = Free(session, twin, batch, made)
    if not free.connected:
        return FreeOutputs(connected=False)
    start, before = free.loss(), free.outputs().detach().clone()
    end = free.run(FREE_STEPS)
    after = free.outputs().detach().clone()
    target = made.target
    return FreeOutputs(
        True,
        start,
        end,
        right(before, target),
        right(after, target),
        distance(before, target),
        distance(after, target),
    )


class Free:
    """Outputs that are free to become what the loss likes best."""

    def __init__(self, session: Session, twin: Twin, batch: Any, made: Made) -> None:
        self.session, self.twin, self.batch, self.made = session, twin, batch, made
        assert made.output is not None
        output = made.output.detach()
        self.kind = maker_of(made.output)
        self.axis = 1 if output.ndim == 4 else output.ndim - 1
        self.dtype = output.dtype
        if self.kind in SHAPES:
            self.values = 0.01 * torch.randn(output.shape, device=output.device)
        else:
            self.values = output.float().clone()
        self.values.requires_grad_()
        self.scale = max(0.1, float(self.values.detach().std()) if output.numel() > 1 else 0.1)

    def outputs(self) -> torch.Tensor:
        """As the loss gets them."""
        shaped = SHAPES[self.kind](self.values, self.axis) if self.kind in SHAPES else self.values
        return shaped.to(self.dtype)

    def _loss(self) -> torch.Tensor:
        with seeded(0):
            return self.session.way.loss_of(self.twin, self.batch, self.made, self.outputs())

    @property
    def connected(self) -> bool:
        """Whether the loss has a gradient in them."""
        loss = self._loss()
        if not loss.requires_grad:
            return False
        (grad,) = torch.autograd.grad(loss, self.values, allow_unused=True)
        return grad is not None and bool((grad != 0).any())

    def loss(self) -> float:
        """As it is now."""
        with torch.no_grad():
            return float(self._loss())

    def run(self, steps: int) -> float:
        """Some steps; returns the last loss."""
        spread = self.made.target
        if spread is not None and spread.is_floating_point() and spread.numel():
            reach = float((spread.detach().float().abs()).max())
            self.scale = max(self.scale, reach / 10 if math.isfinite(reach) else 0)
        optimizer = torch.optim.Adam([self.values], lr=self.scale / 2)
        value = math.nan
        for _ in range(steps):
            loss = self._loss()
            value = float(loss.detach())
            (grad,) = torch.autograd.grad(loss, self.values, allow_unused=True)
            if grad is None or not math.isfinite(value) or self.session.short():
                break
            self.values.grad = grad
            optimizer.step()
        return self.loss()


def right(output: torch.Tensor, target: torch.Tensor | None) -> float | None:
    """Share of the predictions that hit their target."""
    if target is None or target.numel() == 0:
        return None
    whole = not target.is_floating_point()
    if whole and output.ndim == target.ndim + 1:
        axis = output.ndim - 1 if output.shape[:-1] == target.shape else 1
        if output.shape[axis] < 2:
            return None
        kept = target >= 0
        hits = (output.argmax(axis) == target)[kept]
        return float(hits.float().mean()) if hits.numel() else None
    if output.numel() == target.numel() and set(target.unique().tolist()) <= {0, 1}:
        middle = 0.5 if float(output.min()) >= 0 and float(output.max()) <= 1 else 0.0
        return float(((output.reshape(-1) > middle) == (target.reshape(-1) > 0.5)).float().mean())
    return None


def distance(output: torch.Tensor, target: torch.Tensor | None) -> float | None:
    """Mean squared distance of numbers from their targets."""
    if target is None or not target.is_floating_point() or output.numel() != target.numel() or not target.numel():
        return None
    return float((output.reshape(-1).float() - target.reshape(-1).float()).square().mean())


# --- one step of the optimizer ----------------------------------------------------------------------------------------


def optimized(session: Session) -> Optimized:
    """The optimizer against the model, and what one step of it does."""
    if session.optimizer is None:
        raise NotMeasured("no optimizer was given")
    own = {id(p): name for name, p in session.model.named_parameters() if p.requires_grad}
    every = {id(p) for p in session.model.parameters()}
    if isinstance(session.loss, torch.nn.Module):
        own |= {id(p): f"loss.{name}" for name, p in session.loss.named_parameters() if p.requires_grad}
        every |= {id(p) for p in session.loss.parameters()}
    held = [p for group in session.optimizer.param_groups for p in group["params"]]
    ids = {id(p) for p in held}
    missing = [name for key, name in own.items() if key not in ids]
    sizes = {id(p): p.numel() for p in (*session.model.parameters(), *_loss_parameters(session))}
    total = sum(sizes[key] for key in own)
    groups = session.optimizer.param_groups
    found: dict[str, Any] = {
        "kind": type(session.optimizer).__name__,
        "missing": tuple(missing),
        "missing_share": sum(sizes[key] for key in own if key not in ids) / max(1, total),
        "foreign": sum(id(p) not in every for p in held),
        "twice": len(held) - len(ids),
        "rates": tuple(float(group.get("lr", 0)) for group in groups),
        "scheduled": tuple(float(group["initial_lr"]) for group in groups if "initial_lr" in group),
        "decays": tuple(float(group.get("weight_decay", 0) or 0) for group in groups),
        "decoupled": "AdamW" in type(session.optimizer).__name__ or bool(groups[0].get("decoupled_weight_decay")),
    }
    left = sum(p.grad is not None and bool((p.grad != 0).any()) for p in session.model.parameters())
    return Optimized(**found, **_one_step(session), kept=_kept(session), left=left)


def _kept(session: Session) -> int:
    """Gradients of its own parameters that the optimizer does not clear."""
    twin = session.twin()
    held = [p for group in twin.optimizer.param_groups for p in group["params"]]
    for p in held:
        p.grad = torch.ones_like(p)
    twin.optimizer.zero_grad()
    return sum(p.grad is not None and bool((p.grad != 0).any()) for p in held)


def _loss_parameters(session: Session) -> list[Any]:
    return list(session.loss.parameters()) if isinstance(session.loss, torch.nn.Module) else []


def _one_step(session: Session) -> dict[str, Any]:
    twin = session.twin()
    held = [(p, group) for group in twin.optimizer.param_groups for p in group["params"]]
    with seeded(0):
        loss = session.way.run(twin, session.batch).loss
    if not loss.requires_grad:
        return {"moved": None, "ratio": None, "decay_ratio": 0.0}
    give_gradients(twin, loss)
    exact = [(p, p.detach().clone(), p.grad.clone()) for p, _ in held if p.grad is not None]
    reached = [(p, group) for p, group in held if p.grad is not None and float(p.grad.abs().sum()) > 0]
    before = [p.detach().clone() for p, _ in reached]
    grad = math.sqrt(sum(float(p.grad.float().square().sum()) for p, _ in reached))
    decay = math.sqrt(
        sum(float((float(g.get("weight_decay", 0) or 0) * p.detach().float()).square().sum()) for p, g in held)
    )
    twin.optimizer.step()
    changes = [(was, p.detach() - was) for was, (p, _) in zip(before, reached, strict=True)]
    moved = sum(bool((change != 0).any()) for _, change in changes) / len(changes) if changes else None
    if moved == 0:  # it may be rounded away
        changes = _exact_step(session, twin, exact)
    ratios = sorted(float(change.norm()) / _size(was) for was, change in changes if was.ndim > 1 and was.numel())
    return {
        "moved": moved,
        "ratio": ratios[len(ratios) // 2] if ratios else None,
        "decay_ratio": decay / grad if grad > 0 else 0.0,
    }


def _size(weight: torch.Tensor) -> float:
    """The norm of a weight; of one that begins at zero what it would be, drawn as PyTorch does."""
    return float(weight.norm()) or math.sqrt(weight.shape[0] / 3)


def _exact_step(
    session: Session, used: Twin, parts: list[tuple[Any, torch.Tensor, torch.Tensor]]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weights and their change in a step of the optimizer in double precision."""
    twin = session.twin()
    fresh = dict(zip(map(id, parameters_of(used)), parameters_of(twin), strict=True))
    found = []
    for old, was, grad in parts:
        parameter = fresh.get(id(old))
        if parameter is not None:
            parameter.data, parameter.grad = was.double(), grad.double()
            found.append((was.double(), parameter))
    try:
        twin.optimizer.step()
    except RuntimeError:  # its state may be bound to single precision
        return []
    return [(was, parameter.detach() - was) for was, parameter in found]


def give_gradients(twin: Twin, loss: torch.Tensor) -> None:
    """Put the gradients into the copy alone, whatever else the loss reaches."""
    wanted = [p for p in parameters_of(twin) if p.requires_grad]
    grads = torch.autograd.grad(loss, wanted, allow_unused=True) if wanted else ()
    for parameter, grad in zip(wanted, grads, strict=True):
        parameter.grad = grad


# --- by heart ---------------------------------------------------------------------------------------------------------


def by_heart(session: Session) -> ByHeart:
    """Train on a few samples with the optimizer that was given, and where that fails with others."""
    batch, count = _distinct(session)
    known = _levels(session, batch)

    def own(seconds: float, factor: float = 1.0) -> Tried[Twin]:
        return _attempt(session, batch, known.goal, None, seconds, factor=factor)

    def other(rate: float, seconds: float) -> Tried[Twin]:
        return _attempt(session, batch, known.goal, torch.optim.Adam, seconds, rate=rate)

    return learnt(session, count, known, _rate(session), own, other, lambda tried: _gap(session, tried, batch))


def _rate(session: Session) -> float | None:
    if session.optimizer is None:
        return None
    return _aimed(session.optimizer.param_groups[0])


def _aimed(group: dict[str, Any]) -> float:
    """The learning rate of a group; while it warms up, the one that it comes to."""
    return max(float(group["lr"]), float(group.get("initial_lr", 0)))


def _distinct(session: Session) -> tuple[Any, int]:
    """A few samples of the first batch with different inputs."""

    def key_of(row: int) -> int:
        return fingerprint(session.way.inputs(taken(session.batch, torch.tensor([row]), session.size)))

    rows = distinct(session.size, key_of)
    return taken(session.batch, torch.tensor(rows), session.size), len(rows)


def _levels(session: Session, batch: Any) -> Levels:
    """The loss by chance, the least that there can be, and the one at the start."""
    twin = session.twin()
    quiet(twin)
    made = session.way.run(twin, batch)
    start = float(made.loss.detach())
    if made.output is None or not made.output.is_floating_point() or not made.loss.requires_grad:
        raise NotMeasured("the prediction within the model is not known")
    chance = best_constant(session, twin, batch, made)
    free = Free(session, twin, batch, made)
    return levels(chance, free.run(FREE_STEPS), start)


def quiet(twin: Twin) -> None:
    """Switch dropout off."""
    for part in (twin.model, twin.loss):
        if isinstance(part, torch.nn.Module):
            for module in part.modules():
                if "Dropout" in type(module).__name__ or "DropPath" in type(module).__name__:
                    module.eval()
                elif isinstance(module, (torch.nn.RNNBase, torch.nn.MultiheadAttention)):
                    module.dropout = 0.0


def _attempt(
    session: Session, batch: Any, goal: float, kind: Any, seconds: float, *, rate: float = 1e-3, factor: float = 1.0
) -> Tried[Twin]:
    twin = session.twin()
    quiet(twin)
    parameters = [p for p in parameters_of(twin) if p.requires_grad]
    if not parameters:
        raise NotMeasured("no parameter is trainable")
    optimizer = twin.optimizer
    if kind is not None or optimizer is None:
        optimizer = (kind or torch.optim.Adam)(parameters, lr=rate)
    else:
        for group in optimizer.param_groups:
            group["lr"] = _aimed(group) * factor
    losses: list[float] = []
    until = time.monotonic() + seconds
    diverged = False
    with seeded(0):
        for step in range(HEART_STEPS):
            loss = session.way.run(twin, batch).loss
            value = float(loss.detach())
            losses.append(value)
            if not math.isfinite(value) or value > 1e3 * (abs(losses[0]) + 1):
                diverged = True
                break
            if (value <= goal and step > 2) or not loss.requires_grad:
                break
            if time.monotonic() > until:
                return Tried(losses, twin, diverged, False)
            give_gradients(twin, loss)
            optimizer.step()
    return ended(losses, twin, goal, diverged)


def _gap(session: Session, own: Tried[Twin], batch: Any) -> tuple[float, float]:
    """The loss of what was trained in both modes, once running statistics had time to follow."""
    with session.sparing(), seeded(0):
        train = math.nan
        for _ in range(60):
            train = float(session.way.run(own.trained, batch).loss.detach())
            if session.short() or not any(
                isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in own.trained.model.modules()
            ):
                break
        own.trained.model.eval()
        evaluated = float(session.way.run(own.trained, batch).loss.detach())
    return train, evaluated


# --- modes --------------------------------------------------------------------------------------------------------------


def modes(session: Session) -> Modes:
    """Modes as they were handed over, and layers that depend on them."""
    norms = [
        (name, module)
        for name, module in session.model.named_modules()
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
    ]
    dropouts = [
        (name, float(module.p))
        for name, module in session.model.named_modules()
        if isinstance(module, torch.nn.modules.dropout._DropoutNd)
    ]
    return Modes(
        bool(session.model.training),
        tuple(dropouts),
        tuple(
            name
            for name, module in norms
            if module.track_running_stats
            and module.momentum is not None
            and module.momentum < SLOWEST
            and module.training
        ),
        len(norms),
        _hasty(session, [name for name, m in norms if m.training and (m.momentum or 0) >= HASTY]),
    )


def _hasty(session: Session, names: list[str]) -> tuple[tuple[str, int], ...]:
    """These layers with how many numbers of a batch their statistics come from."""
    if not names or session.step is None:
        return ()
    twin = session.twin()
    found: dict[str, int] = {}

    def look(name: str) -> Any:
        def hook(_module: Any, args: Any) -> None:
            found.setdefault(name, args[0].numel() // args[0].shape[1])

        return hook

    for name in names:
        twin.model.get_submodule(name).register_forward_pre_hook(look(name))
    with session.sparing(), seeded(0):
        session.way.run(twin, session.batch)
    return tuple(found.items())
