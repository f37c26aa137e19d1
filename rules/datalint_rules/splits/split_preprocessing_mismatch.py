"""SPL104 split-preprocessing-mismatch."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Dataset,
    Field,
    Found,
    ImageHeaders,
    Measurement,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    more_of,
    rows_of,
)
from datalint_rules._shared.series import runs_on
from datalint_rules.splits._alike import Column, compare
from datalint_rules.splits._pictures import MIN_PICTURES, change_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue


class SplitPreprocessingMismatch(Rule):
    """Splits that were prepared in different ways: one scaled and another not, other units, sizes, pixel formats, channels.

    Tables: most columns of a split have another scale or place than in train, or look scaled in one of the two only
    (an error); or a single column has the shape it has in train, but ten times the width or more, or a tenth (other
    units). Images: red and blue exchanged, inverted pictures, another pixel format or size throughout the split.

    ## Why it hurts

    The model learns one input and is measured on another: the score is near chance, and nothing else shows why.

    ## How to fix it

    Pass all splits through the same preparation, with the parameters fitted on train.

    ## When it is wrong

    Where the splits come from different populations on purpose, so far apart that the columns differ threefold in
    width (a series cut at a moment, whose columns begin in one split where they end in the other, stays silent); where the
    loader converts size and pixel format of all splits (then it is still a loss of quality).

    ## Reference

    37 reasons, items 14 and 15. Where the scaler was fitted is SPL103's question; whether a split is recognisable at all
    SPL106's. Peers compare declared schemas or single statistics; here a population that merely drifted stays silent.
    """

    code = "SPL104"
    name = "split-preprocessing-mismatch"
    severity: ClassVar[Severity] = "error"
    item = "14, 15"
    modalities = frozenset({"table", "images"})
    public = frozenset({"change", "what", "columns_compared", "columns_differing"})
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Drift moves some columns; preparation moves all that were not at that scale by accident.
        share: float = Field(0.5, gt=0, le=1, description="Share of the columns that must differ for an error.")
        unit: float = Field(10.0, gt=3, description="Ratio of widths from which one column alone has another unit.")
        uniform: float = Field(0.9, gt=0.5, le=1, description="Share of pictures of one kind for a split to be of it.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The sample; for images their headers as well."""
        return (Sample,) if dataset.modality == "table" else (Sample, ImageHeaders)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare each split with the first, which is train where there is one."""
        splits = [split for split in profile.splits if split.samples]
        if len(splits) < 2:
            raise Skip("the data is not split", applies=False)
        first, *others = splits
        tabular = profile.dataset.modality == "table"
        if tabular and not profile.feature_names:
            raise Skip("the table has no numeric feature column", applies=False)
        for other in others:
            if tabular:
                between = [split for split in others if split is not other]
                yield from self._columns(profile, [first, *between, other])
            else:
                yield from self._pictures(first, other)

    def _columns(self, profile: Profile, splits: list[SplitProfile]) -> Iterator[Found]:
        first, *_, other = splits
        columns = compare(first.rows, other.rows, profile.feature_names)
        moved = [column for column in columns if column.moved]
        apart = [column for column in columns if column.different]
        enough = max(2, self.params.share * len(columns))
        scaled = [column for column in apart if column.looks[0] != column.looks[1] and "raw" in column.looks]
        if len(moved) >= enough or (len(scaled) >= max(3, self.params.share * len(columns)) and _one_sided(columns)):
            differing = moved if len(moved) >= enough else scaled
            if not runs_on(profile.dataset, splits, lambda rows: [rows.column(column.name) for column in differing]):
                yield _error(first.name, other.name, differing, len(columns))
        else:
            units = [
                column
                for column in moved
                if column.same_shape and not 1 / self.params.unit < column.factor < self.params.unit
            ]
            if units:
                yield _unit(first.name, other.name, units, len(columns))

    def _pictures(self, first: SplitProfile, other: SplitProfile) -> Iterator[Found]:
        one, two = first[ImageHeaders], other[ImageHeaders]
        if min(one.samples, two.samples) < MIN_PICTURES:
            return
        change = change_of(first.rows, other.rows)
        if change is not None:
            levels = [", ".join(f"{mean:.0f}" for mean in means) for means in change.means]
            what = (
                f"red and blue are exchanged in {other.name}"
                if change.kind == "channels"
                else f"the pictures of {other.name} are inverted (dark for bright)"
            )
            yield Found(
                message=(
                    f"{what}: the mean levels are {levels[0]} in {first.name} and {levels[1]} in {other.name}; undone, "
                    f"the mean pictures differ by {change.after:.1f} instead of {change.before:.1f} levels"
                ),
                consequence=f"The model is measured on pictures in {other.name} unlike those that it learned from.",
                remedy=(
                    "Convert from BGR to RGB (or back) when writing or loading this split."
                    if change.kind == "channels"
                    else "Invert the pictures of one split when writing or loading it."
                ),
                # Without classes to compare within, other motifs are another explanation.
                severity="error" if first.counts and other.counts else "warning",
                confidence=0.97,
                split=other.name,
                subject=change.kind,
                evidence={"change": change.kind, "before": digits(change.before, 3), "after": digits(change.after, 3)},
                count=other.samples,
            )
        modes = [_dominant(headers.modes) for headers in (one, two)]
        sizes = [_dominant(_sizes(headers)) for headers in (one, two)]
        for what, found, consequence, remedy in (
            (
                "pixel format",
                modes,
                "Channels are missing or made up in one of the splits, so the model meets inputs it never saw.",
                "Convert all splits to one pixel format.",
            ),
            (
                "size",
                sizes,
                "Resized to one input, objects appear at another scale and sharpness than in training.",
                "Resize all splits from the same originals in the same way.",
            ),
        ):
            (a, share), (b, there) = found
            if a != b and min(share, there) >= self.params.uniform:
                yield Found(
                    message=(
                        f"the {what} differs: {a} for {share:.0%} of the pictures of {first.name}, {b} for {there:.0%} of "
                        f"those of {other.name}"
                    ),
                    consequence=consequence,
                    remedy=remedy,
                    severity="warning",
                    confidence=0.99,
                    split=other.name,
                    subject=what,
                    evidence={"what": what, first.name: a, other.name: b},
                    count=round(there * two.samples),
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Standardise the last split and leave train raw; of images, make one split grey, or negative if it is grey."""
        if clean.modality == "images":
            return _redrawn(clean)
        if len(clean.tables) < 2:
            return None
        first, *_, last = clean.tables.values()
        split = list(clean.tables)[-1]
        columns = [
            c for c in first.columns if c != clean.label and first[c].dtype.kind == "f" and first[c].nunique() > 20
        ]
        numeric = [c for c in first.columns if c != clean.label and first[c].dtype.kind in "iuf"]
        if len(last) < 60 or len(columns) < max(4, 0.7 * len(numeric)) or len(columns) > 60:
            return None
        mean, deviation = first[columns].mean(), first[columns].std()
        if ((mean.abs() < 2 * deviation) & deviation.between(1 / 4, 4)).mean() > 0.2:
            return None  # standardising would hardly change it
        changed = last.copy()
        changed[columns] = ((last[columns] - mean) / deviation).round(5 + round(3 * strength))
        return Planted(Clean(clean.name, {**clean.tables, split: changed}, clean.label), split=split)


def _one_sided(columns: list[Column]) -> bool:
    """Whether one split looks scaled in nearly all columns, and the other does not."""
    shares = [sum(column.looks[k] != "raw" for column in columns) / len(columns) for k in (0, 1)]
    return max(shares) >= 0.8 and min(shares) <= 0.5


def _looks(columns: list[Column], which: int) -> str:
    kinds = [column.looks[which] for column in columns]
    usual = max(sorted(set(kinds)), key=kinds.count)
    return usual if kinds.count(usual) >= 0.8 * len(kinds) else "raw"


def _error(first: str, other: str, columns: list[Column], total: int) -> Found:
    kinds = [_looks(columns, 0), _looks(columns, 1)]
    worst = sorted(columns, key=lambda column: (-column.distance, column.name))
    said = (
        f"{first} is {kinds[0]} and {other} is {kinds[1]}"
        if kinds[0] != kinds[1]
        else f"{other} is on another scale than {first}"
    )
    column = worst[0]
    return Found(
        message=(
            f"{said}: {len(columns):,} of {total:,} comparable columns differ, such as {column.name!r} (median "
            f"{column.location[0]:.3g} in {first}, {column.location[1]:.3g} in {other}; middle half "
            f"{column.spread[0]:.3g} wide against {column.spread[1]:.3g})"
        ),
        consequence=f"The model is measured on inputs in {other} unlike those that it learned from.",
        remedy="Pass both splits through the same preparation, with the parameters fitted on train.",
        severity="error",
        confidence=0.98,
        split=other,
        subject="scale",
        evidence=_evidence(worst, total),
        count=0,
    )


def _unit(first: str, other: str, columns: list[Column], total: int) -> Found:
    worst = sorted(columns, key=lambda column: (-max(column.factor, 1 / column.factor), column.name))
    column = worst[0]
    wide = column.factor if column.factor > 1 else 1 / column.factor
    more = f" (and {more_of(len(worst) - 1, 'column')})" if len(worst) > 1 else ""
    return Found(
        message=(
            f"{column.name!r} is {'wider' if column.factor > 1 else 'narrower'} in {other} than in {first} by a factor of "
            f"{wide:.3g} and has the same shape{more}: it is in another unit"
        ),
        consequence=f"The model is measured on values in {other} that it never saw in training.",
        remedy="Bring the column into the same unit in all splits.",
        severity="warning",
        confidence=0.95,
        split=other,
        column=column.name if len(worst) == 1 else None,
        subject="unit",
        evidence=_evidence(worst, total),
        count=0,
    )


def _evidence(columns: list[Column], total: int) -> dict[str, JsonValue]:
    return {
        "columns_compared": total,
        "columns_differing": len(columns),
        "columns": [
            {
                "column": column.name,
                "medians": [digits(value, 4) for value in column.location],
                "middle_half": [digits(value, 4) for value in column.spread],
            }
            for column in columns[:50]
        ],
    }


def _dominant(counts: dict[str, int]) -> tuple[str, float]:
    known = {name: count for name, count in counts.items() if name}
    if not known:
        return "", 0.0
    name = max(sorted(known), key=lambda key: known[key])
    return name, known[name] / sum(known.values())


def _sizes(headers: object) -> dict[str, int]:
    if not isinstance(headers, ImageHeaders):
        return {}
    read = headers.width > 0
    pairs, counts = np.unique(np.stack([headers.width[read], headers.height[read]]), axis=1, return_counts=True)
    return {f"{w} x {h}": int(count) for (w, h), count in zip(pairs.T, counts, strict=True)}


def _redrawn(clean: Clean) -> Planted | None:
    """One split whose colour pictures became grey, or whose grey ones became their negatives."""
    from PIL import Image, ImageOps

    of_split = {path: next(iter(rows_of(clean, {path}))) for path in clean.files}
    splits = sorted(set(of_split.values()))
    if "train" not in splits or len(splits) < 2:
        return None
    split = splits[0] if splits[0] != "train" else splits[1]
    files = dict(clean.files)
    for path in (path for path, own in of_split.items() if own == split):
        with Image.open(io.BytesIO(files[path])) as image:
            if image.mode not in {"RGB", "L"}:
                return None
            changed = image.convert("L") if image.mode == "RGB" else ImageOps.invert(image)
            out = io.BytesIO()
            changed.save(out, image.format or "PNG")
        files[path] = out.getvalue()
    return Planted(Clean(clean.name, files=files), split=split)
