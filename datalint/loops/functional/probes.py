"""Probes that measure one pass: the loss, its slopes, and what depends on what."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.loops.functional.batches import arrays_in, fingerprint, mapped, taken
from datalint.loops.functional.named import softmax, whole_classes
from datalint.loops.functional.network import Adam
from datalint.loops.limits import CLOSE, SAME, STEPS
from datalint.profile.loop import (
    Finite,
    FirstStep,
    Gradients,
    Influence,
    Input,
    Loaded,
    LossCall,
    NotMeasured,
    Parameter,
    Slope,
    Stretch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.loops.functional.session import Session


def first_step(session: Session) -> FirstStep:
    """One pass from a batch to its loss."""
    try:
        made = session.first
    except NotMeasured:
        shape, target = (), session.target
        with contextlib.suppress(Exception):  # the loss refuses; the model may still say its outputs
            shape = session.outputs(session.batches[0]).shape
        told = () if target is None else target.shape
        call = LossCall("the loss", shape=shape, target_shape=told, error=session.error)
        return FirstStep(math.nan, shape, told, (call,), error=session.error)
    shape = () if made.output is None else made.output.shape
    target = session.target
    name, stretched = session.criterion
    stretches: tuple[Stretch, ...] = ()
    if stretched is not None and target is not None:
        stretches = (Stretch(shape, target.shape, stretched),)
    calls = (_call(session, name, made.output, target),) if name and made.output is not None else ()
    return FirstStep(
        made.loss,
        shape,
        () if target is None else target.shape,
        calls,
        stretches,
        growth=_growth(session),
    )


def _call(session: Session, name: str, output: np.ndarray, target: np.ndarray | None) -> LossCall:
    assert target is not None
    before, _, name = name.rpartition(", ")
    if before:  # the loss has an activation of its own in front
        output = softmax(output) if before == "softmax" else 1 / (1 + np.exp(-output))
    sums, logs = _sums(output)
    maker = ""
    with contextlib.suppress(Exception):  # what cannot be traced has no known end
        arguments = session.arguments(session.own(session.batches[0]))
        maker = session.network.maker(session.values, session.state, arguments)
    return LossCall(
        name,
        shape=output.shape if output.ndim < 3 else (output.size // output.shape[-1], output.shape[-1]),
        low=float(output.min()),
        high=float(output.max()),
        maker=before or maker or ("softmax" if sums else ""),
        sums_to_one=sums,
        logs_sum_to_one=logs,
        target_shape=target.shape,
        target_whole=target.dtype.kind in "iub",
        target_low=float(target.min()),
        target_high=float(target.max()),
        one_hot=target.shape == output.shape and whole_classes(output.shape, target),
    )


def _sums(output: np.ndarray) -> tuple[bool, bool]:
    """Whether rows are probabilities, and whether they are logarithms of such."""
    if output.ndim < 2 or output.shape[-1] < 2:
        return False, False
    with np.errstate(over="ignore"):
        logs = np.abs(np.log(np.exp(output).sum(-1))).max()
    return bool((output >= 0).all() and np.abs(output.sum(-1) - 1).max() < CLOSE), bool(logs < CLOSE)


def _growth(session: Session) -> float:
    """The loss of all samples against the mean loss of its halves."""
    if session.size < 4 or session.custom:
        return 1.0
    half = session.size // 2
    try:
        whole, *parts = (
            _loss(session, taken(session.batches[0], rows, session.size))
            for rows in (np.arange(2 * half), np.arange(half), np.arange(half, 2 * half))
        )
    except Exception:  # what cannot be cut tells nothing
        return 1.0
    mean = sum(parts) / 2
    return whole / mean if mean else 1.0


def _loss(session: Session, batch: Any) -> float:
    """In evaluation mode, without slopes."""
    own = session.arguments(session.own(batch))
    loss, _ = session.pass_of(
        [session.network.calculus.array(v) for v in session.values], session.state, own, 0, train=False
    )
    return float(session.network.calculus.numbers(loss))


def loaded(session: Session) -> Loaded:
    """The first batches as they came."""
    prints = [fingerprint(batch) for batch in session.batches]
    kind = session.kind
    classes = [session.target_of(batch) for batch in session.batches] if kind == "classes" else []
    whole = [c.astype(int).reshape(-1) for c in classes if c is not None and c.ndim < 3 and c.size == c.shape[0]]
    every = np.concatenate(whole) if whole else np.zeros(0, int)
    shape: tuple[int, ...] = ()
    with contextlib.suppress(NotMeasured):
        output = session.first.output
        shape = () if output is None else output.shape
    lengths = [("samples", session.size)] + [(f"axis {k} of the outputs", size) for k, size in enumerate(shape) if k]
    for number, array in enumerate(session.inputs(session.batches[0])[:3]):
        name = "the input" if number == 0 else f"input {number + 1}"
        lengths += [(f"axis {k} of {name}", size) for k, size in enumerate(array.shape) if k]
    return Loaded(
        batches=len(prints),
        repeated=len(prints) - len(set(prints)),
        single=sum(len(batch) >= 8 and len(set(batch.tolist())) == 1 for batch in whole),
        classes=len(np.unique(every)),
        low=int(every.min()) if every.size else 0,
        high=int(every.max()) if every.size else 0,
        labelled=every.size,
        shuffled=None,
        only=session.ended,
        inputs=tuple(_inputs(session)),
        lengths=tuple(lengths),
    )


def _inputs(session: Session) -> list[Input]:
    found = []
    normalised = session.network.normalises(session.values, session.state)
    for number, array in enumerate(session.inputs(session.batches[0])[:4]):
        if array.dtype.kind != "f" and not (array.dtype == np.uint8 and array.ndim == 4):
            continue
        arrays = [session.inputs(batch)[number].astype(np.float64) for batch in session.batches]
        values = np.concatenate([a.reshape(-1) for a in arrays])
        values = values[np.isfinite(values)]
        rows = np.concatenate([(a.reshape(a.shape[0], -1) == 0).all(1) for a in arrays if a.ndim and a.size])
        if values.size < 2:
            continue
        found.append(
            Input(
                low=float(values.min()),
                high=float(values.max()),
                mean=float(values.mean()),
                deviation=float(values.std()),
                size=float(np.sqrt((values**2).mean())),
                zeros=float(rows.mean()),
                picture=array.ndim == 4 and array.shape[-1] in {1, 3},
                normalised=normalised,
            )
        )
    return found


# --- numbers that are none ------------------------------------------------------------------------------------------------


def finite(session: Session) -> Finite:
    """Where the first number breaks."""
    bad_inputs = sum(_bad(array) for batch in session.batches for array in session.inputs(batch))
    bad_targets = _bad(session.target) if session.target is not None else 0
    made = session.first
    first, largest, largest_at = "", 0.0, ""
    arguments = session.arguments(session.own(session.batches[0]))
    # A model that cannot be followed layer by layer still tells its loss.
    with contextlib.suppress(Exception):
        for place, output in session.network.places(session.values, session.state, arguments):
            arrays = [a for a in arrays_in(output) if a.dtype.kind == "f" and a.size]
            if not first and any(_bad(array) for array in arrays):
                first = place
            size = max((float(np.abs(array).max()) for array in arrays), default=0.0)
            if math.isfinite(size) and size > largest:
                largest, largest_at = size, place
    if not first and made.output is not None and _bad(made.output):
        first = session.network.name
    good = math.isfinite(made.loss)
    names = [weight.name for weight in session.network.weights if weight.trainable]
    broken = [name for name, slope in zip(names, made.slopes, strict=True) if slope is not None and _bad(slope)]
    return Finite(bad_inputs, bad_targets, first, good, tuple(broken) if good else (), largest, largest_at)


def _bad(array: np.ndarray) -> int:
    return int((~np.isfinite(array)).sum()) if array.dtype.kind == "f" else 0


# --- slopes -----------------------------------------------------------------------------------------------------------


def gradients(session: Session) -> Gradients:
    """The parameters and their slopes in the first steps of training."""
    own = [weight for weight in session.network.weights if weight.trainable]
    adam, values = Adam(1e-3), list(session.values)
    state, held = adam.begin(values), session.state
    first: list[float] = []
    connected, moving, broken = [False] * len(own), [False] * len(own), [False] * len(own)
    for step in range(STEPS if own else 0):
        batch = session.batches[step % len(session.batches)]
        made = session.run(batch, values, held)
        sizes = [None if s is None else float(np.sqrt((s.astype(np.float64) ** 2).sum())) for s in made.slopes]
        first = first or [size or 0.0 for size in sizes]
        for k, size in enumerate(sizes):
            connected[k] |= size is not None
            moving[k] |= bool(size)
            broken[k] |= size is not None and not math.isfinite(size)
        if any(broken) or all(moving):
            break
        values, state = adam.step(values, made.slopes, state, 1.0)
        held = made.state
    order = None
    with contextlib.suppress(Exception):  # what cannot be traced has no known order
        arguments = session.arguments(session.own(session.batches[0]))
        order = session.network.order(session.values, session.state, arguments)
    found = [
        _parameter(weight, order[k] if order else -1, connected[k], moving[k], broken[k], first[k])
        for k, weight in enumerate(own)
    ]
    frozen = [_parameter(w, -1, False, False, False, 0.0) for w in session.network.weights if not w.trainable]
    norm = math.sqrt(sum(size**2 for size in first))
    return Gradients(tuple(sorted(found, key=lambda item: item.order) + frozen), (), norm)


def _parameter(weight: Any, order: int, connected: bool, moving: bool, broken: bool, gradient: float) -> Parameter:
    value = weight.value.astype(np.float64)
    # Units are on the last axis, as JAX and Keras have them.
    units = value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value.reshape(-1, 1)
    return Parameter(
        name=weight.name,
        layer=weight.layer,
        size=value.size,
        axes=value.ndim,
        trainable=weight.trainable,
        called=True,
        connected=connected,
        moving=moving,
        gradient=gradient,
        weight=float(np.sqrt((value**2).sum())),
        spread=float(value.std()) if value.size > 1 else 0.0,
        fan_in=units.shape[0] if value.ndim > 1 else 1,
        alike=bool(value.ndim > 1 and units.shape[1] > 1 and (units == units[:, :1]).all()),
        order=order,
        normalised=False,
        finite=not broken and bool(np.isfinite(value).all()),
    )


def slope(session: Session) -> Slope:
    """The slope in one direction against differences, in double precision."""
    network = session.network
    if not session.values:
        raise NotMeasured("no parameter is trainable")
    batch, _ = session.few
    rng = np.random.default_rng(0)
    with network.calculus.double() as wide:
        if not wide:
            raise NotMeasured(f"{network.framework} computes in single precision here")
        own = session.own(mapped(batch, lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a))
        state = network.double(session.state)
        values = [value.astype(np.float64) for value in session.values]

        def function(values: Any, state: Any, batch: Any) -> tuple[Any, Any]:
            return session.pass_of(values, state, session.arguments(batch), 0, train=False)[0], 0

        slopes = network.calculus.slopes(function)
        made = slopes(values, state, own)
        if any(s is not None and s.dtype != np.float64 for s in made.slopes):
            raise NotMeasured("the model or the loss does not work in double precision")
        worst, flat = (0.0, 0.0, 0.0), False
        for _ in range(3):
            ways = [rng.normal(size=value.shape) for value in values]
            analytic = sum(float((w * s).sum()) for w, s in zip(ways, made.slopes, strict=True) if s is not None)

            def at(by: float, ways: list[np.ndarray] = ways) -> float:
                return slopes([v + by * w for v, w in zip(values, ways, strict=True)], state, own).value

            best = _difference(at, analytic)
            flat = flat or (best[1] == 0 and analytic != 0)
            if best[0] > worst[0]:
                worst = (best[0], analytic, best[1])
        custom = network.custom(lambda values: function(values, state, own)[0], values)
    return Slope(*worst, custom, flat)


def _difference(at: Callable[[float], float], analytic: float) -> tuple[float, float]:
    """The smallest relative error of several step sizes, and the slope by differences that has it."""
    best = (math.inf, 0.0)
    for size in (1e-4, 1e-5, 1e-6):
        numeric = (at(size) - at(-size)) / (2 * size)
        best = min(best, (abs(numeric - analytic) / max(abs(numeric), abs(analytic), 1e-8), numeric))
        if best[0] < SAME:
            break
    return best


# --- what depends on what -------------------------------------------------------------------------------------------------


def influence(session: Session) -> Influence:
    """What the outputs of samples change with, in evaluation mode."""
    batch, size = session.few
    if size < 3:
        raise NotMeasured("a batch of three samples is needed")

    def outputs(given: Any, seed: int = 0) -> np.ndarray:
        output = session.outputs(given, seed=seed).astype(np.float64)
        if output.ndim == 0 or output.shape[0] != size:
            raise NotMeasured("the outputs do not have one for each sample")
        return output.reshape(size, -1)

    base = outputs(batch)
    scale = float(np.abs(base).max()) or 1.0
    random = float(np.abs(outputs(batch, 1) - base).max()) / scale
    own, others = _changes(session, batch, size, base, outputs)
    if own == 0:  # a head that begins at zero is sound: look again once it has moved
        given = session.values, session.state
        try:
            session.values, session.state = _trained(session, batch)
            own, others = _changes(session, batch, size, outputs(batch), outputs)
        finally:
            session.values, session.state = given
    return Influence(size, own, others, own == 0, random)


def _changes(
    session: Session, batch: Any, size: int, base: np.ndarray, outputs: Callable[..., np.ndarray]
) -> tuple[float, float]:
    """How much a sample's own output and those of others change with its input."""
    scale = float(np.abs(base).max()) or 1.0
    own = others = 0.0
    for place, source in ((size - 1, 0), (0, size - 1), (size // 2, 0)):
        rows = np.arange(size)
        rows[place] = source
        mixed = taken(batch, rows, size)
        if fingerprint(session.inputs(mixed)) == fingerprint(session.inputs(batch)):
            continue
        change = np.abs(outputs(mixed) - base) / scale
        own = max(own, float(change[place].max()))
        change[place] = 0
        others = max(others, float(change.max()))
    return own, others


def _trained(session: Session, batch: Any) -> tuple[list[np.ndarray], Any]:
    """Weights and state after some steps."""
    adam, values, held = Adam(1e-2), list(session.values), session.state
    state = adam.begin(values)
    for _ in range(15 if values else 0):
        made = session.run(batch, values, held)
        values, state = adam.step(values, made.slopes, state, 1.0)
        held = made.state
    return values, held
