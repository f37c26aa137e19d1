"""What holds of loops in Keras, whatever it computes with: sound ones are silent, broken ones are named, no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from keras import layers

import datalint
from tests.integrations.keras_loops import (
    BROKEN,
    CLASSES,
    DIGITS,
    SOUND,
    Loop,
    Rows,
    logits,
    network,
    of_logits,
    state_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def tried(loop: Loop, **options: Any) -> Any:
    return datalint.preflight(*loop, config=False, **{"budget": 120, **options})


@pytest.mark.parametrize("make", SOUND, ids=lambda make: make.__name__)
def test_a_sound_loop_raises_no_alarm(make: Callable[[], Loop]) -> None:
    report = tried(make())
    assert [f"{f.code} {f.message}" for f in report.datasets[0].leading if f.severity != "info"] == []
    assert [f"{rule.code} {rule.reason}" for rule in report.datasets[0].rules if rule.status == "failed"] == []
    judged = {rule.code for rule in report.datasets[0].rules if rule.status in {"passed", "found"}}
    assert judged >= {
        "PRE102",
        "PRE103",
        "PRE107",
        "PRE108",
        "PRE110",
        "PRE111",
        "PRE117",
        "PRE118",
        "PRE120",
        "PRE123",
    }


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_loop_is_named(name: str) -> None:
    make, code = BROKEN[name]
    found = [f.code for f in tried(make()).datasets[0].leading]
    assert found[:1] == [code], found


def test_not_finite_names_the_layer() -> None:
    (finding,) = (f for f in tried(BROKEN["logarithm"][0]()).findings if f.code == "PRE123")
    assert "'broken'" in finding.message


class Stop(BaseException):
    """Like Ctrl-C."""


@pytest.mark.parametrize("kind", ["none", "exception", "interrupt"])
def test_nothing_is_left_behind(kind: str) -> None:
    model, own, loader, optimizer = of_logits()
    model.compile(optimizer, own)
    model.fit(loader, verbose=0)
    calls = [0]

    def loss(target: Any, outputs: Any) -> Any:
        calls[0] += 1
        if kind == "exception" and calls[0] > 3:
            raise ValueError("no more")
        if kind == "interrupt" and calls[0] > 3:
            raise Stop
        return own(target, outputs)

    number = int(layers.Dense(1).name.rpartition("_")[2] or 0)
    before = state_of(model, optimizer, loader)
    if kind == "interrupt":
        with pytest.raises(Stop):
            tried((model, loss, loader, optimizer))
    else:
        tried((model, loss, loader, optimizer))
    assert calls[0] > 3
    assert state_of(model, optimizer, loader) == before
    assert layers.Dense(1).name == f"dense_{number + 1}"


def test_what_is_no_loop_is_told_in_one_line() -> None:
    loader = Rows(DIGITS, CLASSES)
    empty = keras.Sequential([layers.Dense(10)])
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((network(), None, loader), {}, "loss: a function of outputs and targets is expected, and it is missing"),
        ((network(), "entropy", loader), {}, "loss: ValueError"),
        ((network(), ["mse", "mse"], loader), {}, "not one for each output"),
        ((network(), logits(), loader, 0.1), {}, "optimizer: one of keras.optimizers is expected, not float"),
        ((empty, logits(), loader), {}, "model: it has no weights yet"),
        ((network(), logits(), Rows(DIGITS[:, :5], CLASSES)), {}, "does not take the loader's first batch"),
        ((network(), logits(), [np.zeros(3)][:0]), {}, "the loader gives no batch"),
        ((network(), logits(), loader), {"device": "cpu"}, "device: Keras chooses it itself"),
    ]
    for arguments, options, message in wrong:
        with pytest.raises(datalint.DatalintError) as raised:
            datalint.preflight(*arguments, **options)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)
