"""Which of the usual losses a function is, told by what it says of random outputs; no framework's names are needed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Reference = Callable[[np.ndarray, np.ndarray], float]
    Score = Callable[[np.ndarray], float]
    Table = dict[str, tuple[Callable[[np.ndarray], np.ndarray], Reference]]

CLOSE = 2e-3
"""Relative; losses may smooth and clip a little."""


def softmax(values: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    raised = np.exp(values - values.max(-1, keepdims=True))
    result: np.ndarray = raised / raised.sum(-1, keepdims=True)
    return result


def _chosen(logs: np.ndarray, target: np.ndarray) -> float:
    """Mean of the logarithms at the targets, which are whole numbers or one-hot."""
    if target.shape == logs.shape:
        return -float((logs * target).sum(-1).mean())
    whole = target.reshape(logs.shape[:-1]).astype(int)
    return -float(np.take_along_axis(logs, whole[..., None], -1).mean())


def _binary(logits: np.ndarray, target: np.ndarray) -> float:
    given = target.reshape(logits.shape)
    return float((np.logaddexp(0, logits) - given * logits).mean())


def _probable(values: np.ndarray, target: np.ndarray) -> float:
    given = target.reshape(values.shape)
    return -float((given * np.log(values) + (1 - given) * np.log(1 - values)).mean())


def _huber(difference: np.ndarray) -> np.ndarray:
    size = np.abs(difference)
    return np.where(size < 1, 0.5 * size**2, size - 0.5)


OF_CLASSES: Table = {
    "cross_entropy": (lambda z: z, lambda out, t: _chosen(np.log(softmax(out)), t)),
    "softmax, cross_entropy": (lambda z: z, lambda out, t: _chosen(np.log(softmax(softmax(out))), t)),
    "nll_loss": (lambda z: np.log(softmax(z)), _chosen),
    "cross_entropy of probabilities": (softmax, lambda out, t: _chosen(np.log(out), t)),
}
"""With the outputs that they expect; before a comma stands what a loss does to them first."""
OF_LABELS: Table = {
    "binary_cross_entropy_with_logits": (lambda z: z, _binary),
    "sigmoid, binary_cross_entropy_with_logits": (lambda z: z, lambda out, t: _binary(1 / (1 + np.exp(-out)), t)),
    "binary_cross_entropy": (lambda z: 1 / (1 + np.exp(-z)), _probable),
}
OF_NUMBERS: Table = {
    "mse_loss": (lambda z: z, lambda out, t: float(((out - t) ** 2).mean())),
    "l1_loss": (lambda z: z, lambda out, t: float(np.abs(out - t).mean())),
    "huber_loss": (lambda z: z, lambda out, t: float(_huber(out - t).mean())),
}


def whole_classes(shape: tuple[int, ...], target: np.ndarray) -> bool:
    """Whether targets are classes of outputs of that shape: whole numbers, or one-hot."""
    if len(shape) < 2 or shape[-1] < 2:
        return False
    if target.shape == shape:
        return bool(((target == 0) | (target == 1)).all() and (target.sum(-1) == 1).all())
    places = int(np.prod(shape[:-1]))
    fits = target.size == places and target.shape[: len(shape) - 1] == shape[:-1]
    return bool(fits and (target == np.round(target)).all() and target.min() >= 0 and target.max() < shape[-1])


class Draws:
    """Random outputs of a shape, and what a function says of them."""

    def __init__(self, shape: tuple[int, ...], score: Score) -> None:
        rng = np.random.default_rng(0)
        self.shape, self.score = shape, score
        self.draws = [rng.normal(0, size, shape) for size in (1.0, 0.5)]

    def fits(self, shaped: Callable[[np.ndarray], np.ndarray], reference: Reference, target: np.ndarray) -> bool:
        """Whether it says what a reference says, or a sum where that is a mean."""
        factors = []
        for draw in self.draws:
            outputs = shaped(draw).astype(np.float32)
            expected, got = reference(outputs.astype(np.float64), target), self.score(outputs)
            if not np.isfinite(expected) or not np.isfinite(got) or expected == 0:
                return False
            factors.append(got / expected)
        near = [factors[0] * number for number in (1, 1 / self.shape[0], 1 / self.draws[0].size)]
        return abs(factors[0] - factors[1]) < CLOSE * abs(factors[0]) and any(abs(f - 1) < CLOSE for f in near)

    def among(self, table: Table, target: np.ndarray) -> str:
        """The first of some losses that it is; empty if it is none."""
        return next((name for name, (shaped, same) in table.items() if self.fits(shaped, same, target)), "")


def named(shape: tuple[int, ...], target: np.ndarray, score: Score) -> tuple[str, tuple[int, ...] | None]:
    """The name of a loss, and the shape to which it stretches outputs and targets; empty and None if nothing fits."""
    draws = Draws(shape, score)
    found = draws.among(OF_CLASSES, target) if whole_classes(shape, target) else ""
    as_many = target.size == draws.draws[0].size
    if not found and as_many and ((target == 0) | (target == 1)).all():
        found = draws.among(OF_LABELS, target)
    if not found and as_many:
        found = draws.among(OF_NUMBERS, target.reshape(shape))
        if not found and target.shape != shape:
            with contextlib.suppress(ValueError):  # these two shapes are not stretched
                stretched = tuple(np.broadcast_shapes(shape, target.shape))
                return draws.among(OF_NUMBERS, target), stretched
    return found, None
