"""Loops in JAX and Flax: sound ones are silent, broken ones are named, and nothing is left behind."""

from __future__ import annotations

import hashlib
import pickle
import random
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx
from flax.training.train_state import TrainState
from sklearn.datasets import load_diabetes, load_digits

import datalint
from tests.integrations.workspace import example

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.report.models import Report

DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS = (DIGITS / 16).astype(np.float32)


def batches(X: Any, y: Any, size: int = 32) -> list[tuple[Any, Any]]:
    order = np.random.default_rng(0).permutation(len(X))
    return [(X[k], y[k]) for k in (order[i : i + size] for i in range(0, 8 * size, size))]


class Net(linen.Module):
    outputs: int = 10

    @linen.compact
    def __call__(self, x: Any, train: bool = False) -> Any:
        x = linen.relu(linen.BatchNorm(use_running_average=not train)(linen.Dense(48)(x)))
        return linen.Dense(self.outputs)(linen.Dropout(0.1, deterministic=not train)(x))


class Pictures(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        x = linen.max_pool(linen.relu(linen.Conv(16, (3, 3))(x)), (2, 2), (2, 2))
        return linen.Dense(10)(x.reshape(x.shape[0], -1))


class Logs(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        return linen.Dense(10)(Logarithm(name="logarithm")(linen.Dense(16)(x)))


class Logarithm(linen.Module):
    @linen.compact
    def __call__(self, x: Any) -> Any:
        return jnp.log(x)


class Own(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first, self.last = nnx.Linear(64, 48, rngs=rngs), nnx.Linear(48, 10, rngs=rngs)
        self.norm, self.drop = nnx.BatchNorm(48, rngs=rngs), nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.last(self.drop(self.norm(nnx.relu(self.first(x)))))


def entropy(outputs: Any, target: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(outputs, target).mean()


def squares(outputs: Any, target: Any) -> Any:
    return optax.squared_error(outputs, target).mean()


def linear(weights: Any, x: Any) -> Any:
    hidden = jnp.tanh(x @ weights["in"] + weights["shift"])
    return hidden @ weights["out"]


def weights(width: int = 10) -> dict[str, Any]:
    one, two = jax.random.split(jax.random.key(1))
    return {
        "in": jax.random.normal(one, (64, 32)) / 8,
        "shift": jnp.zeros(32),
        "out": jax.random.normal(two, (32, width)) / 6,
    }


Loop = tuple[Any, Any, Any, Any]


def of_linen() -> Loop:
    net = Net()
    variables = net.init(jax.random.key(0), DIGITS[:2])
    return (net, variables), entropy, batches(DIGITS, CLASSES), optax.adam(1e-3)


def of_state() -> Loop:
    net = Pictures()
    X = DIGITS.reshape(-1, 8, 8, 1)
    params = net.init(jax.random.key(0), X[:2])["params"]
    state = TrainState.create(apply_fn=net.apply, params=params, tx=optax.sgd(0.05, momentum=0.9))
    return state, entropy, batches(X, CLASSES), None


def of_nnx() -> Loop:
    model = Own(nnx.Rngs(0))
    return model, entropy, batches(DIGITS, CLASSES), nnx.Optimizer(model, optax.adamw(1e-3), wrt=nnx.Param)


def of_function() -> Loop:
    return (linear, weights()), entropy, batches(DIGITS, CLASSES), optax.adam(1e-3)


def of_numbers() -> Loop:
    X, y = load_diabetes(return_X_y=True)
    X = (X / X.std(0)).astype(np.float32)
    y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
    return Net(outputs=1), squares, batches(X, y), optax.adam(1e-3)


def of_yes_and_no() -> Loop:
    def loss(outputs: Any, target: Any) -> Any:
        return optax.sigmoid_binary_cross_entropy(outputs[:, 0], target).mean()

    return (linear, weights(1)), loss, batches(DIGITS, (CLASSES % 2).astype(np.float32)), optax.adam(1e-3)


def of_weights_and_batch() -> Loop:
    net = Pictures()
    X = DIGITS.reshape(-1, 8, 8, 1)

    def loss(params: Any, batch: Any) -> Any:
        return entropy(net.apply({"params": params}, batch["image"]), batch["label"])

    loader = [{"image": x, "label": y} for x, y in batches(X, CLASSES)]
    return (net, net.init(jax.random.key(0), X[:2])), loss, loader, optax.adam(1e-3)


SOUND = (of_linen, of_state, of_nnx, of_function, of_numbers, of_yes_and_no, of_weights_and_batch)


def tried(loop: Loop, **options: Any) -> Report:
    return datalint.preflight(*loop, config=False, **{"budget": 120, **options})


def alarms(report: Report) -> list[str]:
    return [f"{f.code} {f.message}" for f in report.datasets[0].leading if f.severity != "info"]


@pytest.mark.parametrize("make", SOUND, ids=lambda make: make.__name__)
def test_a_sound_loop_raises_no_alarm(make: Callable[[], Loop]) -> None:
    report = tried(make())
    assert alarms(report) == []
    assert [f"{rule.code} {rule.reason}" for rule in report.datasets[0].rules if rule.status == "failed"] == []
    judged = {rule.code for rule in report.datasets[0].rules if rule.status in {"passed", "found"}}
    assert judged >= {"PRE103", "PRE111", "PRE116", "PRE118", "PRE122", "PRE123"}
    if make is not of_weights_and_batch:  # whose prediction is not known
        assert judged >= {"PRE101", "PRE107", "PRE108", "PRE110", "PRE117", "PRE125"}


def test_other_rules_say_that_they_know_pytorch_alone() -> None:
    (reason,) = {rule.reason for rule in tried(of_function(), select="PRE133").datasets[0].rules}
    assert reason == "it is measured with PyTorch alone, and this is JAX"


def with_loss(change: Callable[[Any, Any], Any], make: Callable[[], Loop] = of_function) -> Loop:
    model, _, loader, optimizer = make()
    return model, change, loader, optimizer


def scaled(factor: float) -> Loop:
    model, loss, loader, optimizer = of_function()
    return model, loss, [(x * factor, y) for x, y in loader], optimizer


def stretched() -> Loop:
    model, _, loader, optimizer = of_numbers()
    return model, lambda outputs, target: ((outputs - target) ** 2).mean(), [(x, y[:, 0]) for x, y in loader], optimizer


def with_rate(rate: float) -> Loop:
    model, loss, loader, _ = of_function()
    return model, loss, loader, optax.inject_hyperparams(optax.adam)(learning_rate=rate)


def with_function(change: Callable[[Any, Any], Any], **more: Any) -> Loop:
    _, loss, loader, optimizer = of_function()
    return (change, weights() | more), loss, loader, optimizer


@jax.custom_vjp
def doubled(x: Any) -> Any:
    return x * 2


doubled.defvjp(lambda x: (x * 2, None), lambda _, slope: (slope * -3,))

BROKEN: dict[str, tuple[Callable[[], Loop], str]] = {
    "ten thousand in every weight": (lambda: with_function(lambda w, x: linear(w, x) * 100), "PRE101"),
    "softmax twice": (lambda: with_function(lambda w, x: jax.nn.softmax(linear(w, x))), "PRE102"),
    "softmax in the loss": (lambda: with_loss(lambda o, t: entropy(jax.nn.softmax(o), t)), "PRE102"),
    "sigmoid twice": (
        lambda: with_loss(lambda o, t: of_yes_and_no()[1](jax.nn.sigmoid(o), t), of_yes_and_no),
        "PRE102",
    ),
    "logits as logarithms": (
        lambda: with_loss(lambda o, t: -jnp.take_along_axis(o, t[:, None], 1).mean()),
        "PRE102",
    ),
    "a target too many": (lambda: with_loss(squares), "PRE103"),
    "pairs": (stretched, "PRE104"),
    "sign": (lambda: with_loss(lambda o, t: -entropy(o, t)), "PRE107"),
    "argmax": (lambda: with_loss(lambda o, t: (o.argmax(1) - t).astype(float).mean()), "PRE107"),
    "zeros": (lambda: with_function(lambda w, x: linear(w, x * 0)), "PRE108"),
    "samples mixed": (lambda: with_function(lambda w, x: linear(w, x - x.mean(0))), "PRE110"),
    "stopped": (
        lambda: with_function(lambda w, x: jax.lax.stop_gradient(jnp.tanh(x @ w["in"])) @ w["out"]),
        "PRE111",
    ),
    "wrong backward": (lambda: with_function(lambda w, x: doubled(linear(w, x))), "PRE116"),
    "same weights": (lambda: with_function(linear, **{"in": jnp.full((64, 32), 0.05)}), "PRE118"),
    "rate of zero": (lambda: with_rate(0.0), "PRE122"),
    "logarithm of what is below zero": (lambda: (Logs(), entropy, batches(DIGITS, CLASSES), None), "PRE123"),
    "rate": (lambda: with_rate(50.0), "PRE125"),
    "raw pixels": (lambda: scaled(255.0), "PRE131"),
    "the same batch again": (lambda: (*of_function()[:2], of_function()[2][:1] * 5, optax.adam(1e-3)), "PRE126"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_loop_is_named(name: str) -> None:
    make, code = BROKEN[name]
    found = [f.code for f in tried(make()).datasets[0].leading]
    assert found[:1] == [code], found


def test_not_finite_names_the_module() -> None:
    (finding,) = (f for f in tried(BROKEN["logarithm of what is below zero"][0]()).findings if f.code == "PRE123")
    assert "'logarithm'" in finding.message


def test_a_rate_that_is_not_told_is_spoken_of_in_factors() -> None:
    model, loss, loader, _ = of_function()
    (finding,) = (f for f in tried((model, loss, loader, optax.adam(50.0))).findings if f.code == "PRE125")
    assert "the learning rate that was given" in finding.message
    assert finding.evidence["rate"] is None


# --- no trace ---------------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """Like Ctrl-C."""


class Loader:
    """Batches with noise of a generator of its own."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __iter__(self) -> Any:
        for x, y in batches(DIGITS, CLASSES):
            yield x + self.rng.normal(0, 0.01, x.shape).astype(np.float32), y


def state_of(model: Any, optimizer: Any, loader: Any) -> str:
    leaves = jax.tree_util.tree_leaves((nnx.state(model), nnx.state(optimizer)))
    arrays = [np.asarray(jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x) for x in leaves]
    modes = (model.norm.use_running_average, model.drop.deterministic)
    parts = [
        [array.tobytes() for array in arrays],
        *(modes, random.getstate(), pickle.dumps(np.random.get_state()), loader.rng.bit_generator.state),
        *(jax.config.jax_enable_x64, jnp.zeros(1).dtype),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.mark.parametrize("kind", ["none", "exception", "interrupt"])
def test_nothing_is_left_behind(kind: str) -> None:
    model, _, _, optimizer = of_nnx()
    loader = Loader()
    calls = [0]

    def loss(outputs: Any, target: Any) -> Any:
        calls[0] += 1
        if kind == "exception" and calls[0] > 3:
            raise ValueError("no more")
        if kind == "interrupt" and calls[0] > 3:
            raise Stop
        return entropy(outputs, target)

    before = state_of(model, optimizer, loader)
    if kind == "interrupt":
        with pytest.raises(Stop):
            tried((model, loss, loader, optimizer))
    else:
        tried((model, loss, loader, optimizer))
    assert calls[0] > 3
    assert state_of(model, optimizer, loader) == before


def test_the_example_of_the_page() -> None:
    exec(compile(example("check_flax.py"), "example", "exec", dont_inherit=True), {"__name__": "example"})


# --- bad input ----------------------------------------------------------------------------------------------------------


def test_what_is_no_loop_is_told_in_one_line() -> None:
    model, loss, loader, optimizer = of_linen()
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((model, None, loader), {}, "loss: a function of outputs and targets is expected, and it is missing"),
        ((model, loss, loader, 0.1), {}, "optimizer: one of optax (or of flax.nnx) is expected, not float"),
        ((model, loss, loader, optimizer), {"device": "gpu"}, "device: JAX chooses it itself"),
        ((model, loss, []), {}, "the loader gives no batch"),
        ((model, loss, 7), {}, "int does not"),
        ((model, loss, iter(loader)), {}, "can be read only once"),
        ((model, loss, [("a", "b")]), {}, "without an array"),
        ((model, loss, [(x[:, :5], y) for x, y in loader]), {}, "model: Net does not take the loader's first batch"),
        (((3, 4), loss, loader), {}, "a pair of function and weights is expected, not of int"),
    ]
    for arguments, options, message in wrong:
        with pytest.raises(datalint.DatalintError) as raised:
            datalint.preflight(*arguments, **options)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)


def test_what_the_budget_does_not_reach_is_said() -> None:
    reasons = {rule.reason for rule in tried(of_function(), budget=1e-9).datasets[0].rules if rule.status == "skipped"}
    assert any("the budget of 1e-09 s was used up" in (reason or "") for reason in reasons)
