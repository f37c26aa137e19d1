"""ANN106 box-convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import (
    MALFORMED,
    OUTLINED,
    Clean,
    Field,
    Found,
    Objects,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    counted,
    have,
)
from datalint_rules.annotations._objects import ObjectRule, cases_of, documents_of, image_sizes, named, planted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_FORMS = {
    "corners": "left, top, right and bottom",
    "sizes": "left, top, width and height",
    "centres": "centre, width and height",
}
_UNITS = {"pixels": "in pixels", "shares": "in shares of the picture", "percent": "in percent of the picture"}


_CORNER = 2
"""Pixels from the corner of a picture within which boxes lie whose shares are taken for pixels."""


@dataclass(frozen=True)
class _Reading:
    """One way to read four numbers."""

    form: str
    unit: str
    swapped: bool

    @property
    def words(self) -> str:
        """How a person says it."""
        return f"{_FORMS[self.form]} {_UNITS[self.unit]}" + (", x and y exchanged" if self.swapped else "")


class BoxConvention(ObjectRule):
    """Boxes whose numbers follow another convention than that of their format, and boxes among outlines.

    Corners where width and height belong, pixels where shares do, x and y exchanged: read in the other way nearly all boxes
    lie in their pictures, and as the format has it many do not. Or some objects have a box only where the others have an
    outline.

    ## Why it hurts

    Every box of the split is in the wrong place or of the wrong size. Trainers drop what lies outside, so that a part of the
    objects is left and nothing seems to be wrong. Of a YOLO set with outlines and boxes Ultralytics leaves out all outlines,
    and takes the box in a file of outlines for an outline of two points; objects of COCO without an outline are dropped where
    masks are learnt.

    ## How to fix it

    Convert the numbers to the convention of the format, or write the format that they follow. Outline the objects that have a
    box only, or write all of them as boxes.

    ## When it is wrong

    Where few boxes lie outside for another reason, which is why most of them must lie inside when read in the other way.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN106"
    name = "box-convention"
    severity: ClassVar[Severity] = "error"
    item = "4"
    follows = ("ANN104",)
    public = frozenset({"boxes", "inside", "otherwise", "outlines"})

    class Params(RuleParams):
        """Cuts."""

        boxes: int = Field(20, ge=1, description="Boxes below which a split is not judged.")
        inside: float = Field(
            0.9, gt=0, le=1, description="Share of the boxes inside their pictures from which the format is right."
        )
        otherwise: float = Field(0.98, gt=0, le=1, description="The share that another reading must reach.")
        fill: float = Field(
            0.6,
            gt=0,
            le=1,
            description="Share of the picture that the 5 % of the boxes that reach farthest must reach to: numbers of any "
            "smaller scale lie inside, too.",
        )
        slack: float = Field(0.01, ge=0, lt=1, description="Share of a side that a box may reach beyond.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split whose boxes do not lie in their pictures."""
        known = profile.dataset.annotations
        assert known is not None
        own = _Reading(known.form, "shares" if known.shares else "pixels", False)
        for split in profile.splits:
            if (found := self._mixed(profile, split, own)) is not None:
                yield found
            boxes = split[Objects].boxes.astype(np.float64)
            size = image_sizes(split)[1][split[Objects].picture]
            good = np.isfinite(boxes).all(axis=1) & (size > 0).all(axis=1)
            boxes, size = boxes[good], size[good]
            if len(boxes) < self.params.boxes:
                continue
            inside = self._fit(boxes, size)
            corner = own.unit == "pixels" and bool(np.quantile(boxes[:, 2:], 0.99) <= _CORNER < np.median(size) / 16)
            if inside >= self.params.inside and not corner:
                continue
            best = self._best(_numbers(boxes, size, own), size, own)
            if best is None:
                continue
            reading, share = best
            wrong = (
                f"as {own.words} all of {counted(len(boxes), 'box')} lie in the first {_CORNER} pixels"
                if corner
                else f"only {inside:.0%} of {counted(len(boxes), 'box')} lie in their pictures as {own.words}"
            )
            yield Found(
                message=f"{wrong}, and {share:.0%} as {reading.words}",
                consequence="Every box is in the wrong place, and trainers drop those that lie outside.",
                remedy=f"Convert the numbers from {reading.words} to {own.words}.",
                split=split.name,
                evidence={"boxes": len(boxes), "inside": round(inside, 3), "otherwise": round(share, 3)},
                count=len(boxes),
            )

    @staticmethod
    def _mixed(profile: Profile, split: SplitProfile, own: _Reading) -> Found | None:
        """Objects that have a box only among those that have an outline."""
        objects = split[Objects]
        sound = (objects.flags & MALFORMED) == 0
        outlined = sound & ((objects.flags & OUTLINED) > 0)
        hit = np.flatnonzero(sound & ~outlined)
        drawn = int(outlined.sum())
        if len(hit) == 0 or drawn == 0:
            return None
        by_line = own.unit == "shares"
        few = len(hit) <= drawn
        return Found(
            message=f"{len(hit):,} of {counted(len(hit) + drawn, 'object')} {have(len(hit))} a box only, and the others an outline",
            consequence=(
                "Ultralytics leaves out all outlines of such a set, and takes the box in a file of outlines for one of two points."
                if by_line
                else "Where masks are learnt they are dropped in silence (Detectron2), or training stops at them."
            ),
            remedy="Outline the listed objects, or write all objects as boxes.",
            severity=("error" if few else "warning") if by_line else ("warning" if few else "info"),
            split=split.name,
            subject="outlines",
            evidence={"boxes": len(hit), "outlines": drawn},
            cases=cases_of(split, hit, np.zeros(len(hit)), [named(profile, split, k) for k in hit]),
        )

    def _best(
        self, numbers: NDArray[np.float64], size: NDArray[np.float64], own: _Reading
    ) -> tuple[_Reading, float] | None:
        """The other reading with which most boxes lie in their pictures; of equal ones that which differs least."""
        found: list[tuple[float, int, _Reading]] = []
        for form in _FORMS:
            for unit in _UNITS:
                for swapped in (False, True):
                    reading = _Reading(form, unit, swapped)
                    differ = (form != own.form) + (unit != own.unit) + swapped
                    if not differ:
                        continue
                    boxes = _corners(numbers, size, reading)
                    share = self._fit(boxes, size)
                    reach = np.quantile((boxes[:, 2:] / size).max(axis=1), 0.95)
                    if share >= self.params.otherwise and reach >= self.params.fill:
                        found.append((share, -differ, reading))
        if not found:
            return None
        share, _, reading = max(found, key=lambda item: (round(item[0], 2), item[1]))
        return reading, share

    def _fit(self, boxes: NDArray[np.float64], size: NDArray[np.float64]) -> float:
        """The share of the boxes that enclose something and lie in their pictures."""
        slack = self.params.slack * size
        inside = (boxes[:, :2] >= -slack).all(axis=1) & (boxes[:, 2:] <= size + slack).all(axis=1)
        return float((inside & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)).mean())

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write all boxes of a split as corners."""
        documents: dict[str, Any] = documents_of(clean)
        full = [split for split, document in documents.items() if len(document["annotations"]) >= 40]
        if not full:
            return None
        split = full[0]
        for item in documents[split]["annotations"]:
            left, top, width, height = item["bbox"]
            item["bbox"] = [left, top, left + width, top + height]
        return planted(clean, documents, {}, split=split)


def _numbers(boxes: NDArray[np.float64], size: NDArray[np.float64], own: _Reading) -> NDArray[np.float64]:
    """The numbers as they stand in the files."""
    plain = boxes / np.tile(size, 2) if own.unit == "shares" else boxes
    first, extent = plain[:, :2], plain[:, 2:] - plain[:, :2]
    if own.form == "corners":
        return plain
    return np.hstack([first if own.form == "sizes" else first + extent / 2, extent])


def _corners(numbers: NDArray[np.float64], size: NDArray[np.float64], reading: _Reading) -> NDArray[np.float64]:
    """Left, top, right and bottom in pixels, if the numbers are read so."""
    if reading.swapped:
        numbers = numbers[:, [1, 0, 3, 2]]
    if reading.unit != "pixels":
        numbers = numbers * np.tile(size, 2) / (100 if reading.unit == "percent" else 1)
    first, second = numbers[:, :2], numbers[:, 2:]
    if reading.form == "corners":
        return numbers
    if reading.form == "centres":
        first = first - second / 2
    return np.hstack([first, first + second])
