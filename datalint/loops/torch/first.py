"""Probes of the first pass: how the loss is called, and what it says before training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.limits import CLOSE
from datalint.loops.torch.batches import taken
from datalint.loops.torch.state import seeded
from datalint.loops.torch.trace import maker_of
from datalint.profile.loop import Chance, Exchange, FirstStep, LossCall, NotMeasured, Stretch

if TYPE_CHECKING:
    from datalint.loops.torch.session import Session
    from datalint.loops.torch.state import Twin
    from datalint.loops.torch.step import Made
    from datalint.loops.torch.trace import Call, Calls

PAIRED = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})

SHAPES: dict[str, Any] = {
    "softmax": lambda free, axis: free.softmax(axis),
    "log_softmax": lambda free, axis: free.log_softmax(axis),
    "sigmoid": lambda free, _axis: free.sigmoid(),
    "logsigmoid": lambda free, _axis: torch.nn.functional.logsigmoid(free),
}
"""Activations without which a loss may refuse its outputs."""


def first_step(session: Session) -> FirstStep:
    """One pass from a batch to its loss."""
    if session.refused is not None:
        refused = session.refused
        return FirstStep(
            math.nan,
            _shape(refused.output),
            _shape(refused.target),
            tuple(map(loss_call, refused.calls.losses)),
            _stretches(refused.calls),
            _exchanges(refused.calls),
            error=str(refused),
        )
    twin, made, calls = session.first
    return FirstStep(
        float(made.loss.detach()),
        _shape(made.output),
        _shape(made.target),
        tuple(map(loss_call, calls.losses)),
        _stretches(calls),
        _exchanges(calls),
        values=session.way.values,
        growth=_growth(session, twin, float(made.loss.detach())),
    )


def _exchanges(calls: Calls) -> tuple[Exchange, ...]:
    return tuple(Exchange(call.place, _shape(call.args[0]), _shape(call.result)) for call in calls.exchanged)


def _shape(tensor: torch.Tensor | None) -> tuple[int, ...]:
    return () if tensor is None else tuple(tensor.shape)


def _stretches(calls: Calls) -> tuple[Stretch, ...]:
    found = []
    for call in calls.stretched:
        if call.place and call.place.partition(".")[0] not in {"loss"}:
            continue  # inside of a model every stretch may be meant
        a, b = call.args[0], call.args[1]
        found.append(Stretch(tuple(a.shape), tuple(b.shape), tuple(call.result.shape)))
    for call in calls.losses:
        a, b = call.tensor(0, "input"), call.tensor(1, "target")
        whole = isinstance(call.result, torch.Tensor)
        if call.name in PAIRED and whole and a is not None and b is not None and a.shape != b.shape:
            found.append(Stretch(tuple(a.shape), tuple(b.shape), tuple(torch.broadcast_shapes(a.shape, b.shape))))
    return tuple(found)


def _growth(session: Session, twin: Twin, loss: float) -> float:
    """The loss of all samples against the mean loss of its halves."""
    if session.size < 4 or not math.isfinite(loss) or loss == 0:
        return 1.0
    twin = session.twin(train=False)
    half = session.size // 2
    try:
        with session.sparing(), seeded(0):
            whole = float(session.way.run(twin, session.batch).loss.detach())
            parts = [
                float(session.way.run(twin, taken(session.batch, rows, session.size)).loss.detach())
                for rows in (torch.arange(half), torch.arange(half, 2 * half))
            ]
    except Exception:  # what cannot be cut tells nothing
        return 1.0
    mean = sum(parts) / 2
    return whole / mean if mean else 1.0


def loss_call(call: Call) -> LossCall:
    """A call of a loss function as a record."""
    scores, target = call.tensor(0, "input"), call.tensor(1, "target")
    found: dict[str, Any] = {"name": call.name, "error": call.error}
    found["reduction"] = str(call.kwargs.get("reduction", "mean"))
    if scores is not None and scores.numel():
        values = scores.detach().float()
        found |= {
            "shape": tuple(scores.shape),
            "low": float(values.min()),
            "high": float(values.max()),
            "maker": maker_of(scores),
        }
        axis = 1 if scores.ndim > 1 else 0
        if scores.shape[axis] > 1:
            found["sums_to_one"] = bool((values >= 0).all() and (values.sum(axis) - 1).abs().max() < CLOSE)
            logs = values.logsumexp(axis)
            found["logs_sum_to_one"] = bool(logs.abs().max() < CLOSE)
    if target is not None and target.numel():
        ignore = int(call.kwargs.get("ignore_index", -100))
        whole = not (target.is_floating_point() or target.is_complex())
        kept = target[target != ignore] if whole and call.name in {"cross_entropy", "nll_loss"} else target
        found |= {
            "target_shape": tuple(target.shape),
            "target_whole": whole,
            "ignored": 1 - kept.numel() / target.numel(),
            "one_hot": _one_hot(target),
        }
        if kept.numel():
            found |= {"target_low": float(kept.min()), "target_high": float(kept.max())}
    return LossCall(**found)


def _one_hot(target: torch.Tensor) -> bool:
    if target.ndim < 2 or target.shape[1] < 2:
        return False
    values = target.detach().float()
    return bool(((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all())


# --- chance -----------------------------------------------------------------------------------------------------------


def chance(session: Session) -> Chance:
    """The first loss against the best constant prediction."""
    twin = session.twin()
    way = session.way
    losses, constants, samples = [], [], 0
    with seeded(0):
        for batch in session.drawn.batches[:2]:
            made = way.run(twin, batch)  # with its graph, which tells the activation at the end
            losses.append(float(made.loss.detach()))
            if made.output is None or not made.output.is_floating_point():
                raise NotMeasured("the prediction within the model is not known")
            constants.append(best_constant(session, twin, batch, made))
            samples += session.size
    call = next((call for call in session.first[2].losses if call.name in {"cross_entropy", "nll_loss"}), None)
    binary = session.criterion.startswith("binary_cross_entropy")
    scores = call.tensor(0, "input") if call is not None else None
    classes = scores.shape[1 if scores.ndim > 1 else 0] if scores is not None else 2 if binary else None
    plain = session.first[2].losses[:1] and session.first[2].losses[0].kwargs.get("reduction", "mean") == "mean"
    single = plain and abs(float(session.first[1].loss) - float(session.first[2].losses[0].result)) < 1e-5
    return Chance(
        loss=sum(losses) / len(losses),
        constant=sum(constants) / len(constants),
        classes=classes,
        uniform=math.log(classes) if classes and single else None,
        samples=samples,
    )


def best_constant(session: Session, twin: Twin, batch: Any, made: Made) -> float:
    """The loss of the best prediction that is the same everywhere."""
    output = made.output
    assert output is not None
    shape = [1] * output.ndim
    if output.ndim > 1:
        call = session.first[2].losses[0] if session.first[2].losses else None
        scores = call.tensor(0, "input") if call is not None else None
        # Classes lie on the second axis, as losses of pictures have it, or on the last.
        first = scores is not None and scores.ndim == output.ndim and scores.shape[1] == output.shape[1]
        axis = 1 if first else output.ndim - 1
        shape[axis] = output.shape[axis]
    constant = torch.zeros(shape, device=output.device, dtype=torch.float32, requires_grad=True)
    shaped = SHAPES.get(maker_of(output))
    classes = max(range(output.ndim), key=lambda k: shape[k])
    if shaped is None:
        with torch.no_grad():
            start = output.detach().float()
            other = [k for k in range(output.ndim) if shape[k] == 1]
            constant += start.mean(dim=other, keepdim=True) if other else start
    optimizer = torch.optim.LBFGS([constant], max_iter=40, line_search_fn="strong_wolfe")
    best = [math.inf]

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        with seeded(0):
            outputs = constant if shaped is None else shaped(constant, classes)
            loss = session.way.loss_of(twin, batch, made, outputs.expand_as(output).to(output.dtype))
        value = float(loss.detach())
        if math.isfinite(value):
            best[0] = min(best[0], value)
        if loss.requires_grad:
            (constant.grad,) = torch.autograd.grad(loss, constant, allow_unused=True)
        if constant.grad is None:
            constant.grad = torch.zeros_like(constant)
        return loss.detach()

    optimizer.step(closure)
    return best[0]
