"""Generated clean data with what makes judging hard: heavy tails, imbalance, many categories, gaps, coarse answers, tiny sets.

Every seed draws sizes, shapes and relations anew. None of it is a fault: rows are in random order, splits are drawn at
random, labels are right, nothing was scaled. Together with ``tests/reference.py`` they are what rules must be silent on.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.annotated import ANNOTATED
from benchmarks.written import WRITTEN
from datalint.core.clean import Clean
from tests.reference import IMAGES, SOUNDS, SPLITS, TABLES, THREE, crop, cut, photos, picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


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
    """Short reports, some of them long, with numbers, names and an amount next to the text."""
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


def _orders(rng: np.random.Generator) -> Clean:
    """Orders of many customers, each of whom is in one split only, and of which the splits follow each other in time."""
    customers = int(rng.integers(150, 400))
    counts = rng.integers(2, 7, customers)
    who = np.repeat(np.arange(customers), counts)
    n = len(who)
    table = pd.DataFrame(
        {
            "customer": [f"C-{5000 + 13 * k}" for k in who],
            "ordered_at": pd.Timestamp("2023-02-01")
            + pd.to_timedelta(np.round((who + rng.random(n)) * 37).astype(int), unit="min"),
            "items": rng.geometric(rng.uniform(0.2, 0.5), n),
            "basket": np.round(rng.lognormal(3.2, 0.6, n), 2),
            "channel": rng.choice(["web", "shop", "phone"], n, p=[0.6, 0.3, 0.1]),
        }
    )
    score = np.log(table["basket"]) + 0.3 * (table["channel"] == "web") + 0.5 * rng.normal(size=n)
    table["returned"] = np.where(score > np.quantile(score, 0.65), "yes", "no")
    parts = {}
    for split, inside in (("train", who < 0.7 * customers), ("test", who >= 0.7 * customers)):
        rows = table[inside]
        parts[split] = rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)
    return Clean("orders", parts, "returned")


def _patches(rng: np.random.Generator) -> Clean:
    """Small pictures written as a table: a row is a picture and a column the value of a pixel, 0 to 255."""
    side = int(rng.integers(6, 13))
    n = int(rng.integers(300, 800))
    kinds = list(photos())
    kind = rng.integers(0, len(kinds), n)
    grey = {name: photo.mean(axis=2) for name, photo in photos().items()}
    pixels = np.empty((n, side * side), np.int64)
    for row, k in enumerate(kind):
        top, left = int(rng.integers(427 - 4 * side)), int(rng.integers(640 - 4 * side))
        part = grey[kinds[k]][top : top + 4 * side, left : left + 4 * side]
        light = part.reshape(side, 4, side, 4).mean(axis=(1, 3)) * rng.uniform(0.7, 1.0)
        pixels[row] = np.clip(light.ravel() + rng.normal(0, 3, side * side), 0, 255).astype(np.int64)
    table = pd.DataFrame(pixels, columns=[f"pixel{j}" for j in range(side * side)])
    return _laid_out("patches", table.assign(photo=[kinds[k] for k in kind]), "photo", rng)


def _posts(rng: np.random.Generator) -> Clean:
    """Short messages of very different length in three languages, with signs, numbers and small pictures in them."""
    openings = [
        "Guten Tag",
        "Hello all",
        "Bonjour",
        "hi",
        "Hallo zusammen",
        "Dear team",
        "Salut",
        "Good morning",
        "hey",
    ]
    middles = {
        "travel": ["der Zug fährt um 7:40", "the ferry was late", "le train part à 8 h", "two tickets to Łódź please"],
        "food": ["die Suppe war heiß", "the crème brûlée is great", "un café à 2,50 €", "lunch at 12:30 in Málaga"],
        "work": ["das Büro ist zu", "see section 3.2 of the plan", "la réunion est à midi", "we ship v2.1 on Friday"],
    }
    ends = ["😀", "!!", "…", ":-)", "(no hurry)", "?", "danke", "thx", "à bientôt", "50 % done", "~20 min", "#team"]
    n = int(rng.integers(300, 800))
    rows: dict[str, str] = {}
    while len(rows) < n:
        kind = str(rng.choice(list(middles)))
        said = [str(rng.choice(middles[kind])) for _ in range(1 + int(rng.geometric(0.5)))]
        text = f"{rng.choice(openings)}, {' and '.join(said)} {rng.integers(1, 300)} {rng.choice(ends)}"
        rows.setdefault(text, kind)
    table = pd.DataFrame({"message": list(rows), "likes": rng.poisson(3, n), "topic": list(rows.values())})
    return _laid_out("posts", table, "topic", rng)


def _houses(rng: np.random.Generator) -> Clean:
    """What a house sells for: a target with a long tail, rooms as whole numbers, districts and years."""
    n = int(rng.integers(500, 2_000))
    area = np.round(rng.lognormal(4.5, 0.4, n), 1)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9).astype(int)
    district = rng.choice(["Center", "Harbour", "Hill", "Lake", "Old town", "Station"], n)
    price = area * rng.uniform(1.5, 4) * np.exp(0.25 * rng.normal(size=n)) * np.where(district == "Lake", 1.4, 1.0)
    table = pd.DataFrame(
        {
            "area": area,
            "rooms": rooms,
            "built": rng.integers(1900, 2024, n),
            "district": district,
            "garden": rng.choice(["yes", "no"], n, p=[0.35, 0.65]),
            "price": np.round(price, 1),
        }
    )
    return _laid_out("houses", table, "price", rng)


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
    _orders,
    _patches,
    _posts,
    _houses,
    *ANNOTATED,
    *WRITTEN,
)


def _reference(make: Callable[[np.random.Generator], Clean], seed: int) -> Clean:
    return make(np.random.default_rng(seed))


def _generated(number: int, seed: int) -> Clean:
    return FAMILIES[number](np.random.default_rng([seed, number]))


SETS: dict[str, Callable[[int], Clean]] = {
    **{f"table: {name}": partial(_reference, make) for name, make in TABLES.items()},
    **{f"images: {name}": partial(_reference, make) for name, make in IMAGES.items()},
    **{f"sounds: {name}": partial(_reference, make) for name, make in SOUNDS.items()},
    **{f"generated: {make.__name__.strip('_')}": partial(_generated, k) for k, make in enumerate(FAMILIES)},
}
"""All clean data by name, each made from a seed."""


@lru_cache(maxsize=64)
def clean_set(name: str, seed: int) -> Clean:
    """One of :data:`SETS`; rules do not change what they plant into, so it may be shared."""
    return SETS[name](seed)
