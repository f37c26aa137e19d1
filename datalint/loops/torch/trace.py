"""What the functions of PyTorch are called with while a model and its loss run."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Iterator

LOSSES = frozenset(
    {
        *(
            "cross_entropy",
            "nll_loss",
            "binary_cross_entropy",
            "binary_cross_entropy_with_logits",
            "mse_loss",
            "l1_loss",
        ),
        *("smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss", "gaussian_nll_loss", "soft_margin_loss"),
        *("multilabel_soft_margin_loss", "multi_margin_loss", "hinge_embedding_loss", "ctc_loss"),
    }
)
ARITHMETIC = frozenset(
    {"sub", "__sub__", "rsub", "__rsub__", "add", "__add__", "__radd__", "mul", "__mul__", "__rmul__"}
)
RESHAPES = frozenset({"view", "reshape", "_unsafe_view"})
ACTIVATIONS = frozenset(
    {"relu", "relu_", "sigmoid", "tanh", "softmax", "log_softmax", "logsigmoid", "gelu", "silu", "leaky_relu", "elu"}
)


@dataclass
class Call:
    """One call of a function."""

    name: str
    place: str
    """The module that is running."""
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None
    error: str = ""

    def tensor(self, number: int, name: str) -> torch.Tensor | None:
        """An argument by its number or name, if it is a tensor."""
        value = self.args[number] if len(self.args) > number else self.kwargs.get(name)
        return value if isinstance(value, torch.Tensor) else None


@dataclass
class Calls:
    """The calls of a run that matter."""

    losses: list[Call] = field(default_factory=list)
    activations: list[Call] = field(default_factory=list)
    dropouts: list[Call] = field(default_factory=list)
    sums: list[Call] = field(default_factory=list)
    """Additions of two single numbers."""
    stretched: list[Call] = field(default_factory=list)
    """Arithmetic whose result is larger than either operand."""
    exchanged: list[Call] = field(default_factory=list)
    """Changes of a shape that give the same axes in another order."""


class Tracer(TorchFunctionMode):
    """Notes calls; what they are given lives as long as the notes."""

    def __init__(self, keep: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.calls = Calls()
        self.places: list[str] = []
        self.keep = keep
        self.inside = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, and note it."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        call = Call(name, self.places[-1] if self.places else "", args, kwargs)
        if name in LOSSES and not self.inside:
            self.calls.losses.append(call)
            self.inside += 1
            try:
                call.result = func(*args, **kwargs)
            except Exception as error:
                call.error = str(error)
                raise
            finally:
                self.inside -= 1
            return call.result
        call.result = func(*args, **kwargs)
        self._note(call)
        return call.result

    def _note(self, call: Call) -> None:
        """Keep a call that is no loss, if it matters."""
        name = call.name
        if name in ACTIVATIONS:
            self.calls.activations.append(call)
        elif "dropout" in name:
            self.calls.dropouts.append(call)
        elif name in RESHAPES:
            if _exchanges(call.args[0], call.result):
                self.calls.exchanged.append(call)
        elif name in ARITHMETIC and len(call.args) > 1 and isinstance(call.result, torch.Tensor):
            a, b = call.args[0], call.args[1]
            if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
                if call.result.ndim == 0:
                    if "add" in name:
                        self.calls.sums.append(call)
                elif call.result.numel() > max(a.numel(), b.numel()):
                    self.calls.stretched.append(call)


def _exchanges(before: Any, after: Any) -> bool:
    """Whether a tensor that is no weight got the lengths of its axes in another order, without being permuted."""
    if not (isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor)):
        return False
    if isinstance(before, torch.nn.Parameter):
        return False
    old, new = ([size for size in tensor.shape if size > 1] for tensor in (before, after))
    return old != new and sorted(old) == sorted(new)


@contextlib.contextmanager
def traced(*modules: Any) -> Iterator[Tracer]:
    """Note the calls of functions, each with the module that makes it."""
    tracer = Tracer()
    handles = []
    for module in modules:
        if not isinstance(module, torch.nn.Module):
            continue
        for name, part in module.named_modules():
            handles.append(part.register_forward_pre_hook(_enter(tracer, name or type(part).__name__)))
            handles.append(part.register_forward_hook(_leave(tracer), always_call=True))
    try:
        with tracer:
            yield tracer
    finally:
        for handle in handles:
            handle.remove()


def _enter(tracer: Tracer, name: str) -> Any:
    def hook(_module: Any, _args: Any) -> None:
        tracer.places.append(name)

    return hook


def _leave(tracer: Tracer) -> Any:
    def hook(_module: Any, _args: Any, _output: Any) -> None:
        if tracer.places:
            tracer.places.pop()

    return hook


MAKERS = {
    "SoftmaxBackward0": "softmax",
    "LogSoftmaxBackward0": "log_softmax",
    "SigmoidBackward0": "sigmoid",
    "LogSigmoidBackward0": "logsigmoid",
    "TanhBackward0": "tanh",
    "ReluBackward0": "relu",
    "HardtanhBackward0": "hardtanh",
    "HardsigmoidBackward0": "hardsigmoid",
    "ClampBackward1": "clamp",
}
PASSED = (
    "View",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Permute",
    "Transpose",
    "Select",
    "Slice",
    "Index",
    "Alias",
    "Clone",
    "ToCopy",
)


def maker_of(tensor: torch.Tensor) -> str:
    """The function that made a tensor, looked for behind what only changes its shape; empty if it is none of interest."""
    node = tensor.grad_fn
    for _ in range(12):
        if node is None:
            return ""
        name = type(node).__name__
        if name in MAKERS:
            return MAKERS[name]
        plain = name.rstrip("0123456789").removesuffix("Backward").removeprefix("Unsafe")
        if plain != "T" and not plain.startswith(PASSED):
            return ""
        node = next((parent for parent, _ in node.next_functions if parent is not None), None)
    return ""
