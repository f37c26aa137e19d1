"""Models of Flax and plain functions of JAX, and optimizers of Optax."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from datalint.core.errors import DatalintError
from datalint.loops.functional.network import (
    Arguments,
    Calculus,
    Called,
    Network,
    Optimizer,
    Slopes,
    Weight,
    first_that_works,
)
from datalint.sources.objects.draw import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ENDS = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
SHAPING = {"reshape", "squeeze", "transpose", "broadcast_in_dim", "convert_element_type", "copy", "stop_gradient"}


class Jax(Calculus):
    """Slopes by ``jax.value_and_grad``, compiled."""

    def array(self, value: np.ndarray) -> Any:
        """An array of JAX."""
        return jnp.asarray(value)

    def numbers(self, value: Any) -> np.ndarray:
        """An array of NumPy."""
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype.kind == "V" or "bfloat" in str(array.dtype) else array

    def mean(self, value: Any) -> Any:
        """Of several terms the sum, of a value for each sample the mean."""
        return jnp.mean(jnp.asarray(value)).astype(jnp.result_type(float))

    def slopes(self, function: Callable[..., tuple[Any, Any]]) -> Callable[..., Slopes]:
        """Compiled, and as it stands where it cannot be compiled."""
        plain = jax.value_and_grad(function, has_aux=True)
        chosen = [jax.jit(plain), plain]

        def measured(values: Sequence[Any], *rest: Any) -> Slopes:
            while True:
                try:
                    (value, besides), slopes = chosen[0]([jnp.asarray(v) for v in values], *rest)
                    break
                except (jax.errors.JAXTypeError, TypeError, ValueError):
                    if len(chosen) == 1:
                        raise
                    del chosen[0]
            return Slopes(float(value), besides, [np.asarray(slope) for slope in slopes])

        return measured

    @contextlib.contextmanager
    def double(self) -> Iterator[bool]:
        """64 bits within."""
        with jax.enable_x64(True):
            yield True


def network_of(model: Any) -> Network:
    """The model as a function.

    Raises:
        DatalintError: it is none that is known.
    """
    bases = {f"{base.__module__}.{base.__name__}" for base in type(model).__mro__}
    if any(name.startswith("flax.nnx") for name in bases):
        return Nnx(model)
    if any(name.startswith("flax.linen") and name.endswith(".Module") for name in bases):
        return Linen(model, None)
    if hasattr(model, "apply_fn") and hasattr(model, "params"):
        state = {key: getattr(model, key) for key in ("batch_stats",) if getattr(model, key, None)}
        return Linen(model.apply_fn, {"params": model.params, **state}, getattr(model, "tx", None))
    if isinstance(model, (tuple, list)) and len(model) == 2:
        head, weights = model
        return Linen(head, weights) if hasattr(head, "init") or _is_apply(head) else Plain(head, weights)
    raise DatalintError(
        f"model: a module of Flax, a TrainState, or a pair of function and weights is expected, not {type(model).__name__}"
    )


def _is_apply(function: Any) -> bool:
    return hasattr(getattr(function, "__self__", None), "init")


class Functional(Network):
    """What all kinds share: weights are the leaves of a tree."""

    framework = "JAX"
    calculus = Jax()

    def _noted(self, tree: Any) -> None:
        """Keep the leaves and their names."""
        leaves, self.tree = jax.tree_util.tree_flatten(tree)
        paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]
        arrays = [self.calculus.numbers(leaf) for leaf in leaves]
        if any(array.dtype.kind != "f" for array in arrays):
            raise DatalintError("model: its weights hold something else than numbers with a fraction")
        self.weights = tuple(
            Weight(".".join(map(_key, path)), _layer(path), array) for path, array in zip(paths, arrays, strict=True)
        )

    def order(self, values: Sequence[Any], state: Any, arguments: Arguments) -> list[int] | None:
        """By the first equation in which each occurs."""
        traced = self._traced(values, state, arguments)
        first: dict[Any, int] = {}
        for number, equation in enumerate(traced.jaxpr.eqns):
            for variable in equation.invars:
                if not hasattr(variable, "val"):
                    first.setdefault(variable, number)
        return [first.get(variable, -1) for variable in traced.jaxpr.invars[: len(values)]]

    def maker(self, values: Sequence[Any], state: Any, arguments: Arguments) -> str:
        """By the last equation that does more than give a new shape."""
        jaxpr = self._traced(values, state, arguments).jaxpr
        made = {variable: equation for equation in jaxpr.eqns for variable in equation.outvars}
        variable = jaxpr.outvars[0]
        while not hasattr(variable, "val") and variable in made:
            equation = made[variable]
            name = equation.primitive.name
            if name in {"pjit", "jit", "custom_jvp_call"}:
                name = str(equation.params.get("name", "")) or _called(equation)
            if name not in SHAPING:
                return ENDS.get(name, "")
            variable = equation.invars[0]
        return ""

    def _traced(self, values: Sequence[Any], state: Any, arguments: Arguments) -> Any:
        def outputs(given: Sequence[Any]) -> Any:
            return self.call(given, state, arguments, False, 0).outputs

        return jax.make_jaxpr(outputs)([jnp.asarray(value) for value in values])

    def custom(self, function: Callable[..., Any], *args: Any) -> tuple[str, ...]:
        """Functions within that were given slopes by ``custom_vjp``."""
        return tuple(dict.fromkeys(_custom(jax.make_jaxpr(function)(*args).jaxpr)))

    def double(self, state: Any) -> Any:
        """All that has a fraction, in 64 bits."""

        def wide(leaf: Any) -> Any:
            real = hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
            return jnp.asarray(np.asarray(leaf), dtype=jnp.float64) if real else leaf

        return jax.tree_util.tree_map(wide, state)

    @property
    def has_statistics(self) -> bool:
        """Whether there are numbers next to the weights."""
        return any(getattr(leaf, "ndim", 0) for leaf in jax.tree_util.tree_leaves(self.start()[1]))


def _key(part: Any) -> str:
    return str(getattr(part, "key", getattr(part, "name", getattr(part, "idx", part))))


def _layer(path: Any) -> str:
    """Kind of the layer, as far as the names of its weights tell."""
    names = [name for name in map(_key, path) if name not in {"value", "params"}]
    if "embedding" in names:
        return "Embedding"
    if "scale" in names:
        return "Norm"
    return names[-2] if len(names) > 1 else "weights"


def _called(equation: Any) -> str:
    inner = equation.params.get("call_jaxpr")
    names = [part.params.get("name", "") for part in getattr(getattr(inner, "jaxpr", inner), "eqns", ())]
    return str(names[-1]) if names else ""


def _custom(jaxpr: Any) -> Iterator[str]:
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name.startswith("custom_vjp"):
            inner = equation.params.get("call_jaxpr") or equation.params.get("fun_jaxpr")
            known = getattr(getattr(getattr(inner, "jaxpr", inner), "debug_info", None), "func_name", "")
            yield str(known) or "custom_vjp"
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _custom(inner)


class Plain(Functional):
    """A function of weights and inputs."""

    def __init__(self, function: Callable[..., Any], weights: Any) -> None:
        if not callable(function):
            raise DatalintError(f"model: a pair of function and weights is expected, not of {type(function).__name__}")
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self._noted(weights)

    def begin(self, arguments: Sequence[Arguments]) -> int:
        """The first that works."""
        return first_that_works(self, arguments)

    def start(self) -> tuple[list[np.ndarray], Any]:
        """There is no state."""
        return [weight.value for weight in self.weights], {}

    def call(self, values: Sequence[Any], state: Any, arguments: Arguments, _train: bool, _seed: Any) -> Called:
        """The same in both modes."""
        tree = jax.tree_util.tree_unflatten(self.tree, list(values))
        return Called(self.function(tree, *arguments.args, **arguments.kwargs), state)

    def whole(self, values: Sequence[Any], _state: Any, loss: Any, batch: Any) -> Any:
        """The loss gets the weights."""
        return loss(jax.tree_util.tree_unflatten(self.tree, list(values)), batch)


class Linen(Functional):
    """A module of ``flax.linen`` with its variables."""

    framework = "Flax"

    def __init__(self, module: Any, variables: Any, optimizer: Any = None) -> None:
        self.apply = module.apply if hasattr(module, "apply") else module
        self.module = getattr(self.apply, "__self__", module)
        self.name = type(self.module).__name__
        self.own_optimizer = optimizer
        self.variables = variables
        if variables is not None:
            self._settle(variables)

    def _settle(self, variables: Any) -> None:
        held = dict(variables) if "params" in variables else {"params": variables}
        self.rest = {key: value for key, value in held.items() if key != "params"}
        self._noted(held["params"])

    def begin(self, arguments: Sequence[Arguments]) -> int:
        """The first that works; weights are drawn where there are none."""
        if self.variables is None:
            first: Exception | None = None
            for number, one in enumerate(arguments):
                try:
                    keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
                    self._settle(self.module.init(keys, *one.args, **one.kwargs, **self._mode(False)))
                except Exception as error:  # a model runs its owner's code
                    first = first or error
                    continue
                return number
            assert first is not None
            raise first
        return first_that_works(self, arguments)

    def _mode(self, train: bool) -> dict[str, bool]:
        """What tells the module that it is trained."""
        try:
            names = set(inspect.signature(type(self.module).__call__).parameters)
        except (TypeError, ValueError):
            return {}
        found = {name: train for name in ("train", "training", "is_training") if name in names}
        return found | {name: not train for name in ("deterministic", "use_running_average") if name in names}

    def start(self) -> tuple[list[np.ndarray], Any]:
        """Running statistics are the state."""
        return [weight.value for weight in self.weights], self.rest

    def _variables(self, values: Sequence[Any], state: Any) -> dict[str, Any]:
        return {"params": jax.tree_util.tree_unflatten(self.tree, list(values)), **state}

    def call(self, values: Sequence[Any], state: Any, arguments: Arguments, train: bool, seed: Any) -> Called:
        """With the collections that change in training."""
        options: dict[str, Any] = self._mode(train)
        if train:
            options["rngs"] = {"dropout": jax.random.key(seed)}
        if train and state:
            outputs, changed = self.apply(
                self._variables(values, state), *arguments.args, **arguments.kwargs, mutable=list(state), **options
            )
            return Called(outputs, {**state, **changed})
        return Called(self.apply(self._variables(values, state), *arguments.args, **arguments.kwargs, **options), state)

    def whole(self, values: Sequence[Any], state: Any, loss: Any, batch: Any) -> Any:
        """The loss gets the weights as ``apply`` takes them, or the parameters alone."""
        name = next(iter(inspect.signature(loss).parameters), "")
        held = self._variables(values, state)
        return loss(held if name == "variables" else held["params"], batch)

    def places(self, values: Sequence[Any], state: Any, arguments: Arguments) -> Iterator[tuple[str, Any]]:
        """As ``capture_intermediates`` has them."""
        _, held = self.apply(
            self._variables(values, state),
            *arguments.args,
            **arguments.kwargs,
            **self._mode(False),
            capture_intermediates=True,
            mutable=["intermediates"],
        )
        yield from _places(held["intermediates"], "")


def _places(held: Any, place: str) -> Iterator[tuple[str, Any]]:
    for key, value in held.items():
        if key != "__call__":
            yield from _places(value, f"{place}.{key}" if place else key)
    if "__call__" in held:
        yield place or "the model", held["__call__"]


class Nnx(Functional):
    """A module of ``flax.nnx``, which holds its weights."""

    framework = "Flax"

    def __init__(self, module: Any) -> None:
        from flax import nnx

        self.nnx = nnx
        self.name = type(module).__name__
        self.graph, weights, self.rest = nnx.split(module, nnx.Param, ...)
        self._noted(weights)

    def begin(self, arguments: Sequence[Arguments]) -> int:
        """The first that works."""
        return first_that_works(self, arguments)

    def start(self) -> tuple[list[np.ndarray], Any]:
        """Running statistics and random states are the state."""
        return [weight.value for weight in self.weights], self.rest

    def _merged(self, values: Sequence[Any], state: Any) -> Any:
        # New variables each time: those of the owner, or of another trace, must not be written to.
        fresh = jax.tree_util.tree_map(lambda leaf: leaf, state)
        return self.nnx.merge(self.graph, jax.tree_util.tree_unflatten(self.tree, list(values)), fresh)

    def call(self, values: Sequence[Any], state: Any, arguments: Arguments, train: bool, _seed: Any) -> Called:
        """On a copy in one mode or the other."""
        module = self._merged(values, state)
        module.train() if train else module.eval()
        outputs = module(*arguments.args, **arguments.kwargs)
        return Called(outputs, self.nnx.split(module, self.nnx.Param, ...)[2])

    def whole(self, values: Sequence[Any], state: Any, loss: Any, batch: Any) -> Any:
        """The loss gets the model."""
        return loss(self._merged(values, state), batch)


def optimizer_of(given: Any, network: Network) -> Optimizer:
    """The optimizer.

    Raises:
        DatalintError: it is none.
    """
    given = getattr(given, "tx", given)
    if not (hasattr(given, "init") and hasattr(given, "update")):
        raise DatalintError(f"optimizer: one of optax (or of flax.nnx) is expected, not {type(given).__name__}")
    return Optax(given, network.tree if isinstance(network, Functional) else None)


class Optax(Optimizer):
    """A chain of ``optax``."""

    kind = "optax"

    def __init__(self, chain: Any, tree: Any) -> None:
        self.chain, self.tree = chain, tree
        self.update = jax.jit(chain.update)

    def _shaped(self, leaves: list[Any]) -> Any:
        """As the model holds them: masks go by the names of weights."""
        return leaves if self.tree is None else jax.tree_util.tree_unflatten(self.tree, leaves)

    def begin(self, values: list[np.ndarray]) -> Any:
        """As before the first step."""
        try:
            state = self.chain.init(self._shaped([jnp.asarray(v) for v in values]))
        except Exception as error:  # masks and schedules run their owner's code
            raise DatalintError(f"optimizer: it does not take the weights: {said(error)}") from error
        known = getattr(state, "hyperparams", {})
        if "learning_rate" in known:
            self.rate = float(known["learning_rate"])
        return state

    def step(
        self, values: list[np.ndarray], slopes: list[np.ndarray | None], state: Any, factor: float
    ) -> tuple[list[np.ndarray], Any]:
        """What the chain says, times the factor."""
        own = [jnp.asarray(v) for v in values]
        given = [jnp.zeros_like(v) if s is None else jnp.asarray(s) for v, s in zip(own, slopes, strict=True)]
        changes, state = self.update(self._shaped(given), state, self._shaped(own))
        leaves = jax.tree_util.tree_leaves(changes)
        return [v + factor * np.asarray(change) for v, change in zip(values, leaves, strict=True)], state
