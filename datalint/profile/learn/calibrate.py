"""Calibration of out-of-fold probabilities with a noise floor: what separates wrong labels from a hard problem.

The probability of the given label is modelled as p = (1 - e) q + e / K, where q = softmax(-Z^g) and Z holds the gaps of the
pooled log-probabilities sum_m T_m log p_m below their largest. Hardness fades with confidence, so q (temperatures T, tail
exponent g) explains it; labels replaced at random do not fade, and leave the floor e.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TAIL_SPREAD = 0.2
"""Standard deviation of log g before the data are seen. Over clean real and synthetic sets the fitted g lies within
0.7 and 1.5 (two standard deviations); few samples cannot distinguish a heavy tail from a floor, many can and then overrule this."""
SURE_FLOOR = 0.5
"""Largest floor considered; with more than half of the labels drawn at random no model is left to compare with."""
CELLS = 2_000_000
"""Probabilities that a fit looks at: its few numbers are known from some thousand samples, and many classes make each dear."""
_TINY = 1e-12
_SMALLEST = -10.0  # logit of e below which it counts as zero


@dataclass(frozen=True)
class Calibration:
    """One maximum-likelihood fit.

    Attributes:
        loss: penalised negative log-likelihood (nats, summed over the samples it was fitted to).
        samples: it was fitted to.
        used: which of the models it pools, in the order of the temperatures; empty where all.
    """

    temperatures: tuple[float, ...]
    tail: float
    floor: float
    loss: float
    samples: int
    used: tuple[int, ...] = ()

    @property
    def start(self) -> NDArray[np.float64]:
        """The fit as a starting point for the next one."""
        return np.array([*np.log(self.temperatures), np.log(self.tail)])

    def of(self, logs: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """Those of the models that are pooled."""
        return [logs[m] for m in self.used] if self.used else list(logs)

    @property
    def cost(self) -> float:
        """Half the Bayesian information criterion (Schwarz 1978) with the temperatures as parameters."""
        return self.loss + 0.5 * float(np.log(self.samples)) * len(self.temperatures)


def log_probs(probs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithm of probabilities (n, K), bounded away from log 0."""
    return np.asarray(np.log(np.clip(np.asarray(probs, np.float64), _TINY, 1.0)))


def sharpen(logs: Sequence[NDArray[np.float64]], fit: Calibration) -> NDArray[np.float64]:
    """Probabilities (n, K) of the true label: the pooled models at the fitted temperatures, without the floor."""
    gaps, _ = _gaps(fit.of(logs), np.log(fit.temperatures))
    return _softmax(gaps**fit.tail)


def predictive(probs: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Probabilities of the given label, wrong ones included."""
    return np.asarray((1 - floor) * probs + floor / probs.shape[1])


def probability_wrong(clean: NDArray[np.float64], labels: NDArray[np.intp], floor: float) -> NDArray[np.float64]:
    """Probability (n,) that the given label is wrong, from those of the true label (n, K).

    A share `floor` of the labels is drawn uniformly from all classes; a wrong one hit another class than the true one.
    """
    own = clean[np.arange(len(labels)), labels]
    drawn = floor / clean.shape[1]
    return np.asarray(drawn * (1 - own) / ((1 - floor) * own + drawn + 1e-300))


def calibration_error(probs: NDArray[np.float64], labels: NDArray[np.intp], bins: int = 10) -> float:
    """Mean absolute gap between stated confidence and accuracy over equally filled bins (Guo et al. 2017)."""
    confidence = probs.max(axis=1)
    right = probs.argmax(axis=1) == labels
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    gaps = [len(p) * abs(float(confidence[p].mean() - right[p].mean())) for p in parts if len(p)]
    return float(sum(gaps) / len(labels))


def fit_calibration(
    logs: Sequence[NDArray[np.float64]],
    labels: NDArray[np.intp],
    *,
    floor: float | None = None,
    start: NDArray[np.float64] | None = None,
) -> Calibration:
    """Fit temperatures, tail and (unless `floor` fixes it) the noise floor.

    logs: one (n, K) array of log-probabilities per model. labels: (n,) in 0..K-1. start: log temperatures and log tail
    of an earlier fit; without it two starts are tried, for the likelihood can have two maxima (sharp with a floor, or soft).
    Of many samples with many classes some are looked at, the same ones in every fit.
    """
    from scipy.optimize import minimize

    most = max(1, CELLS // logs[0].shape[1])
    if len(labels) > most:
        some = np.sort(np.random.default_rng(0).choice(len(labels), most, replace=False))
        logs, labels = [part[some] for part in logs], labels[some]
    count = len(logs)
    free = floor is None
    level = [] if free else [_logit(floor or 0.0)]
    bounds = [(-5.0, 5.0)] * count + [(-1.5, 1.0)] + ([(_SMALLEST, _logit(SURE_FLOOR))] if free else [])
    cold = [np.array([t - np.log(count)] * count + [0.0]) for t in (0.0, 1.2)]
    starts = cold if start is None else [start]
    best = None
    for point in starts:
        for first in (-3.0, -6.0) if free and start is None else (-3.0,):
            begin = np.append(point, first) if free else point
            result = minimize(
                lambda theta: _loss(np.append(theta, level), logs, labels, free),
                np.clip(begin, [b[0] for b in bounds], [b[1] for b in bounds]),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 60},
            )
            if best is None or result.fun < best.fun:
                best = result
    assert best is not None
    estimated = _expit(float(best.x[-1])) if free else (floor or 0.0)
    return Calibration(
        temperatures=tuple(np.exp(best.x[:count]).tolist()),
        tail=float(np.exp(best.x[count])),
        floor=0.0 if estimated <= 2 * _expit(_SMALLEST) else estimated,
        loss=float(best.fun),
        samples=len(labels),
    )


def fit_pool(
    logs: Sequence[NDArray[np.float64]],
    labels: NDArray[np.intp],
    *,
    floor: float | None = None,
    alone: Sequence[Calibration] | None = None,
) -> Calibration:
    """The calibration of as few models as the information criterion calls for.

    A temperature for every model would let a few dozen samples bend the pool into whatever fits their labels, a floor
    included. Starts from the best model, and takes in the others in the order of their own losses. alone: the fit of each
    model by itself, where it is known.
    """
    single = alone or [fit_calibration([part], labels, floor=floor) for part in logs]
    ranked = sorted((replace(fit, used=(m,)) for m, fit in enumerate(single)), key=lambda fit: fit.loss)
    best = ranked[0]
    for other in ranked[1:]:
        used = (*best.used, *other.used)
        # Each half as sharp as alone: together about as sharp as before.
        start = np.array([*(np.log(best.temperatures) - np.log(2)), np.log(other.temperatures[0] / 2), 0.0])
        found = fit_calibration([logs[m] for m in used], labels, floor=floor, start=start)
        if found.cost < best.cost:
            best = replace(found, used=used)
    return best


def _loss(
    theta: NDArray[np.float64], logs: Sequence[NDArray[np.float64]], labels: NDArray[np.intp], free: bool
) -> tuple[float, NDArray[np.float64]]:
    count = len(logs)
    n, classes = logs[0].shape
    rows = np.arange(n)
    tail = np.exp(theta[count])
    floor = _expit(float(theta[-1])) if theta[-1] > _SMALLEST else 0.0
    gaps, top = _gaps(logs, theta[:count])
    bent = gaps**tail
    q = _softmax(bent)
    own = q[rows, labels]
    total = (1 - floor) * own + floor / classes + 1e-300
    value = -np.log(total).sum() + 0.5 * (theta[count] / TAIL_SPREAD) ** 2
    # d(-log p)/d(bent) = r (1[k = label] - q), r = share of p that is not floor
    slope = -q
    slope[rows, labels] += 1.0
    slope *= ((1 - floor) * own / total)[:, None]
    by_gap = slope * (tail * bent / gaps)
    gradient = [
        np.exp(theta[m]) * float((by_gap * (logs[m][rows, top][:, None] - logs[m])).sum()) for m in range(count)
    ]
    gradient.append(float((slope * bent * np.log(gaps)).sum()) * tail + theta[count] / TAIL_SPREAD**2)
    if free:
        gradient.append(-float(((1 / classes - own) / total).sum()) * floor * (1 - floor))
    return float(value), np.array(gradient)


def _gaps(
    logs: Sequence[NDArray[np.float64]], log_temperatures: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    pooled = sum((np.exp(t) * part for t, part in zip(log_temperatures, logs, strict=True)), np.zeros(logs[0].shape))
    top = pooled.argmax(axis=1)
    # Never exactly zero: its power and logarithm are taken.
    return np.maximum(pooled[np.arange(len(top)), top][:, None] - pooled, 1e-9), top


def _softmax(bent: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(-bent)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _logit(value: float) -> float:
    return float(np.log(value / (1 - value))) if value > 0 else _SMALLEST
