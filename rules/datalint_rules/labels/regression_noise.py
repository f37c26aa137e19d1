"""LBL111 regression-noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    MODEL_ROWS,
    Cases,
    Clean,
    Field,
    Found,
    Places,
    Planted,
    Profile,
    Residuals,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    TargetOrder,
    digits,
    features_of,
    labelled_rows,
    residuals,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

LEAST = 100
"""Samples from which models say something of single targets."""


class RegressionNoise(Rule):
    """Numbers to be predicted that are probably wrong: far from what two models say that never saw them, and set apart.

    Each target is compared with what extra trees and a kernel regression predict out of fold, in robust standard deviations
    of predictions of that size. Named are those beyond the cut, if they are set apart from the rest: where
    targets have long tails, more of them lie between half the cut and the cut than beyond it, and nothing is said.

    ## Why it hurts

    The squared error of one target that is off by 30 deviations weighs as much as 900 usual ones: the model bends towards it.
    In a test split it decides the score.

    ## How to fix it

    Look at the listed samples: a decimal point, a unit, a sign, a row that was shifted. Correct or drop them, or train with a loss
    that outliers do not move (Huber).

    ## When it is wrong

    Where rare events are real and nothing in the features announces them, such as the one customer in a thousand who buys
    everything.

    ## Reference

    37 reasons, item 6. cleanlab's ``CleanLearning`` for regression ranks targets by residual and does not say how many are wrong.
    """

    code = "LBL111"
    name = "regression-noise"
    severity: ClassVar[Severity] = "warning"
    item = "6"
    wants = "label"
    trains = True
    public = frozenset({"targets", "share", "between", "residual_share", "samples_judged"})
    measures = (Sample, TargetOrder)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        deviations: float = Field(
            10.0, gt=4, description="Robust standard deviations from which a target may be wrong."
        )
        apart: float = Field(2.0, ge=1, description="Targets beyond the cut for each one between half of it and it.")
        spread: float = Field(
            0.5, gt=0, le=1, description="Share of the targets' spread that models may leave at most."
        )
        share: float = Field(0.002, ge=0, le=1, description="Share of wrong targets that is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the sampled targets of all splits together."""
        if profile.task != "regression":
            raise Skip("the label is a class, not a number to be predicted", applies=False)
        most = max(LEAST, MODEL_ROWS // max(1, len(profile.splits)))
        chosen = [(split, labelled_rows(split.rows, numeric=True, most=most)) for split in profile.splits]
        picked = [(split, rows) for split, rows in chosen if len(rows)]
        target = np.concatenate([split.rows.target[rows] for split, rows in picked] or [np.zeros(0)])
        if len(target) < LEAST:
            raise Skip(f"fewer than {LEAST} samples have a finite target")
        result = residuals(features_of(profile.dataset, profile.feature_names, picked), target)
        if result is None:
            raise Skip("no feature varies, or more than half of the targets are equal")
        if result.spread > self.params.spread:
            raise Skip(f"models leave {result.spread:.0%} of the targets' spread: too much to doubt single ones")
        named, between = self._named(target, result)
        if len(named) == 0:
            return
        places = Places.none()
        for split, rows in picked:
            places = places.then(split.rows.places.take(rows))
        whose = np.concatenate([np.full(len(rows), k) for k, (_, rows) in enumerate(picked)])
        share = len(named) / len(target)
        worst = named[0]
        total = sum(split.samples for split in profile.splits)
        yield Found(
            message=(
                f"{len(named):,} of {len(target):,} targets lie {self.params.deviations:g} deviations or more from what models "
                f"predict, and apart from the rest; the farthest is {digits(float(target[worst]), 4):g} where "
                f"{digits(float(result.predicted[worst]), 4):g} is expected"
            ),
            consequence="A squared error bends the model towards them, and in a test split they decide the score.",
            remedy="Look at the listed samples: a decimal point, a unit, a sign. Correct or drop them, or use the Huber loss.",
            severity=None if len(named) > 2 and share >= self.params.share else "info",
            confidence=0.9,
            evidence={
                "targets": len(named),
                "share": digits(share, 3),
                "between": between,
                "residual_share": digits(result.spread, 3),
                "samples_judged": len(target),
            },
            cases=Cases(
                [picked[int(whose[k])][0].name for k in named],
                places.take(named),
                {
                    "target": [digits(float(target[k]), 6) for k in named],
                    "expected": [digits(float(result.predicted[k]), 4) for k in named],
                    "deviations": [digits(float(result.deviations[k]), 3) for k in named],
                },
            ),
            count=len(named) if len(target) >= total else round(share * total),
            exact=len(target) >= total,
        )

    def _named(self, target: NDArray[np.float64], result: Residuals) -> tuple[NDArray[np.int64], int]:
        """The targets that are set apart, farthest first, and how many lie between."""
        far = np.abs(result.deviations)
        beyond = np.flatnonzero(far >= self.params.deviations)
        # A value that stands for many samples, such as 0 for nothing sold, is no slip of single ones.
        values, counts = np.unique(target[beyond], return_counts=True)
        beyond = beyond[~np.isin(target[beyond], values[counts > max(2, len(beyond) // 10)])]
        between = int(((far >= self.params.deviations / 2) & (far < self.params.deviations)).sum())
        if len(beyond) < self.params.apart * between:
            return beyond[:0], between
        return beyond[np.argsort(-far[beyond], kind="stable")], between

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move 2 % of the training targets far away, to either side; 5 % at full strength."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        target = table[clean.label]
        if target.dtype.kind != "f" or target.nunique() < 0.5 * len(table) or len(table) < 150:
            return None
        values = target.to_numpy(copy=True)
        rows = rng.choice(len(table), round((0.02 + 0.03 * strength) * len(table)), replace=False)
        size = np.subtract(*np.quantile(values, [0.75, 0.25]))
        values[rows] += rng.choice([-1.0, 1.0], len(rows)) * size * rng.uniform(6, 9, len(rows))
        table[clean.label] = np.round(values, 3)
        data = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(data, rows={split: frozenset(int(row) for row in rows)})
