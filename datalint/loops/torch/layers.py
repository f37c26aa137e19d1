"""Probes that look into the model: gradients, activations, what depends on what, and where numbers break."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import torch

from datalint.loops.limits import SAME, STEPS
from datalint.loops.torch.batches import axis_of, fingerprint, mapped, taken, tensors_in
from datalint.loops.torch.graph import custom_in, leaves_of, strangers
from datalint.loops.torch.state import parameters_of, seeded
from datalint.loops.torch.step import LossFails, find_step
from datalint.loops.torch.trace import traced
from datalint.loops.torch.training import give_gradients, quiet
from datalint.profile.loop import (
    Activations,
    Activity,
    Finite,
    Gradients,
    Influence,
    NotMeasured,
    Parameter,
    Slope,
    Term,
    Terms,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datalint.loops.torch.session import Session
    from datalint.loops.torch.state import Twin

NORMS = ("Norm",)


# --- gradients --------------------------------------------------------------------------------------------------------


def gradients(session: Session) -> Gradients:
    """The parameters and their gradients in the first steps of training."""
    twin = session.twin()
    quiet(twin)
    order: dict[str, int] = {}
    sequence: list[str] = []
    handles = [
        module.register_forward_pre_hook(_first_call(order, sequence, name))
        for name, module in twin.model.named_modules()
    ]
    named = [(name, p) for name, p in twin.model.named_parameters()]
    if isinstance(twin.loss, torch.nn.Module):
        named += [(f"loss.{name}", p) for name, p in twin.loss.named_parameters()]
    own = [p for _, p in named if p.requires_grad]
    optimizer = torch.optim.Adam(own, lr=1e-3) if own else None
    connected: set[int] = set()
    moving: set[int] = set()
    first: dict[int, float] = {}
    start = {id(p): p.detach().clone() for _, p in named}
    broken: set[int] = set()
    unknown: list[Any] = []
    with seeded(0):
        for step in range(STEPS):
            batch = session.drawn.batches[step % len(session.drawn.batches)]
            try:
                loss = session.way.run(twin, batch).loss
            finally:
                for handle in handles:
                    handle.remove()
            if step == 0:
                known = {id(p) for _, p in named}
                unknown = [leaf for leaf in leaves_of(loss) if id(leaf) not in known]
            if not loss.requires_grad or optimizer is None:
                break
            give_gradients(twin, loss)
            _note(own, connected, moving, first, broken)
            if broken or len(moving) == len(own):
                break
            optimizer.step()
    modules = dict(twin.model.named_modules())
    found = [
        _parameter(name, p, start[id(p)], modules, order, sequence, connected, moving, first, broken)
        for name, p in named
    ]
    norm = math.sqrt(sum(size**2 for size in first.values()))
    hidden = tuple(hidden_modules(session.model))
    strange, fresh = strangers(session, twin, unknown) if unknown and not hidden else ((), 0)
    return Gradients(tuple(sorted(found, key=lambda item: item.order)), hidden, norm, strange, fresh)


def _note(own: list[Any], connected: set[int], moving: set[int], first: dict[int, float], broken: set[int]) -> None:
    """Keep what the gradients of one step say."""
    for p in own:
        if p.grad is None:
            continue
        grad = p.grad.coalesce().values() if p.grad.is_sparse else p.grad
        size = float(grad.float().norm())
        connected.add(id(p))
        first.setdefault(id(p), size)
        if size != 0:
            moving.add(id(p))
        if not math.isfinite(size):
            broken.add(id(p))


def _first_call(order: dict[str, int], sequence: list[str], name: str) -> Any:
    def hook(module: Any, _args: Any) -> None:
        order.setdefault(name, len(order))
        if not any(True for _ in module.children()):
            sequence.append(name)

    return hook


def _parameter(
    name: str,
    p: Any,
    start: torch.Tensor,
    modules: dict[str, Any],
    order: dict[str, int],
    sequence: list[str],
    connected: set[int],
    moving: set[int],
    first: dict[int, float],
    broken: set[int],
) -> Parameter:
    owner = name.rpartition(".")[0]
    layer = modules.get(owner)
    values = start.float()
    rows = values.reshape(values.shape[0], -1) if values.ndim > 1 else values.reshape(1, -1)
    after = sequence[sequence.index(owner) + 1] if owner in sequence[:-1] else ""
    return Parameter(
        name=name,
        layer=type(layer).__name__ if layer is not None else "",
        size=p.numel(),
        axes=p.ndim,
        trainable=p.requires_grad,
        called=owner in order or layer is None,
        connected=id(p) in connected,
        moving=id(p) in moving,
        gradient=first.get(id(p), 0.0),
        weight=float(values.norm()) if values.numel() else 0.0,
        spread=float(values.std()) if values.numel() > 1 else 0.0,
        fan_in=rows.shape[1] if values.ndim > 1 else 1,
        alike=bool(values.ndim > 1 and rows.shape[0] > 1 and (rows == rows[0]).all()),
        order=order.get(owner, -1),
        normalised=after in modules and any(word in type(modules[after]).__name__ for word in NORMS),
        finite=id(p) not in broken and bool(torch.isfinite(values).all()),
    )


def hidden_modules(model: Any) -> list[str]:
    """Modules with parameters that lie in plain lists and mappings, where the model does not know of them."""
    known = {id(module) for module in model.modules()}
    found = []
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if key.startswith("_") or isinstance(value, torch.nn.Module):
                continue
            items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
            for item in items:
                if isinstance(item, torch.nn.Module) and id(item) not in known and any(True for _ in item.parameters()):
                    found.append(f"{name}.{key}" if name else key)
                    break
    return found


# --- activations --------------------------------------------------------------------------------------------------------


BOUNDED = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def activations(session: Session) -> Activations:
    """What each activation lets through."""
    _, made, calls = session.first
    found = []
    for call in calls.activations:
        result = call.result
        if not isinstance(result, torch.Tensor) or result.ndim < 2 or result is made.output:
            continue
        name = call.name.rstrip("_")
        axis = axis_of(result, session.size)
        if name not in {"relu", *BOUNDED} or axis is None or result.shape[axis] < 8:
            continue
        values = result.detach().float()
        dead = saturated = 0.0
        channel = 1 if result.ndim == 4 else result.ndim - 1
        units = values.transpose(channel, -1).reshape(-1, result.shape[channel])
        if name == "relu":
            dead = float((units == 0).all(0).float().mean())
        else:
            low, high = BOUNDED[name]
            margin = 0.01 * (high - low)
            saturated = float(((values < low + margin) | (values > high - margin)).float().mean())
        found.append(Activity(call.place, name, result.shape[channel], dead, saturated))
    return Activations(tuple(found), session.size)


# --- numbers that are none ------------------------------------------------------------------------------------------------


def finite(session: Session) -> Finite:
    """Where the first number breaks."""
    if session.refused is not None:
        return _refused(session)
    bad_inputs = sum(_bad(tensor) for batch in session.drawn.batches for tensor in session.way.inputs(batch))
    made = session.first[1]
    bad_targets = _bad(made.target) if made.target is not None else 0
    twin = session.twin()
    breaks = Breaks()
    with breaks.watching(twin.model), seeded(0):
        loss = session.way.run(twin, session.batch).loss
    good = bool(torch.isfinite(loss.detach()))
    broken: list[str] = []
    if good and loss.requires_grad:
        give_gradients(twin, loss)
        broken = [name for name, p in twin.model.named_parameters() if p.grad is not None and _bad(p.grad)]
    return Finite(
        bad_inputs,
        bad_targets,
        breaks.place,
        good,
        tuple(broken),
        breaks.largest,
        breaks.largest_at,
        breaks.before,
        breaks.precision,
    )


def _refused(session: Session) -> Finite:
    """The same where the loss refuses what it gets: the model alone may be why.

    Raises:
        NotMeasured: all numbers are finite.
    """
    bad = sum(_bad(tensor) for batch in session.drawn.batches for tensor in tensors_in(batch))
    twin, breaks = session.twin(), Breaks()
    with breaks.watching(twin.model), seeded(0), contextlib.suppress(LossFails):
        find_step(twin, session.batch)
    if not bad and not breaks.place:
        raise NotMeasured("the loss refuses what it is given")
    return Finite(bad, 0, breaks.place, False, (), breaks.largest, breaks.largest_at, breaks.before, breaks.precision)


class Breaks:
    """Looks at what goes into modules and comes out, until the first number is none."""

    def __init__(self) -> None:
        self.place, self.before, self.precision = "", False, ""
        self.largest, self.largest_at = 0.0, ""

    @contextlib.contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        """Look while the model runs."""
        handles = []
        for name, module in model.named_modules():
            handles.append(module.register_forward_hook(self._after(name or "the model")))
            if name and not any(True for _ in module.children()):
                handles.append(module.register_forward_pre_hook(self._ahead(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _ahead(self, name: str) -> Any:
        def hook(_module: Any, args: Any) -> None:
            self._note(name, tensors_in(list(args)), before=True)

        return hook

    def _after(self, name: str) -> Any:
        def hook(_module: Any, args: Any, output: Any) -> None:
            inside = [tensor for tensor in tensors_in(output) if tensor.is_floating_point()]
            if not any(_bad(tensor) for tensor in tensors_in(list(args))):
                self._note(name, inside, before=False)
            size = max((float(tensor.detach().abs().max()) for tensor in inside if tensor.numel()), default=0.0)
            if math.isfinite(size) and size > self.largest:
                self.largest, self.largest_at = size, name

        return hook

    def _note(self, name: str, tensors: list[torch.Tensor], *, before: bool) -> None:
        broken = next((tensor for tensor in tensors if _bad(tensor)), None)
        if broken is not None and not self.place:
            self.place, self.before = name, before
            kind = str(broken.dtype).removeprefix("torch.")
            self.precision = kind if kind not in {"float32", "float64"} else ""


def _bad(tensor: torch.Tensor) -> int:
    return int((~torch.isfinite(tensor.detach())).sum()) if tensor.is_floating_point() else 0


# --- what depends on what -------------------------------------------------------------------------------------------------


def influence(session: Session) -> Influence:
    """What the outputs of samples change with, in evaluation mode."""
    batch, size = session.few
    if size < 3:
        raise NotMeasured("a batch of three samples is needed")
    twin = session.twin(train=False)

    def outputs(given: Any) -> torch.Tensor:
        with session.sparing(), seeded(0):
            made = session.way.run(twin, given)
        if made.output is None:
            raise NotMeasured("the prediction within the model is not known")
        axis = axis_of(made.output, size)
        if axis is None:
            raise NotMeasured("the outputs do not have one for each sample")
        return made.output.detach().float().movedim(axis, 0).reshape(size, -1)

    with traced(twin.model) as tracer:
        base = outputs(batch)
    dropouts = tuple(dict.fromkeys(c.place for c in tracer.calls.dropouts if _active(c)))
    over = tuple(
        dict.fromkeys(
            call.place for call in tracer.calls.activations if "softmax" in call.name and _over_samples(call, size)
        )
    )
    scale = float(base.abs().max()) or 1.0
    # Another seed than the first pass had: what is random differs.
    with session.sparing(), seeded(1):
        made = session.way.run(twin, batch)
    assert made.output is not None
    again = made.output.detach().float().movedim(axis_of(made.output, size) or 0, 0).reshape(size, -1)
    random = float((again - base).abs().max()) / scale
    own, others = _changes(session, batch, size, base, outputs, scale)
    if own == 0:  # a head that begins at zero is sound: look again once it has moved
        twin = _trained(session, batch)
        trained = outputs(batch)
        own, others = _changes(session, batch, size, trained, outputs, float(trained.abs().max()) or 1.0)
    norms = [m for m in twin.model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    return Influence(
        size,
        own,
        others,
        own == 0,
        random,
        dropouts,
        _label(session, batch, outputs, base, scale),
        over,
        sum(module.running_mean is None for module in norms),
    )


def _active(call: Any) -> bool:
    training = call.kwargs.get("training", call.args[2] if len(call.args) > 2 else True)
    p = call.kwargs.get("p", call.args[1] if len(call.args) > 1 else 0.5)
    return bool(training) and p > 0


def _over_samples(call: Any, size: int) -> bool:
    tensor = call.tensor(0, "input")
    axis = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else None)
    if tensor is None or not isinstance(axis, int) or tensor.ndim < 2:
        return False
    return axis % tensor.ndim == 0 and tensor.shape[0] == size


def _changes(
    session: Session, batch: Any, size: int, base: torch.Tensor, outputs: Any, scale: float
) -> tuple[float, float]:
    """How much a sample's own output and those of others change with its input."""
    own = others = 0.0
    for place, source in ((size - 1, 0), (0, size - 1), (size // 2, 0)):
        rows = torch.arange(size)
        rows[place] = source
        mixed = taken([*session.way.inputs(batch)], rows, size)
        if fingerprint(mixed) == fingerprint(session.way.inputs(batch)):
            continue
        new = dict(zip((id(tensor) for tensor in session.way.inputs(batch)), mixed, strict=True))
        change = (outputs(_swapped(batch, new)) - base).abs() / scale
        own = max(own, float(change[place].max()))
        change[place] = 0
        others = max(others, float(change.max()))
    return own, others


def _swapped(batch: Any, new: dict[int, torch.Tensor]) -> Any:
    """The batch with other tensors in place of some."""
    return mapped(batch, lambda tensor: new.get(id(tensor), tensor))


def _trained(session: Session, batch: Any) -> Twin:
    """The loop after some steps, in evaluation mode."""
    twin = session.twin()
    quiet(twin)
    own = [p for p in parameters_of(twin) if p.requires_grad]
    optimizer = torch.optim.Adam(own, lr=1e-2) if own else None
    with seeded(0):
        for _ in range(15):
            made = session.way.run(twin, batch)
            if optimizer is None or not made.loss.requires_grad:
                break
            give_gradients(twin, made.loss)
            optimizer.step()
    for part in (twin.model, twin.loss):
        if isinstance(part, torch.nn.Module):
            part.eval()
    return twin


def _label(session: Session, batch: Any, outputs: Any, base: torch.Tensor, scale: float) -> float | None:
    """Change of the outputs where the labels are others, for models that get them."""
    from collections.abc import Mapping

    way = session.way
    if way.form != "own" or not isinstance(batch, Mapping):
        return None
    config = getattr(session.model, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        return None  # the decoder begins with the labels, moved by one
    keys = [key for key in ("labels", "label", "targets", "target") if key in batch]
    if not keys:
        return None
    other = dict(batch) | {key: batch[key].roll(1, 0) for key in keys if isinstance(batch[key], torch.Tensor)}
    return float((outputs(other) - base).abs().max()) / scale


# --- the slope --------------------------------------------------------------------------------------------------------------


def slope(session: Session) -> Slope:
    """The gradient in one direction against differences, in double precision."""
    twin, batch = _doubled(session)
    own = [p for p in parameters_of(twin) if p.requires_grad and p.is_floating_point()]
    if not own:
        raise NotMeasured("no parameter is trainable")

    def loss() -> torch.Tensor:
        with seeded(0):
            return session.way.run(twin, batch).loss

    def number() -> float:
        with session.sparing():
            return float(loss().detach())

    try:
        value = loss()
    except (RuntimeError, TypeError, ValueError) as error:
        raise NotMeasured("the model or the loss does not work in double precision") from error
    custom = tuple(dict.fromkeys(custom_in(value)))
    if not value.requires_grad:
        raise NotMeasured("the loss has no gradient")
    if value.dtype != torch.float64:
        raise NotMeasured("the model or the loss turns numbers into another precision")
    grads = torch.autograd.grad(value, own, allow_unused=True)
    worst = (0.0, 0.0, 0.0)
    flat = False
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        ways = [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.device) for p in own]
        analytic = sum(float((way * grad).sum()) for way, grad in zip(ways, grads, strict=True) if grad is not None)
        best = _difference(own, ways, analytic, number)
        flat = flat or (best[1] == 0 and analytic != 0)
        if best[0] > worst[0]:
            worst = (best[0], analytic, best[1])
    return Slope(*worst, custom, flat)


def _doubled(session: Session) -> tuple[Twin, Any]:
    """The loop in evaluation mode and some samples, in double precision."""
    twin = session.twin(train=False)
    for part in (twin.model, twin.loss):
        if isinstance(part, torch.nn.Module):
            part.double()
    return twin, mapped(session.few[0], lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


def _difference(
    own: list[Any], ways: list[torch.Tensor], analytic: float, loss: Callable[[], float]
) -> tuple[float, float]:
    """The smallest relative error of several step sizes, and the slope by differences that has it."""
    best = (math.inf, 0.0)
    for size in (1e-4, 1e-5, 1e-6):
        ends = []
        for sign in (1, -1):
            _shift(own, ways, sign * size)
            ends.append(loss())
            _shift(own, ways, -sign * size)
        numeric = (ends[0] - ends[1]) / (2 * size)
        best = min(best, (abs(numeric - analytic) / max(abs(numeric), abs(analytic), 1e-8), numeric))
        if best[0] < SAME:
            break
    return best


def _shift(own: list[Any], ways: list[torch.Tensor], by: float) -> None:
    with torch.no_grad():
        for p, way in zip(own, ways, strict=True):
            p.add_(way, alpha=by)


# --- terms of the loss ------------------------------------------------------------------------------------------------------


def terms(session: Session) -> Terms:
    """The terms that the loss is the sum of, and how much each moves the weights."""
    twin = session.twin()
    with seeded(0), traced(twin.model, twin.loss) as tracer:
        made = session.way.run(twin, session.batch)
    parts = _parts(made.loss, {id(call.result): call for call in tracer.calls.sums})
    if len(parts) < 2:
        raise NotMeasured("the loss is not a sum of terms")
    own = [p for p in parameters_of(twin) if p.requires_grad]
    found = []
    for part in parts:
        if not part.requires_grad:
            continue
        grads = torch.autograd.grad(part, own, retain_graph=True, allow_unused=True)
        size = math.sqrt(sum(float(grad.float().square().sum()) for grad in grads if grad is not None))
        of_outputs = True
        if made.output is not None and made.output.requires_grad:
            (reached,) = torch.autograd.grad(part, made.output, retain_graph=True, allow_unused=True)
            of_outputs = reached is not None
        found.append(Term(float(part.detach()), size, of_outputs))
    return Terms(tuple(found))


def _parts(loss: torch.Tensor, sums: dict[int, Any]) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    todo = [loss]
    while todo and len(found) < 30:
        tensor = todo.pop()
        call = sums.get(id(tensor))
        if call is None:
            found.append(tensor)
        else:
            todo += [arg for arg in call.args[:2] if isinstance(arg, torch.Tensor)]
    return found
