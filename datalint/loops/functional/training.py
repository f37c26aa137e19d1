"""Probes that train: outputs by themselves, one step of the optimizer, a few samples by heart."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from datalint.loops.by_heart import Levels, Tried, distinct, ended, learnt, levels
from datalint.loops.functional.batches import fingerprint, taken
from datalint.loops.functional.named import OF_CLASSES, OF_LABELS, softmax, whole_classes
from datalint.loops.functional.network import Adam
from datalint.loops.limits import CLOSE, FREE_STEPS, HEART_STEPS
from datalint.profile.loop import ByHeart, Chance, FreeOutputs, Modes, NotMeasured, Optimized

if TYPE_CHECKING:
    from datalint.loops.functional.network import Optimizer
    from datalint.loops.functional.session import Session

# --- chance -----------------------------------------------------------------------------------------------------------


def chance(session: Session) -> Chance:
    """The first loss against the best constant prediction."""
    losses, constants, samples = [], [], 0
    for number, batch in enumerate(session.batches[:2]):
        made = session.first if number == 0 else session.run(batch)
        losses.append(made.loss)
        constants.append(Free(session, batch, made.output).best_constant())
        samples += session.size
    name, output = session.criterion[0], session.first.output
    assert output is not None
    classes = output.shape[-1] if name in OF_CLASSES else 2 if name in OF_LABELS else None
    # What the model adds to the loss is no part of chance.
    added = session.first.loss - Free(session, session.batches[0], output).loss()
    return Chance(
        loss=sum(losses) / len(losses),
        constant=sum(constants) / len(constants),
        classes=classes,
        uniform=math.log(classes) if classes and abs(added) < 1e-3 * max(1.0, abs(losses[0])) else None,
        samples=samples,
    )


class Free:
    """Outputs that are free to become what the loss likes best."""

    def __init__(self, session: Session, batch: Any, output: np.ndarray | None) -> None:
        if output is None or output.dtype.kind != "f":
            raise NotMeasured("the prediction of the model is not known")
        self.session, self.output = session, output
        self.target = session.target_of(batch)
        self._slopes = session.slope_of_outputs(session.arguments(batch).target)
        self.kind = _range(output)
        self.values = np.zeros(output.shape) if self.kind else output.astype(np.float64)
        self.scale = max(0.1, float(output.std()))

    def shaped(self, values: np.ndarray) -> np.ndarray:
        """As the loss gets them."""
        if self.kind == "softmax":
            values = softmax(values)
        elif self.kind == "log_softmax":
            values = np.log(softmax(values))
        elif self.kind == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        return values.astype(np.float32)

    def pulled(self, values: np.ndarray) -> tuple[float, np.ndarray | None]:
        """The loss of free values, and its slope in them."""
        outputs = self.shaped(values)
        loss, slope = self._slopes(outputs)
        if slope is None or not self.kind:
            return loss, slope
        if self.kind == "sigmoid":
            return loss, slope * outputs * (1 - outputs)
        if self.kind == "softmax":
            return loss, outputs * (slope - (slope * outputs).sum(-1, keepdims=True))
        return loss, slope - np.exp(outputs) * slope.sum(-1, keepdims=True)

    def loss(self) -> float:
        """As it is at the start, of the outputs themselves."""
        return self._slopes(self.output)[0]

    def run(self, steps: int) -> float:
        """Some steps; returns the last loss."""
        if self.target is not None and self.target.dtype.kind == "f" and self.target.size:
            reach = float(np.abs(self.target).max())
            self.scale = max(self.scale, reach / 10 if math.isfinite(reach) else 0)
        adam = Adam(self.scale / 2)
        state = adam.begin([self.values])
        for _ in range(steps):
            loss, slope = self.pulled(self.values)
            if slope is None or not math.isfinite(loss) or self.session.short():
                break
            (self.values,), state = adam.step([self.values], [slope], state, 1.0)
        return self.pulled(self.values)[0]

    def best_constant(self) -> float:
        """The loss of the best prediction that is the same everywhere."""
        from scipy.optimize import minimize

        axes = tuple(range(max(1, self.output.ndim - 1)))
        width = self.output.shape[-1] if self.output.ndim > 1 else 1
        start = np.zeros(width) if self.kind else self.output.astype(np.float64).mean(axes).reshape(width)
        start = np.nan_to_num(start)
        best = math.inf

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal best
            full = np.broadcast_to(flat if self.output.ndim > 1 else flat[0], self.output.shape)
            loss, slope = self.pulled(full.copy())
            if math.isfinite(loss):
                best = min(best, loss)
            down = np.zeros(width) if slope is None else np.nan_to_num(slope).sum(axes).reshape(width)
            return (loss if math.isfinite(loss) else 1e30), down.astype(np.float64)

        minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 40})
        return best


def _range(output: np.ndarray) -> str:
    """What outputs are bound to, without which a loss may refuse them."""
    if output.ndim > 1 and output.shape[-1] > 1:
        if (output >= 0).all() and np.abs(output.sum(-1) - 1).max() < CLOSE:
            return "softmax"
        if (output <= 0).all() and np.abs(np.exp(output).sum(-1) - 1).max() < CLOSE:
            return "log_softmax"
    return "sigmoid" if output.size > 8 and ((output > 0) & (output < 1)).all() else ""


# --- outputs by themselves --------------------------------------------------------------------------------------------


def free_outputs(session: Session) -> FreeOutputs:
    """Minimise the loss over the outputs."""
    batch, _ = session.few
    made = session.run(batch)
    free = Free(session, batch, made.output)
    _, slope = free.pulled(free.values)
    if slope is None or not np.any(slope):
        return FreeOutputs(connected=False)
    before = free.shaped(free.values)
    start = free.pulled(free.values)[0]
    end = free.run(FREE_STEPS)
    after = free.shaped(free.values)
    target = free.target
    return FreeOutputs(
        True,
        start,
        end,
        right(before, target),
        right(after, target),
        distance(before, target),
        distance(after, target),
    )


def right(output: np.ndarray, target: np.ndarray | None) -> float | None:
    """Share of the predictions that hit their target."""
    if target is None or target.size == 0:
        return None
    if whole_classes(output.shape, target):
        hit = output.argmax(-1)
        own = target.argmax(-1) if target.shape == output.shape else target.reshape(hit.shape)
        return float((hit == own).mean())
    if output.size == target.size and ((target == 0) | (target == 1)).all():
        middle = 0.5 if output.min() >= 0 and output.max() <= 1 else 0.0
        return float(((output.reshape(-1) > middle) == (target.reshape(-1) > 0.5)).mean())
    return None


def distance(output: np.ndarray, target: np.ndarray | None) -> float | None:
    """Mean squared distance of numbers from their targets."""
    if target is None or target.dtype.kind != "f" or output.size != target.size or not target.size:
        return None
    return float(((output.reshape(-1) - target.reshape(-1)) ** 2).mean())


# --- one step of the optimizer ----------------------------------------------------------------------------------------


def optimized(session: Session) -> Optimized:
    """What one step of the optimizer does."""
    optimizer = session.optimizer
    if optimizer is None:
        raise NotMeasured("no optimizer was given")
    state = optimizer.begin(session.values)
    slopes = session.first.slopes
    values, _ = optimizer.step(list(session.values), slopes, state, 1.0)
    pairs = [
        (before, after - before)
        for before, after, s in zip(session.values, values, slopes, strict=True)
        if s is not None and np.any(s)
    ]
    norms = [(float(np.linalg.norm(b)), float(np.linalg.norm(c))) for b, c in pairs if b.ndim > 1]
    ratios = sorted(change / size for size, change in norms if size > 0)
    return Optimized(
        kind=optimizer.kind,
        missing=(),
        missing_share=0.0,
        foreign=0,
        twice=0,
        rates=() if optimizer.rate is None else (optimizer.rate,),
        scheduled=(),
        decays=(),
        decoupled=False,
        moved=sum(bool(np.any(change)) for _, change in pairs) / len(pairs) if pairs else None,
        ratio=ratios[len(ratios) // 2] if ratios else None,
        decay_ratio=0.0,
    )


def modes(session: Session) -> Modes:
    """Layers that work otherwise in training, where the framework tells."""
    return session.network.modes()


# --- by heart ---------------------------------------------------------------------------------------------------------


class Weights(NamedTuple):
    """What an attempt trains."""

    values: list[np.ndarray]
    state: Any


def by_heart(session: Session) -> ByHeart:
    """Train on a few samples with the optimizer that was given, and where that fails with others."""
    batch, count = _distinct(session)
    known = _levels(session, batch)
    given = session.optimizer
    rate = None if given is None else math.nan if given.rate is None else given.rate

    def own(seconds: float, factor: float = 1.0) -> Tried[Weights]:
        return _attempt(session, batch, known.goal, given or Adam(1e-3), seconds, factor=factor)

    def other(fresh: float, seconds: float) -> Tried[Weights]:
        return _attempt(session, batch, known.goal, Adam(fresh), seconds)

    return learnt(session, count, known, rate, own, other, lambda tried: _gap(session, tried.trained, batch))


def _distinct(session: Session) -> tuple[Any, int]:
    """A few samples of the first batch with different inputs."""

    def key_of(row: int) -> int:
        return fingerprint(session.inputs(taken(session.batches[0], np.array([row]), session.size)))

    rows = distinct(session.size, key_of)
    return taken(session.batches[0], np.array(rows), session.size), len(rows)


def _levels(session: Session, batch: Any) -> Levels:
    """The loss by chance, the least that there can be, and the one at the start."""
    made = session.run(batch)
    free = Free(session, batch, made.output)
    return levels(free.best_constant(), free.run(FREE_STEPS), made.loss)


def _attempt(
    session: Session, batch: Any, goal: float, optimizer: Optimizer, seconds: float, *, factor: float = 1.0
) -> Tried[Weights]:
    if not session.values:
        raise NotMeasured("no parameter is trainable")
    values, held = list(session.values), session.state
    state = optimizer.begin(values)
    losses: list[float] = []
    until = time.monotonic() + seconds
    diverged = False
    for step in range(HEART_STEPS):
        made = session.run(batch, values, held, seed=step)
        losses.append(made.loss)
        if not math.isfinite(made.loss) or made.loss > 1e3 * (abs(losses[0]) + 1):
            diverged = True
            break
        if made.loss <= goal and step > 2:
            break
        if time.monotonic() > until:
            return Tried(losses, Weights(values, held), diverged, False)
        values, state = optimizer.step(values, made.slopes, state, factor)
        held = made.state
    return ended(losses, Weights(values, held), goal, diverged)


def _gap(session: Session, own: Weights, batch: Any) -> tuple[float, float]:
    """The loss of what was trained in both modes, once running statistics had time to follow."""
    train, held = math.nan, own.state
    for step in range(60):
        made = session.run(batch, own.values, held, seed=step)
        train, held = made.loss, made.state
        if session.short() or not session.network.has_statistics:
            break
    return train, session.run(batch, own.values, held, train=False).loss
