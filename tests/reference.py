"""Clean data sets: no rule may find anything above ``info`` in them.

Built in code from what scikit-learn bundles and generates. A seed decides shuffles, splits and what is generated, so
that other seeds give other data of the same kind.
"""

from __future__ import annotations

import io
import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from datalint.core.clean import Clean
from tests.conversations import chats
from tests.recordings import KINDS, made, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

SPLITS = {"train": 0.7, "test": 0.3}
THREE = {"train": 0.6, "validation": 0.2, "test": 0.2}


@lru_cache(maxsize=4)
def tables(seed: int = 0) -> tuple[Clean, ...]:
    """All clean tables."""
    return tuple(make(np.random.default_rng(seed)) for make in TABLES.values())


@lru_cache(maxsize=4)
def images(seed: int = 0) -> tuple[Clean, ...]:
    """All clean image trees."""
    return tuple(make(np.random.default_rng(seed)) for make in IMAGES.values())


@lru_cache(maxsize=4)
def sounds(seed: int = 0) -> tuple[Clean, ...]:
    """All clean trees of recordings."""
    return tuple(make(np.random.default_rng(seed)) for make in SOUNDS.values())


def clean_sets(seed: int = 0) -> tuple[Clean, ...]:
    """Tables, image trees and recordings."""
    return tables(seed) + images(seed) + sounds(seed)


def named(name: str, seed: int = 0) -> Clean:
    """One of them."""
    return next(clean for clean in clean_sets(seed) if clean.name == name)


def shuffled(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows in random order."""
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def cut(table: pd.DataFrame, shares: Mapping[str, float]) -> dict[str, pd.DataFrame]:
    """The rows by split, in stored order."""
    ends = [round(len(table) * share) for share in np.cumsum(list(shares.values()))]
    starts = [0, *ends[:-1]]
    return {name: table.iloc[a:b].reset_index(drop=True) for name, a, b in zip(shares, starts, ends, strict=True)}


# --- tables ---------------------------------------------------------------------------------------------------------


def _bundled(loader: str, rng: np.random.Generator, shares: Mapping[str, float] | None = None, **options: Any) -> Clean:
    from sklearn import datasets

    frame = getattr(datasets, f"load_{loader}")(as_frame=True, **options).frame
    frame.columns = [str(column).replace(" ", "_") for column in frame.columns]
    table = shuffled(frame, rng)
    name = f"{loader}, {len(shares)} splits" if shares else loader
    return Clean(name, cut(table, shares) if shares else {"all": table}, "target")


def _frame(X: NDArray[np.float64], y: NDArray[Any]) -> pd.DataFrame:
    """Columns in units and of offsets as instruments give them, so that nothing looks scaled."""
    columns = {f"x{j}": np.round(X[:, j] * (1 + j % 5) + 3 * (j % 7), 4) for j in range(X.shape[1])}
    return pd.DataFrame({**columns, "y": y})


def _classification(rng: np.random.Generator) -> Clean:
    from sklearn.datasets import make_classification

    X, y = make_classification(1200, 10, n_informative=6, n_classes=3, flip_y=0, random_state=int(rng.integers(2**31)))
    return Clean("three classes", cut(_frame(X, y), SPLITS), "y")


def _uneven(rng: np.random.Generator) -> Clean:
    from sklearn.datasets import make_classification

    seed = int(rng.integers(2**31))
    X, y = make_classification(800, 8, n_informative=5, weights=[0.75], class_sep=1.5, flip_y=0, random_state=seed)
    return Clean("three to one", {"all": _frame(X, np.where(y == 1, "yes", "no"))}, "y")


def _many_classes(rng: np.random.Generator) -> Clean:
    from sklearn.datasets import make_blobs

    X, y = make_blobs(1200, 6, centers=40, random_state=int(rng.integers(2**31)))
    return Clean("forty classes", {"all": _frame(X, y)}, "y")


def _regression(rng: np.random.Generator) -> Clean:
    from sklearn.datasets import make_regression

    X, y = make_regression(600, 8, noise=10, random_state=int(rng.integers(2**31)))
    return Clean("regression", cut(_frame(X, np.round(y, 3)), THREE), "y")


def _heavy_tails(rng: np.random.Generator) -> Clean:
    X = rng.lognormal(0, 2, (1000, 6))
    y = np.round(X[:, 0] * rng.lognormal(0, 1, 1000) + rng.pareto(1.2, 1000), 4)
    return Clean("heavy tails", {"all": pd.DataFrame({**{f"x{j}": X[:, j] for j in range(6)}, "price": y})}, "price")


def _customers(rng: np.random.Generator) -> Clean:
    """Categories, flags, counts, gaps, ids and a time at which nothing changes."""
    n = 1500
    age = np.where(rng.random(n) < 0.06, np.nan, rng.integers(18, 80, n))
    visits = rng.poisson(4, n)
    region = rng.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.2, 0.1]).astype(object)
    region[rng.random(n) < 0.03] = None
    income = np.round(rng.lognormal(10, 0.5, n), 2)
    member = rng.random(n) < 0.4
    score = 0.8 * (visits - 4) + 2.5 * member + 3 * (np.nan_to_num(age, nan=45.0) > 50) - 2 + 0.7 * rng.normal(size=n)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(10_000, 10_000 + n),
            "signed_up": pd.Timestamp("2021-03-01") + pd.to_timedelta(np.arange(n) * 7, unit="h"),
            "age": age,
            "visits": visits,
            "region": region,
            "income": income,
            "member": member,
            "bought": np.where(score > 0, "yes", "no"),
        }
    )
    return Clean("customers", cut(table, THREE), "bought")


def _baskets(rng: np.random.Generator) -> Clean:
    """Counts of which most are zero."""
    kind = rng.integers(0, 3, 700)
    rates = rng.gamma(0.6, 0.8, (3, 30))
    counts = rng.poisson(rates[kind])
    table = pd.DataFrame(counts, columns=[f"item_{j}" for j in range(30)])
    return Clean("baskets", {"all": table.assign(kind=np.array(["a", "b", "c"])[kind])}, "kind")


def _wide(rng: np.random.Generator) -> Clean:
    y = rng.integers(0, 2, 240)
    X = rng.normal(size=(240, 300)) + 0.8 * np.outer(y, rng.random(300) < 0.1)
    return Clean("wide", cut(_frame(X, y), SPLITS), "y")


def _tagged(rng: np.random.Generator) -> Clean:
    """Any number of labels per row."""
    X = rng.normal(size=(700, 5))
    has = X + rng.normal(size=X.shape) > 0.8
    table = _frame(X, np.array(["|".join(f"tag {'abcde'[k]}" for k in np.flatnonzero(row)) for row in has]))
    return Clean("tagged", cut(table.rename(columns={"y": "tags"}), SPLITS), "tags", joint="|")


def _tiny(rng: np.random.Generator) -> Clean:
    y = rng.integers(0, 2, 50)
    X = rng.normal(size=(50, 4)) + 2 * y[:, None]
    return Clean("tiny", {"all": _frame(X, y)}, "y")


def _reviews(rng: np.random.Generator) -> Clean:
    """Sentences of two kinds, in which accents, quotes, signs and a few long texts are as they should be."""
    who = [
        "my sister",
        "our neighbour",
        "the whole family",
        "a friend of mine",
        "the café owner",
        "Renée",
        "José",
        "my old teacher",
        "the crew",
    ]
    where = [
        "in Zürich",
        "near the river",
        "on the 3rd floor",
        "by the sea",
        "at São Paulo airport",
        "in town",
        "on the train",
        "at home",
    ]
    when = [
        "last spring",
        "on Monday",
        "in 2019",
        "after the rain",
        "before noon",
        "two weeks ago",
        "at night",
        "for the first time",
    ]
    good = [
        "loved the soup",
        "praised the staff",
        "felt welcome",
        "slept well",
        "paid only €12.50",
        "laughed a lot",
        "came back twice",
    ]
    bad = [
        "waited for hours",
        "found hair & dust",
        "lost the keys",
        "got a cold meal",
        "paid far too much",
        "left early",
        "heard noise",
    ]
    more = [
        "it was 20°C outside",
        "the “garden” is small",
        "5 < 6 people came",
        "the rooms are on the left",
        "we took the #9 bus",
    ]
    rows: dict[str, str] = {}
    while len(rows) < 600:
        kind = "good" if rng.random() < 0.55 else "bad"
        parts = [
            f"{rng.choice(who)} {rng.choice(good if kind == 'good' else bad)} {rng.choice(where)} {rng.choice(when)}"
            for _ in range(1 + int(rng.poisson(1.5)))
        ]
        extra = [str(rng.choice(more))] * (rng.random() < 0.5)
        text = "; ".join([*parts, *extra])
        rows.setdefault(text[0].upper() + text[1:] + str(rng.choice([".", "!", "..."])), kind)
    table = pd.DataFrame({"review": list(rows), "opinion": list(rows.values())})
    return Clean("reviews", cut(table, SPLITS), "opinion")


def _visits(rng: np.random.Generator, *, split: bool) -> Clean:
    """Some visits of each of many patients, shuffled; split by patient."""
    patients = 160
    visits = rng.integers(3, 9, patients)
    own = rng.normal(size=(patients, 4))
    who = rng.permutation(np.repeat(np.arange(patients), visits))
    values = own[who] + 0.8 * rng.normal(size=(len(who), 4))
    table = pd.DataFrame(
        {
            "patient_id": [f"P{1000 + 7 * k}" for k in who],
            "pressure": np.round(120 + 15 * values[:, 0], 1),
            "pulse": np.round(70 + 10 * values[:, 1]),
            "sugar": np.round(5 + 0.8 * values[:, 2], 2),
            "ward": rng.choice(["A", "B", "C"], len(who)),
            "readmitted": np.where(values[:, 3] + values[:, 0] + rng.normal(size=len(who)) > 0.5, "yes", "no"),
        }
    )
    if not split:
        return Clean("visits", {"all": table}, "readmitted")
    train = who < 0.7 * patients
    parts = {"train": table[train].reset_index(drop=True), "test": table[~train].reset_index(drop=True)}
    return Clean("visits, 2 splits", parts, "readmitted")


def _questions(rng: np.random.Generator) -> Clean:
    """Questions and answers, one of each."""
    made = chats(500, int(rng.integers(2**31)), 1)
    table = pd.DataFrame({"prompt": [chat[0][1] for chat in made], "completion": [chat[1][1] for chat in made]})
    return Clean("questions", cut(table, SPLITS))


def _chats(rng: np.random.Generator) -> Clean:
    """Conversations as lists of turns."""
    made = [[{"role": role, "content": text} for role, text in chat] for chat in chats(400, int(rng.integers(2**31)))]
    return Clean("chats", {"all": pd.DataFrame({"messages": made})})


def _preferences(rng: np.random.Generator) -> Clean:
    """Two answers to each question, of lengths that do not say which is preferred."""
    one, two = (chats(400, int(rng.integers(2**31)), 1) for _ in range(2))
    rows = [(a[0][1], a[1][1], b[1][1]) for a, b in zip(one, two, strict=True)]
    return Clean("preferences", cut(pd.DataFrame(rows, columns=["prompt", "chosen", "rejected"]), SPLITS))


def _passages(rng: np.random.Generator) -> Clean:
    """Passages with a question each, and where in it the answer begins."""
    rows = []
    for k, chat in enumerate(chats(300, int(rng.integers(2**31)), 1)):
        passage = chat[1][1]
        words = passage.split()
        first = int(rng.integers(len(words) - 4))
        answer = " ".join(words[first : first + int(rng.integers(1, 5))])
        start = len(" ".join([*words[:first], ""]))
        rows.append((f"q{k:04d}", passage, chat[0][1], answer, start))
    table = pd.DataFrame(rows, columns=["id", "context", "question", "answer", "answer_start"])
    return Clean("passages", cut(table, SPLITS))


def _manifest(rng: np.random.Generator) -> Clean:
    """A list of recordings with what is said in each, and how long that takes."""
    texts = [chat[1][1].split(". ")[0] for chat in chats(500, int(rng.integers(2**31)), 1)]
    texts = [f"{text} {chat[0][1]}" for text, chat in zip(texts, chats(500, int(rng.integers(2**31)), 1), strict=True)]
    seconds = np.array([len(text) / 14 for text in texts]) * rng.uniform(0.85, 1.2, len(texts)) + 0.3
    names = [f"clips/{k:05d}.wav" for k in range(len(texts))]
    table = pd.DataFrame({"audio_filepath": names, "duration": np.round(seconds, 3), "text": texts})
    return Clean("manifest", cut(table, SPLITS))


TABLES: dict[str, Callable[[np.random.Generator], Clean]] = {
    "wine": lambda rng: _bundled("wine", rng),
    "wine split": lambda rng: _bundled("wine", rng, SPLITS),
    "digits": lambda rng: _bundled("digits", rng),
    "breast cancer": lambda rng: _bundled("breast_cancer", rng, THREE),
    "iris": lambda rng: _bundled("iris", rng),
    # As shipped it is standardised over all its rows, which is a fault.
    "diabetes": lambda rng: _bundled("diabetes", rng, SPLITS, scaled=False),
    "classification": _classification,
    "uneven": _uneven,
    "many classes": _many_classes,
    "regression": _regression,
    "heavy tails": _heavy_tails,
    "customers": _customers,
    "baskets": _baskets,
    "wide": _wide,
    "tiny": _tiny,
    "reviews": _reviews,
    "visits": lambda rng: _visits(rng, split=False),
    "visits split": lambda rng: _visits(rng, split=True),
    "tagged": _tagged,
    "questions": _questions,
    "chats": _chats,
    "preferences": _preferences,
    "passages": _passages,
    "manifest": _manifest,
}


# --- images ---------------------------------------------------------------------------------------------------------


def picture(pixels: NDArray[np.uint8], kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file; pixels are [height, width] or [height, width, 3]."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def _digits(rng: np.random.Generator) -> Clean:
    """Grey 16 x 16 pictures of digits in split and class folders."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    rows = rng.choice(len(X), 400, replace=False)
    files = {}
    for k, row in enumerate(rows):
        pixels = np.kron(X[row].reshape(8, 8) * 15, np.ones((2, 2))).astype(np.uint8)
        files[f"{'test' if k % 4 == 0 else 'train'}/{y[row]}/{k:04d}.png"] = picture(pixels)
    return Clean("digit pictures", files=files)


@cache
def photos() -> dict[str, NDArray[np.uint8]]:
    """The two colour photos that scikit-learn ships, [427, 640, 3]."""
    from sklearn.datasets import load_sample_image

    return {name: np.asarray(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")}


def crop(photo: NDArray[np.uint8], width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A random part of a photo."""
    top, left = int(rng.integers(427 - height)), int(rng.integers(640 - width))
    return photo[top : top + height, left : left + width]


def _crops(rng: np.random.Generator) -> Clean:
    """Colour JPEGs of one size, wider than high."""
    files = {
        f"{name}/{k:03d}.jpg": picture(crop(photo, 96, 64, rng), "JPEG", quality=85)
        for name, photo in photos().items()
        for k in range(60)
    }
    return Clean("photo crops", files=files)


def _snapshots(rng: np.random.Generator) -> Clean:
    """Colour photos of which three in ten were taken upright, in split folders."""
    files = {}
    for name, photo in photos().items():
        for k in range(50):
            width, height = (60, 90) if rng.random() < 0.3 else (90, 60)
            split = "val" if k % 5 == 0 else "train"
            files[f"{split}/{name}/{k:03d}.png"] = picture(crop(photo, width, height, rng))
    return Clean("snapshots", files=files)


def _any_size(rng: np.random.Generator) -> Clean:
    """Colour photos of many sizes, as collected on the web."""
    files = {}
    for name, photo in photos().items():
        for k in range(40):
            width, height = (int(side) for side in rng.integers(40, 140, 2))
            files[f"{name}/{k:03d}.jpg"] = picture(crop(photo, width, height, rng), "JPEG")
    return Clean("any size", files=files)


def _shapes(rng: np.random.Generator) -> Clean:
    """Discs, squares and rings of any colour on grainy paper of any colour."""
    y, x = np.mgrid[:96, :128]
    files = {}
    for k in range(150):
        across, down, size = rng.uniform(35, 93), rng.uniform(35, 61), rng.uniform(14, 28)
        far = np.hypot(x - across, y - down)
        kind = ("disc", "ring", "square")[k % 3]
        inside = np.maximum(abs(x - across), abs(y - down)) < size * 0.89
        inside = {"disc": far < size, "ring": (far < size * 1.2) & (far > size * 0.66), "square": inside}[kind]
        paper, ink = rng.uniform(90, 200, 3), rng.uniform(0, 1, 3)
        ink = np.where(paper > 145, ink * 70, 255 - ink * 70)
        pixels = np.where(inside[..., None], ink, paper) + rng.normal(0, 14, (96, 128, 1))
        files[f"{kind}/{k:03d}.png"] = picture(np.clip(pixels, 0, 255).astype(np.uint8))
    return Clean("drawn shapes", files=files)


def _boxed_digits(rng: np.random.Generator) -> Clean:
    """Digits in any colour and size on photos, with COCO annotations of where they are."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    names = list(photos())
    files: dict[str, bytes] = {}
    documents: dict[str, Any] = {
        split: {"images": [], "annotations": [], "categories": [{"id": k + 1, "name": f"digit {k}"} for k in range(10)]}
        for split in ("train", "validation")
    }
    for k in range(100):
        split = "validation" if k % 4 == 0 else "train"
        images, objects = documents[split]["images"], documents[split]["annotations"]
        pixels = crop(photos()[names[k % 2]], 128, 96, rng).astype(np.float64)
        images.append({"id": k + 1, "file_name": f"{k:03d}.jpg", "width": 128, "height": 96})
        # One digit in each part of the picture, or none there.
        for column, row in [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]:
            if rng.random() < 0.6:
                continue
            which, scale = int(rng.integers(len(X))), int(rng.integers(3, 6))
            ink = np.kron(X[which].reshape(8, 8), np.ones((scale, scale))) / 16
            left, top = 42 * column + int(rng.integers(42 - len(ink))), 48 * row + int(rng.integers(48 - len(ink)))
            part = pixels[top : top + len(ink), left : left + len(ink)]
            colour = (part.mean(axis=(0, 1)) + 128 + rng.uniform(-40, 40, 3)) % 256
            part += ink[..., None] * (colour - part)
            down, across = np.nonzero(ink)
            box = [left + across.min(), top + down.min(), np.ptp(across) + 1, np.ptp(down) + 1]
            box = [int(side) for side in box]
            size = {"bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            objects.append({"id": 0, "image_id": k + 1, "category_id": int(y[which]) + 1, **size})
        files[f"{split}/{k:03d}.jpg"] = picture(pixels.round().astype(np.uint8), "JPEG", quality=90)
    for document in documents.values():
        for number, item in enumerate(document["annotations"], 1):
            item["id"] = number
    annotations = {f"annotations/{split}.json": json.dumps(document).encode() for split, document in documents.items()}
    return Clean("digits in photos", files=files, annotations=annotations)


def _signs(rng: np.random.Generator) -> Clean:
    """Plates of three digits, each in any colour, on photos, with COCO annotations of where they are."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    names = list(photos())
    kinds = (0, 1, 4)
    files: dict[str, bytes] = {}
    documents: dict[str, Any] = {
        split: {"images": [], "annotations": [], "categories": [{"id": k + 1, "name": f"plate {k}"} for k in range(3)]}
        for split in ("train", "validation")
    }
    for k in range(110):
        split = "validation" if k % 5 == 0 else "train"
        images, objects = documents[split]["images"], documents[split]["annotations"]
        pixels = crop(photos()[names[k % 2]], 160, 96, rng).astype(np.float64)
        images.append({"id": k + 1, "file_name": f"{k:03d}.jpg", "width": 160, "height": 96})
        for column, row in [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1)]:
            if rng.random() < 0.4:
                continue
            kind = int(rng.integers(len(kinds)))
            ink = np.pad(
                np.kron(X[rng.choice(np.flatnonzero(y == kinds[kind]))].reshape(8, 8), np.ones((3, 3))) / 16, 3
            )
            left, top = 40 * column + int(rng.integers(40 - len(ink))), 48 * row + int(rng.integers(48 - len(ink)))
            plate = rng.uniform(150, 255, 3)
            pixels[top : top + len(ink), left : left + len(ink)] = plate * (1 - 0.8 * ink[..., None])
            size = {"bbox": [left, top, len(ink), len(ink)], "area": len(ink) ** 2, "iscrowd": 0}
            objects.append({"id": len(objects) + 1, "image_id": k + 1, "category_id": kind + 1, **size})
        files[f"{split}/{k:03d}.jpg"] = picture(np.clip(pixels, 0, 255).astype(np.uint8), "JPEG", quality=90)
    annotations = {f"annotations/{split}.json": json.dumps(document).encode() for split, document in documents.items()}
    return Clean("signs in photos", files=files, annotations=annotations)


def _masked_digits(rng: np.random.Generator) -> Clean:
    """A digit in any colour on each photo, with a mask of it in a folder next to."""
    from sklearn.datasets import load_digits

    X, _ = load_digits(return_X_y=True)
    names = list(photos())
    files: dict[str, bytes] = {}
    masks: dict[str, bytes] = {}
    for k in range(100):
        split = "validation" if k % 4 == 0 else "train"
        pixels = crop(photos()[names[k % 2]], 96, 72, rng).astype(np.float64)
        scale = int(rng.integers(4, 8))
        ink = np.kron(X[int(rng.integers(len(X)))].reshape(8, 8), np.ones((scale, scale))) / 16
        left, top = int(rng.integers(96 - len(ink))), int(rng.integers(72 - len(ink)))
        part = pixels[top : top + len(ink), left : left + len(ink)]
        colour = (part.mean(axis=(0, 1)) + 128 + rng.uniform(-40, 40, 3)) % 256
        part += ink[..., None] * (colour - part)
        mask = np.zeros((72, 96), np.uint8)
        mask[top : top + len(ink), left : left + len(ink)] = np.where(ink > 0.5, 255, 0)
        files[f"{split}/images/{k:03d}.jpg"] = picture(pixels.round().astype(np.uint8), "JPEG", quality=90)
        masks[f"{split}/masks/{k:03d}.png"] = picture(mask)
    return Clean("digits with masks", files=files, annotations=masks)


IMAGES: dict[str, Callable[[np.random.Generator], Clean]] = {
    "digits": _digits,
    "crops": _crops,
    "snapshots": _snapshots,
    "any size": _any_size,
    "shapes": _shapes,
    "boxed digits": _boxed_digits,
    "signs": _signs,
    "masked digits": _masked_digits,
}


# --- recordings -----------------------------------------------------------------------------------------------------


def _noises(rng: np.random.Generator) -> Clean:
    """Bells, birds and rain in split and class folders."""
    files = {}
    for k in range(150):
        kind, split = KINDS[k % 3], "test" if k % 5 == 0 else "train"
        files[f"{split}/{kind}/{k:03d}.wav"] = packed(made(kind, rng))
    return Clean("noises", files=files)


def _stereo(rng: np.random.Generator) -> Clean:
    """The same from two sides, in class folders alone."""
    files = {}
    for k in range(90):
        kind = KINDS[k % 3]
        one = made(kind, rng)
        late = int(rng.integers(1, 9))
        both = np.stack([one, np.roll(one, late) * rng.uniform(0.6, 1)], axis=1) + rng.normal(0, 0.002, (len(one), 2))
        files[f"{kind}/{k:03d}.wav"] = packed(np.clip(both, -1, 1), 11_025)
    return Clean("noises in stereo", files=files)


SOUNDS: dict[str, Callable[[np.random.Generator], Clean]] = {"noises": _noises, "stereo": _stereo}
