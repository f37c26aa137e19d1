"""LBL109 target-scale."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    AllWell,
    Clean,
    Dataset,
    Field,
    Found,
    Measurement,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    TargetOrder,
    digits,
    tail_of,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


_TARGET = re.compile(r"(?P<word>y|targets?|labels?|outputs?)[_ .-]?\d+", re.IGNORECASE)
"""Names of one of several targets."""

VALUES = 20
"""Targets of so few values are classes, grades or counts, unless hardly a value occurs twice."""


class TargetScale(Rule):
    """A regression target far from unit scale, with heavy tails, mostly one value, or several of very different scale.

    Judged on the training split; several targets are recognised by their names (``y1`` and ``y2``, ``target_0`` and
    ``target_1``).

    Info where the target is merely unscaled, as most are; a warning where its typical size is a million or more, or a
    millionth or less, which an untrained network's output does not reach. A target that is one value, such as 0, in ten
    samples for each other one is a warning; in five it is info.

    ## Why it hurts

    A network's output begins near zero with a spread near one. The squared error of a large target is huge and so are
    the first gradients; that of a tiny one is below every tolerance, so training stops at once. With heavy tails a few
    rows make up most of the loss. Of several targets the one of the largest scale has the loss to itself. Where nearly
    all targets are 0, stating 0 is nearly always right, and the few others are not learnt.

    ## How to fix it

    Standardise the target with the statistics of the training split and undo it for predictions
    (``TransformedTargetRegressor``); take the logarithm of a heavy-tailed one, or use the Huber loss. Where most targets
    are 0, learn first whether one is 0 and then how large it is, or use a loss made for it (Tweedie, hurdle models).

    ## When it is wrong

    For trees, least squares and other models without a scale of their own; put the code on the ignore list there.

    ## Reference

    37 reasons, item 20. No peer looks at the scale of the target.
    """

    code = "LBL109"
    name = "target-scale"
    severity: ClassVar[Severity] = "warning"
    item = "20"
    of_whole = True
    wants = "label"
    public = frozenset({"top_share", "ratio"})
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Adam moves an output by about its learning rate times the width per step: thousands are within reach.
        unscaled: float = Field(100.0, gt=1, description="Size (or its inverse) of targets that is worth knowing.")
        extreme: float = Field(1e6, gt=1, description="Size (or its inverse) of targets that is a warning.")
        share: float = Field(0.2, gt=0, lt=1, description="Share of the sum of squares in the farthest 0.1 %: info.")
        ratio: float = Field(
            10.0, gt=1, description="Samples of one value per other sample from which it is a warning."
        )
        mild_ratio: float = Field(5.0, gt=1, description="Samples of one value per other sample from which it is info.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Exact moments, and the sample for tails."""
        return (TargetOrder, Sample, NumberStats) if dataset.modality == "table" else (TargetOrder, Sample)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the training split."""
        if profile.task != "regression":
            raise Skip("the label is a class, not a number to be predicted", applies=False)
        split = next((split for split in profile.splits if split[TargetOrder].present > 1), None)
        if split is None:
            raise Skip("fewer than two samples have a finite target")
        target = split[TargetOrder]
        deviation = math.sqrt(target.m2 / target.present) if math.isfinite(target.m2) else math.inf
        rms = math.hypot(deviation, target.mean)
        if deviation == 0:
            raise Skip("the target is constant")
        apart = self._apart(profile, split, deviation)
        if apart is not None:
            yield apart
        inflated = self._inflated(profile, split)
        if inflated is not None:
            yield inflated
        tail = tail_of(split.rows.target, 1)
        heavy = tail is not None and tail.heavy and tail.share >= self.params.share
        typical = float(np.nanmedian(np.abs(split.rows.target))) if np.isfinite(split.rows.target).any() else 0.0
        large, tiny = rms >= self.params.unscaled, rms <= 1 / self.params.unscaled
        if not (large or tiny or heavy):
            if apart is not None or inflated is not None:
                return
            raise AllWell(f"the target has mean {target.mean:.3g} and standard deviation {deviation:.3g}")
        # A few wild values make no scale.
        extreme = (large and typical >= self.params.extreme) or rms <= 1 / self.params.extreme
        name = profile.dataset.label.name if profile.dataset.label else "the label"
        parts = [f"the target {name!r} has mean {target.mean:.3g} and standard deviation {deviation:.3g}"]
        if tail is not None and heavy:
            few = "its most extreme value holds" if tail.top == 1 else f"its {tail.top:,} most extreme values hold"
            parts.append(f"{few} {tail.share:.0%} of the sum of squares")
        log = heavy and target.low >= 0
        yield Found(
            message="; ".join(parts),
            consequence=(
                "A network begins with outputs near one: it cannot reach such targets, or stops before it has begun."
                if extreme
                else "A few samples make up most of the squared error."
                if heavy
                else "The first gradients of a squared error are far from what usual learning rates are made for."
            ),
            remedy=(
                f"Take the logarithm (np.{'log' if target.low > 0 else 'log1p'}), then standardise with the training split's statistics."
                if log
                else "Standardise the target with the training split's statistics and undo it for predictions"
                + (", and use the Huber loss." if heavy else ".")
            ),
            severity="warning" if extreme else "info",
            confidence=0.95 if extreme else 0.9,
            split=split.name,
            column=profile.dataset.label.name if profile.dataset.label else None,
            evidence={
                "mean": digits(target.mean, 4),
                "deviation": digits(deviation, 4),
                "low": digits(target.low, 4),
                "high": digits(target.high, 4),
                "top_share": digits(tail.share, 3) if tail else 0.0,
            },
            count=0,
        )

    def _inflated(self, profile: Profile, split: SplitProfile) -> Found | None:
        """One value that nearly all samples have, such as 0, next to many others."""
        targets = split.rows.target
        targets = targets[np.isfinite(targets)]
        values, counts = np.unique(targets, return_counts=True)
        if len(values) < 2:
            return None
        top = int(counts.argmax())
        value, same = float(values[top]), int(counts[top])
        others = len(targets) - same
        if len(values) - 1 <= min(VALUES, others / 2):
            return None  # few values are classes, grades or counts
        if same < self.params.mild_ratio * others:
            return None
        name = profile.dataset.label.name if profile.dataset.label else "the label"
        rest = float(np.median(np.abs(targets[targets != value])))
        return Found(
            message=(
                f"the target {name!r} is {value:g} in {same / len(targets):.1%} of the samples; the others are "
                f"{rest:.3g} in the middle: always stating {value:g} is right {same / others:,.0f} times in "
                f"{same / others + 1:,.0f}"
            ),
            consequence="A model does well by stating that value always, and the few other targets are not learnt.",
            remedy=(
                f"Learn first whether the target is {value:g} and then how large it is, or use a loss made for it "
                "(Tweedie, a hurdle model); measure the error on the other samples by itself."
            ),
            severity="warning" if same >= self.params.ratio * others else "info",
            confidence=0.95,
            split=split.name,
            column=profile.dataset.label.name if profile.dataset.label else None,
            subject="inflated",
            evidence={
                "value": digits(value, 4),
                "share": digits(same / len(targets), 4),
                "ratio": digits(same / others, 4),
            },
            count=0,
        )

    def _apart(self, profile: Profile, split: SplitProfile, deviation: float) -> Found | None:
        """Other targets, known by the same word with another number, of very different deviation."""
        label = profile.dataset.label
        own = _TARGET.fullmatch(label.name) if label is not None else None
        if label is None or own is None or profile.dataset.modality != "table":
            return None
        spread = {label.name: deviation}
        numbers = split[NumberStats]
        for name, value in zip(numbers.names, numbers.deviation.tolist(), strict=True):
            other = _TARGET.fullmatch(name)
            if other and other["word"].casefold() == own["word"].casefold() and 0 < value < float("inf"):
                spread[name] = value
        least, most = min(spread, key=lambda name: spread[name]), max(spread, key=lambda name: spread[name])
        ratio = spread[most] / spread[least]
        if ratio < self.params.unscaled:
            return None
        return Found(
            message=(
                f"{len(spread):,} targets differ {ratio:,.0f} to 1 in spread: {most!r} has a standard deviation of "
                f"{spread[most]:.3g}, {least!r} of {spread[least]:.3g}"
            ),
            consequence=f"In a loss summed over the targets {most!r} counts alone, and {least!r} is not learnt.",
            remedy=(
                "Standardise each target with the training split's statistics and undo it for predictions; keep the other "
                "targets out of the features."
            ),
            severity="warning" if ratio >= self.params.extreme else "info",
            confidence=0.85,
            split=split.name,
            subject="several",
            evidence={"ratio": digits(ratio, 3), "deviations": {name: digits(s, 4) for name, s in spread.items()}},
            count=0,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give the target another unit: it becomes a hundred million times as large, or as small, as one; 10 ** 12."""
        if clean.label is None or not clean.tables:
            return None
        target = clean.tables[training(clean)][clean.label]
        if target.dtype.kind not in "if" or target.nunique() < 25 or len(target) < 60:
            return None
        size = 10 ** (8 + 4 * strength)
        small = rng.random() < 0.5
        factor = (1 / size if small else size) / float(target.abs().median())
        tables = {
            name: table.assign(**{clean.label: table[clean.label] * factor}) for name, table in clean.tables.items()
        }
        return Planted(Clean(clean.name, tables, clean.label), split=training(clean))
