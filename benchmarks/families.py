"""
Generated clean data with what makes judging hard: heavy tails, imbalance, many categories, gaps, coarse answers, tiny sets.

Every seed draws sizes, shapes and relations anew. None of it is a fault: rows are in random order, splits are drawn at
random, labels are right, nothing was scaled. Together with ``tests/reference.py`` they are what rules must be silent on.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from datalint.planting import Clean
from tests.reference import SPLITS, THREE, clean_sets, crop, cut, photos, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@lru_cache(maxsize=2)
def all_sets(seed: int) -> tuple[Clean, ...]:
    """The reference sets and those generated here."""
    return clean_sets(seed) + tuple(make(np.random.default_rng([seed, k])) for k, make in enumerate(FAMILIES))


def _laid_out(name: str, table: pd.DataFrame, label: str, rng: np.random.Generator) -> Clean:
    """Whole, in two splits or in three."""
    shares = (None, SPLITS, THREE)[int(rng.integers(3))]
    return Clean(name, {"all": table} if shares is None else cut(table, shares), label)


def _classes(score: NDArray[np.float64], shares: list[float], names: list[str]) -> NDArray[Any]:
    """Classes of some shares, by the order of a score."""
    cuts = np.quantile(score, np.cumsum(shares)[:-1])
    return np.array(names, dtype=object)[np.searchsorted(cuts, score)]


def _amounts(rng: np.random.Generator) -> Clean:
    """Amounts, durations and returns: log-normal, exponential and Student's t with few degrees of freedom."""
    n = int(rng.integers(400, 2_500))
    table = pd.DataFrame(
        {
            "amount": np.round(rng.lognormal(rng.uniform(2, 6), rng.uniform(0.6, 1.2), n), 2),
            "seconds": np.round(rng.exponential(rng.uniform(20, 400), n), 1),
            "change": np.round(rng.standard_t(4, n) * rng.uniform(0.5, 20), 3),
            "items": rng.geometric(rng.uniform(0.1, 0.5), n),
            "rate": np.round(rng.beta(2, 5, n) * 100, 1),
        }
    )
    score = np.log(table["amount"]) + 0.02 * table["rate"] + 0.4 * rng.normal(size=n)
    kind = _classes(score.to_numpy(), [0.5, 0.5], ["low", "high"])
    return _laid_out("amounts", table.assign(risk=kind), "risk", rng)


def _rare(rng: np.random.Generator) -> Clean:
    """Classes of which the largest is a few times as large as the smallest."""
    n, columns = int(rng.integers(900, 3_000)), int(rng.integers(5, 14))
    kind = rng.choice(["common", "usual", "seldom"], n, p=[0.6, 0.26, 0.14])
    centre = {"common": 0.0, "usual": 1.2, "seldom": -1.4}
    X = rng.normal(size=(n, columns)) * rng.uniform(0.5, 9, columns) + rng.uniform(-5, 20, columns)
    shift = np.array([centre[name] for name in kind])
    X[:, :3] += shift[:, None] * X[:, :3].std(axis=0)
    table = pd.DataFrame({f"f{j}": np.round(X[:, j], 3) for j in range(columns)})
    return _laid_out("rare classes", table.assign(kind=kind), "kind", rng)


def _shop(rng: np.random.Generator) -> Clean:
    """Columns of many categories, with a long tail of rare ones, and a price to be predicted."""
    n, towns = int(rng.integers(800, 2_500)), int(rng.integers(40, 160))
    weights = 1 / np.arange(1, towns + 1)
    town = rng.choice(towns, n, p=weights / weights.sum())
    brand = rng.choice(["Acme", "Bolt", "Cedar", "Delta", "Ember", "Flint", "Grove"], n)
    size = rng.choice(["S", "M", "L", "XL"], n, p=[0.2, 0.4, 0.3, 0.1])
    levels = rng.normal(30, 8, towns)
    price = levels[town] + 5 * (size == "XL") + 3 * rng.normal(size=n)
    table = pd.DataFrame(
        {
            "town": [f"Town{k:03d}ville" for k in town],
            "brand": brand,
            "size": size,
            "weight": np.round(rng.gamma(3, 0.8, n) + 0.1, 2),
            "discount": rng.choice([0, 5, 10, 20], n, p=[0.6, 0.2, 0.15, 0.05]),
            "price": np.round(price, 2),
        }
    )
    return _laid_out("shop", table, "price", rng)


def _survey(rng: np.random.Generator) -> Clean:
    """Answers from 1 to 5 with gaps here and there: coarse values, of which rows coincide by themselves."""
    n, questions = int(rng.integers(300, 1_500)), int(rng.integers(4, 20))
    mood = rng.normal(size=n)
    answers = np.clip(np.round(3 + 0.9 * mood[:, None] + rng.normal(size=(n, questions))), 1, 5)
    answers[rng.random((n, questions)) < 0.02] = np.nan
    table = pd.DataFrame(answers, columns=[f"q{j + 1}" for j in range(questions)])
    stays = np.where(mood + 0.7 * rng.normal(size=n) > -0.3, "stay", "leave")
    return _laid_out("survey", table.assign(age=rng.integers(18, 66, n), decision=stays), "decision", rng)


def _small(rng: np.random.Generator) -> Clean:
    """A few dozen samples, as of a clinical pilot."""
    n = int(rng.integers(40, 110))
    group = rng.permutation(np.arange(n) % 2)
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 80, n),
            "bmi": np.round(rng.normal(26, 4, n), 1),
            "marker": np.round(rng.lognormal(1 + 0.9 * group, 0.5, n), 2),
            "smoker": rng.choice(["yes", "no"], n, p=[0.3, 0.7]),
            "arm": np.where(group == 1, "treated", "control"),
        }
    )
    return Clean("small study", {"all": table}, "arm")


def _sensors(rng: np.random.Generator) -> Clean:
    """Correlated readings in units of very different size, whole numbers among them, and a number to be predicted."""
    n, columns = int(rng.integers(500, 2_500)), int(rng.integers(6, 25))
    hidden = rng.normal(size=(n, 3))
    X = hidden @ rng.normal(size=(3, columns)) + 0.5 * rng.normal(size=(n, columns))
    X = X * 10.0 ** rng.uniform(-0.5, 1, columns) + rng.uniform(-20, 60, columns)
    table = pd.DataFrame({f"s{j:02d}": np.round(X[:, j], 3 if j % 3 else 0) for j in range(columns)})
    target = 3 * hidden[:, 0] + hidden[:, 1] + 0.5 * rng.normal(size=n)
    return _laid_out("sensors", table.assign(load=np.round(target, 3)), "load", rng)


def _tickets(rng: np.random.Generator) -> Clean:
    """Short reports, some of them long, with numbers, names and an amount beside the text."""
    subjects = [
        "printer",
        "router",
        "invoice",
        "parcel",
        "account",
        "password",
        "heating",
        "door lock",
        "coffee machine",
        "badge",
    ]
    states = ["broken", "late", "missing", "slow", "blocked", "wrong", "noisy", "leaking"]
    places = [
        "in Genève",
        "at gate 4",
        "on floor 2",
        "in the café",
        "at the Málaga office",
        "in room B-12",
        "near the lift",
    ]
    asks = [
        "please call back",
        "see the photo",
        "urgent!",
        "it worked yesterday",
        "second time this week",
        "thanks, Zoë",
    ]
    n = int(rng.integers(300, 900))
    rows: dict[str, tuple[str, float]] = {}
    while len(rows) < n:
        state = str(rng.choice(states))
        parts = [f"{rng.choice(subjects)} {rng.integers(1, 900)} is {state} {rng.choice(places)}"]
        parts += [str(ask) for ask in rng.choice(asks, int(rng.poisson(0.9)))]
        kind = "hardware" if state in {"broken", "noisy", "leaking", "slow"} else "office"
        rows.setdefault(", ".join(parts).capitalize() + ".", (kind, float(np.round(rng.gamma(2, 30), 2))))
    table = pd.DataFrame({"report": list(rows), "cost": [cost for _, cost in rows.values()]})
    return _laid_out("tickets", table.assign(desk=[kind for kind, _ in rows.values()]), "desk", rng)


def _scans(rng: np.random.Generator) -> Clean:
    """Grey pictures of two kinds of grain in class folders, darker and brighter ones in both."""
    side = int(rng.integers(48, 80))
    files = {}
    for k in range(int(rng.integers(80, 160))):
        kind = ("coarse", "fine")[k % 2]
        step = 6 if kind == "coarse" else 2
        blocks = rng.normal(rng.uniform(90, 160), rng.uniform(25, 40), (side // step + 1, (side + 16) // step + 1))
        pixels = np.kron(blocks, np.ones((step, step)))[:side, : side + 16] + rng.normal(0, 5, (side, side + 16))
        files[f"{kind}/{k:03d}.png"] = picture(np.clip(pixels, 0, 255).astype(np.uint8))
    return Clean("grain scans", files=files)


def _holidays(rng: np.random.Generator) -> Clean:
    """Colour JPEGs of two photos, of one size, taken in any light, in split and class folders."""
    width, height = int(rng.integers(70, 120)), int(rng.integers(50, 70))
    files = {}
    for name, photo in photos().items():
        for k in range(70):
            light = rng.uniform(0.6, 1.0)
            pixels = np.clip(crop(photo, width, height, rng) * light, 0, 255).astype(np.uint8)
            split = "test" if rng.random() < 0.25 else "train"
            files[f"{split}/{name}/{k:03d}.jpg"] = picture(pixels, "JPEG", quality=int(rng.integers(70, 96)))
    return Clean("holidays", files=files)


FAMILIES: tuple[Callable[[np.random.Generator], Clean], ...] = (
    _amounts,
    _rare,
    _shop,
    _survey,
    _small,
    _sensors,
    _tickets,
    _scans,
    _holidays,
)
