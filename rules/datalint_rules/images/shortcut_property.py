"""IMG109 shortcut-property."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    ImageHeaders,
    PixelStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    codes_of,
    digits,
    normal_tail,
)
from datalint_rules._shared.pictures import headers, labels, pixels, redraw, sizes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

LEAST = 10
"""Samples from which a class is judged: below it even a perfect split of the classes can be chance."""

FOLDS = 5
BINS = 24

FILE = ("size", "shape", "file format", "pixel format")
CONTENT = ("brightness", "contrast", "file size")


@dataclass(frozen=True)
class _Shortcut:
    """How well one property predicts the classes."""

    name: str
    told: dict[str, float]
    """By class: rate of its samples recognised minus rate of the others mistaken for it."""
    gain: float
    """Balanced accuracy over all classes, 0 for guessing and 1 for always right."""


class ShortcutProperty(Rule):
    """A property that has nothing to do with the content predicts the class: size, shape, format, brightness, file size.

    Each property alone is cut into bins, and a table of classes per bin predicts samples that were not used to make it
    (five folds). A class is predicted by it if the rate of its samples that are recognised, minus the rate of others mistaken
    for it, is at least 0.8, and a shuffle gives that in fewer than one of 10,000 sets.

    ## Why it hurts

    The classes come from different sources (cameras, web sites, exports), and the model learns the source: it looks
    excellent on this data and its test split, and fails wherever the class comes from another source.

    ## How to fix it

    Collect every class from every source, or remove the difference (one size, one format, equal brightness) and check
    that a model trained on blurred thumbnails no longer recognises the classes.

    ## When it is wrong

    Where the property is the content: day against night by brightness, towers against landscapes by shape. Brightness,
    contrast and file size often follow the content, so they are info, unless one of them alone separates four classes or
    more apart.

    ## Reference

    37 reasons, item 5; Torralba and Efros 2011, Unbiased look at dataset bias. cleanlab's Datalab predicts the label from
    its own quality scores without a test of significance; Deepchecks asks for a predictive power score of 0.3, which
    pictures of digits pass by the amount of ink alone.
    """

    code = "IMG109"
    name = "shortcut-property"
    severity: ClassVar[Severity] = "warning"
    item = "5"
    modalities = frozenset({"images"})
    wants = "classes"
    public = frozenset(
        {
            *("property", "told", "gain", "classes"),
            *("size", "shape", "file format", "pixel format", "brightness", "contrast", "file size"),
        }
    )
    measures = (ImageHeaders, PixelStats, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        told: float = Field(
            0.8, gt=0, le=1, description="Recognised minus mistaken rate from which a property predicts a class."
        )
        content: float = Field(
            0.5,
            ge=0,
            le=1,
            description="Balanced accuracy over all classes, 0 for guessing, from which brightness, contrast and file size "
            "count.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all labelled samples together."""
        label = labels(profile)
        use = np.array([name is not None for name in label], np.bool_) & pixels(profile, "measured").astype(bool)
        # What is one colour all over is a fault by itself, and its source does not predict its label.
        use &= ~pixels(profile, "blank").astype(bool)
        code, names = codes_of(label[use])
        size = np.bincount(code, minlength=len(names))
        judged = np.flatnonzero(size >= LEAST)
        if len(judged) < 2:
            raise Skip(f"fewer than two classes have {LEAST} readable images")
        fold = np.concatenate([_folds(split) for split in profile.splits])[use]
        width, height = (headers(profile, side)[use].astype(float) for side in ("width", "height"))
        values: dict[str, NDArray[np.generic]] = {
            "size": width * height,
            "shape": width / np.maximum(height, 1),
            "file format": headers(profile, "format")[use],
            "pixel format": headers(profile, "mode")[use],
            "brightness": pixels(profile, "brightness")[use],
            "contrast": pixels(profile, "contrast")[use],
            "file size": headers(profile, "file_size")[use].astype(float),
        }
        found = [
            _told(name, _bins(value), code, fold, names, judged, self.params.told) for name, value in values.items()
        ]
        # That one class of many is brighter than the rest, as ones are among digits, is what it looks like.
        found = [item for item in found if item.told and (item.name in FILE or item.gain >= self.params.content)]
        if not found:
            return
        # Where light, contrast and size of file differ together the pictures show other things; the quality of JPEG files
        # or the exposure of one camera changes one of them.
        lone = sum(item.name in CONTENT for item in found) == 1
        hard = [
            item for item in found if item.name in FILE or (lone and item.gain >= self.params.told and len(judged) >= 4)
        ]
        best = max(hard or found, key=lambda item: (item.gain, max(item.told.values()), item.name))
        classes = sorted(best.told, key=lambda name: (-best.told[name], name))
        shown = ", ".join(repr(name) for name in classes[:4]) + (f" and {len(classes) - 4} more" * (len(classes) > 4))
        others = [item.name for item in found if item.name != best.name]
        yield Found(
            message=(
                f"the {best.name} alone separates {shown} from the other classes: "
                f"{best.told[classes[0]]:.2f} recognised minus mistaken where chance gives 0"
                + (f" (so {'does' if len(others) == 1 else 'do'} {', '.join(others)})" if others else "")
            ),
            consequence="The model learns where the pictures come from in place of what they show.",
            remedy="Collect every class from every source, or remove the difference, for example by one size and format.",
            severity=None if hard else "info",
            confidence=0.9 if hard else 0.6,
            class_=classes[0] if len(classes) == 1 else None,
            subject=best.name,
            evidence={
                "property": best.name,
                "classes": {name: digits(best.told[name], 3) for name in classes[:20]},
                "told": list(classes[:20]),
                "gain": digits(best.gain, 3),
                "properties": {item.name: digits(item.gain, 3) for item in found},
            },
            count=int(size[[name in best.told for name in names]].sum()),
            exact=all(split.rows.complete for split in profile.splits),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make one class come from another source: other size or no colour; nine in ten pictures, up to all of them."""
        from PIL import Image

        classes = sorted({path.split("/")[-2] for path in clean.files if path.count("/")})
        if len(classes) < 2:
            return None
        wanted = str(rng.choice(classes))
        mine = sorted(path for path in clean.files if path.split("/")[-2] == wanted)
        if min(sum(path.split("/")[-2] == name for path in clean.files) for name in classes) < 2 * LEAST:
            return None
        count = round((0.9 + 0.1 * strength) * len(mine))
        chosen = {mine[k] for k in rng.choice(len(mine), count, replace=False)}
        one_size = len({tuple(sorted(size)) for size in sizes_of(clean).values()}) == 1
        with Image.open(io.BytesIO(clean.files[mine[0]])) as image:
            colour = image.mode == "RGB"
        if not one_size and not colour:
            return None

        def change(image: Image.Image) -> Image.Image:
            if one_size:
                return image.resize((image.width * 3 // 4, image.height * 3 // 4))
            return image.convert("L")

        return Planted(redraw(clean, 0, rng, change, chosen).data, class_=wanted)


def _folds(split: SplitProfile) -> NDArray[np.int64]:
    """By content, so that copies share a fold; the position may be the class's."""
    content = split[ImageHeaders].places.content
    fold: NDArray[np.int64] = ((content >> np.uint64(20)) % np.uint64(FOLDS)).astype(np.int64)
    return fold


def _bins(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """Categories as they are; numbers by quantiles, where frequent values have a bin of their own."""
    cells: NDArray[np.int64]
    if values.dtype.kind == "S":
        cells = np.unique(values, return_inverse=True)[1].astype(np.int64)
        return cells
    numbers = values.astype(float)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    # On which side an edge falls matters where many values are equal to it.
    cells = (np.searchsorted(edges, numbers, side="left") * 2 + np.isin(numbers, edges)).astype(np.int64)
    return cells


def _told(
    name: str,
    cell: NDArray[np.int64],
    code: NDArray[np.int64],
    fold: NDArray[np.int64],
    names: list[str],
    judged: NDArray[np.int64],
    least: float,
) -> _Shortcut:
    """Judge one property."""
    cell = np.unique(cell, return_inverse=True)[1]
    cells, classes = int(cell.max()) + 1, len(names)
    if cells < 2:
        return _Shortcut(name, {}, 0.0)
    size = np.bincount(code, minlength=classes).astype(float)
    table = np.zeros((FOLDS, cells, classes))
    np.add.at(table, (fold, cell, code), 1)
    hit = np.zeros(classes)
    mistaken = np.zeros(classes)
    right = np.zeros(classes)
    for k in range(FOLDS):
        known = table.sum(0) - table[k]
        mine = known / np.maximum(known.sum(0), 1)
        rest = (known.sum(1, keepdims=True) - known) / np.maximum(known.sum() - known.sum(0), 1)
        says = mine > rest
        test = table[k]
        hit += (test * says).sum(0)
        mistaken += ((test.sum(1, keepdims=True) - test) * says).sum(0)
        best = np.zeros_like(says)
        best[np.arange(cells), mine.argmax(1)] = True
        right += (test * best).sum(0)
    other = len(code) - size
    score = hit / np.maximum(size, 1) - mistaken / np.maximum(other, 1)
    told = {}
    for c in judged:
        deviation = float(np.sqrt(0.25 / size[c] + 0.25 / max(other[c], 1)))
        tests = len(judged) * (len(FILE) + len(CONTENT))
        if score[c] >= least and normal_tail(float(score[c]) / deviation) * tests < 1e-4:
            told[names[c]] = float(score[c])
    rate = float((right[judged] / size[judged]).mean())
    chance = 1 / len(judged)
    return _Shortcut(name, told, max(0.0, (rate - chance) / (1 - chance)))
