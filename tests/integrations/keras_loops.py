"""Loops in Keras, whatever it computes with: sound and broken ones, and what must be as before afterwards."""

from __future__ import annotations

import hashlib
import pickle
import random
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS = (DIGITS / 16).astype(np.float32)
Loop = tuple[Any, Any, Any, Any]


class Rows(keras.utils.PyDataset):
    """Batches by number."""

    def __init__(self, X: Any, y: Any) -> None:
        super().__init__()
        self.X, self.y, self.rng = X, y, np.random.default_rng(0)

    def __len__(self) -> int:
        return 8

    def __getitem__(self, number: int) -> Any:
        rows = np.random.default_rng(number).permutation(len(self.X))[:32]
        return self.X[rows], self.y[rows]


def network(*, outputs: int = 10, activation: Any = None, seed: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    first = layers.Dense(48, activation="relu")
    return keras.Sequential(
        [
            *(layers.Input((64,)), first, layers.BatchNormalization(), layers.Dropout(0.1)),
            layers.Dense(outputs, activation=activation),
        ]
    )


def logits() -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def adam(rate: float = 1e-3) -> Any:
    return keras.optimizers.Adam(rate)


def compiled() -> Loop:
    model = network(activation="softmax")
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, None, Rows(DIGITS, CLASSES), None


def of_logits() -> Loop:
    return network(), logits(), Rows(DIGITS, CLASSES), adam()


def pictures() -> Loop:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    hidden = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(10)(layers.Flatten()(hidden)))
    return model, logits(), Rows(DIGITS.reshape(-1, 8, 8, 1), CLASSES), keras.optimizers.SGD(0.05, momentum=0.9)


def yes_and_no() -> Loop:
    target = (CLASSES % 2).astype(np.float32)[:, None]
    return network(outputs=1, activation="sigmoid"), "binary_crossentropy", Rows(DIGITS, target), "adam"


def penalised() -> Loop:
    keras.utils.set_random_seed(0)
    dense = layers.Dense(32, activation="tanh", kernel_regularizer=keras.regularizers.L2(1e-3))
    target = (DIGITS[:, 20] * 2 - 1)[:, None]
    return keras.Sequential([layers.Input((64,)), dense, layers.Dense(1)]), "mse", Rows(DIGITS, target), adam()


SOUND = (compiled, of_logits, pictures, yes_and_no, penalised)


def _with(make: Callable[[], Loop], **changed: Any) -> Loop:
    names = ("model", "loss", "loader", "optimizer")
    parts = dict(zip(names, make(), strict=True)) | changed
    return parts["model"], parts["loss"], parts["loader"], parts["optimizer"]


def _through(function: Callable[[Any], Any]) -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [layers.Input((64,)), layers.Dense(32), layers.Lambda(function, name="broken"), layers.Dense(10)]
    )


def _constant() -> Any:
    model = network()
    kernel = model.layers[0].kernel
    kernel.assign(np.full(kernel.shape, 0.05, np.float32))
    return model


BROKEN: dict[str, tuple[Callable[[], Loop], str]] = {
    "probabilities as logits": (lambda: _with(of_logits, model=network(activation="softmax")), "PRE102"),
    "logits as probabilities": (lambda: _with(of_logits, loss="sparse_categorical_crossentropy"), "PRE102"),
    "logits as yes and no": (lambda: _with(yes_and_no, model=network(outputs=1)), "PRE102"),
    "classes for vectors": (lambda: _with(of_logits, loss="categorical_crossentropy"), "PRE103"),
    "sign": (lambda: _with(of_logits, loss=lambda target, outputs: -logits()(target, outputs)), "PRE107"),
    "zeros": (lambda: _with(of_logits, model=_through(lambda x: x * 0)), "PRE108"),
    "samples mixed": (lambda: _with(of_logits, model=_through(lambda x: x - keras.ops.mean(x, axis=0))), "PRE110"),
    "same weights": (lambda: _with(of_logits, model=_constant()), "PRE118"),
    "dropout": (
        lambda: _with(
            of_logits,
            model=keras.Sequential([layers.Input((64,)), layers.Dense(64), layers.Dropout(0.95), layers.Dense(10)]),
        ),
        "PRE119",
    ),
    "rate of zero": (lambda: _with(of_logits, optimizer=adam(0.0)), "PRE122"),
    "logarithm": (lambda: _with(of_logits, model=_through(keras.ops.log)), "PRE123"),
    "rate": (lambda: _with(of_logits, optimizer=adam(50.0)), "PRE125"),
    "raw pixels": (lambda: _with(pictures, loader=Rows(DIGITS.reshape(-1, 8, 8, 1) * 255, CLASSES)), "PRE131"),
}


def numbers(variable: Any) -> Any:
    """As NumPy has them."""
    value = variable.value
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def state_of(model: Any, optimizer: Any, loader: Any) -> str:
    """A hash of all that a preflight must leave as it is."""
    parts = [
        [numbers(v).tobytes() for v in (*model.variables, *optimizer.variables)],
        [(layer.name, layer.trainable, sorted(vars(layer))) for layer in model.layers],
        *(random.getstate(), pickle.dumps(np.random.get_state()), loader.rng.bit_generator.state),
        *(keras.config.floatx(), sorted(vars(model)), sorted(vars(optimizer))),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
