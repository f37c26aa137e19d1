"""SPL106 feature-shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
)
from datalint_rules._shared.series import in_time
from datalint_rules.splits._compare import against_train, units_of
from datalint_rules.splits._drift import apart_in_time, column_gaps, tell_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class FeatureShift(Rule):
    """A split that is recognisable from its features.

    A column is distributed otherwise than in train, or a model distinguishes the rows (or pictures) of the two.

    ## Why it hurts

    Metrics on such a split measure how well the model extrapolates, not how well it learnt; normalisation and thresholds
    fitted on train do not fit there. If nobody meant it, the split was not random.

    ## How to fix it

    Shuffle before splitting, or split by the group or time that the use of the model calls for and say so. If the
    difference is that of the world, collect training data like the new one, or weight it.

    ## When it is wrong

    Where test is meant to be another hospital, camera or season. If a time column separates the splits, or most
    columns run on from one split into the next as series do, the finding says so and is info.

    ## Reference

    37 reasons, item 15; classifier two-sample test (Lopez-Paz and Oquab 2017). Deepchecks looks at effect sizes alone, which
    small random splits exceed; others at p-values alone, which large ones do. Here both must say so, corrected for columns,
    and where whole sources (patients) were drawn, for the likeness of their rows (Kish 1965; Rao and Scott 1981).
    """

    code = "SPL106"
    name = "feature-shift"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    trains = True
    follows = ("SPL104", "SPL105", "SPL110", "VAL101:error", "IMG102:error")
    public = frozenset({"auc", "auc_error_of_alike_splits", "columns_differing", "gap", "p_value", "time_column"})
    measures = (Sample,)

    class Params(RuleParams):
        """Cuts."""

        gap: float = Field(
            0.15,
            gt=0,
            le=1,
            description="Largest gap between cumulative shares of a column (or share of samples of another category) from "
            "which it is a warning.",
        )
        mild_gap: float = Field(0.08, gt=0, le=1, description="The same from which it is info.")
        auc: float = Field(
            0.65, gt=0.5, le=1, description="Area under the curve from which the model's answer is a warning."
        )
        level: float = Field(
            5e-4, gt=0, lt=1, description="Chance of a false alarm over all columns and splits of a random division."
        )

    params: Params

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return "up to 5,000 samples of each split"

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare every split with train."""
        compared = against_train([split for split in profile.splits if len(split.rows) >= 20])
        if compared is None:
            raise Skip("there are not two splits of 20 samples", applies=len(profile.splits) > 1)
        train, others = compared
        if any(split.info.augmented for split in (train, *others)):
            raise Skip("random transforms make the splits differ on purpose; scan the data without them")
        for other in others:
            between = [split for split in others if split is not other]
            found = self._judge(profile, train, between, other, self.params.level / len(others))
            if found is not None:
                yield found

    def _judge(
        self, profile: Profile, train: SplitProfile, between: list[SplitProfile], other: SplitProfile, level: float
    ) -> Found | None:
        units = units_of(profile.dataset, train, other)
        gaps, tests = column_gaps(profile, train, other, units)
        sure = [g for g in gaps if g.p_value < level / tests and g.effect >= self.params.mild_gap]
        sure.sort(key=lambda g: (-round(g.effect, 9), g.column))
        columns = list(dict.fromkeys(g.column for g in sure))
        area, error = tell_apart(profile, train, other, units)
        # Four and a half standard errors: one random split in 300,000.
        recognised = area >= self.params.auc and area - 0.5 >= 4.5 * error
        strong = bool(sure) and sure[0].effect >= self.params.gap
        if not sure and not recognised:
            return None
        what = {"images": "pictures", "audio": "recordings"}.get(profile.dataset.modality, "rows")
        model = f"a model tells its {what} from those of {train.name} with an AUC of {area:.2f}"
        if sure:
            shown = "; ".join({g.column: g.says for g in reversed(sure)}[column] for column in columns[:3])
            more = f" ({len(columns):,} columns differ)" if len(columns) > 3 else ""
            message = f"{other.name} differs from {train.name}: {shown}{more}; {model}"
        else:
            message = f"{other.name} is recognisable: {model}, though no single column differs much"
            if what != "rows":
                message = f"{other.name} is recognisable: {model}"
        time = apart_in_time(profile, train, other) if what == "rows" else None
        if time is not None:
            message += f"; {time!r} separates the splits, so this is change over time"
        numeric = [name for name in columns if name in train.rows.at and name in other.rows.at]
        series = time is not None or (
            units is None  # visits of one patient are similar without any order of time
            and bool(numeric)
            and len(numeric) == len(columns)
            and in_time(profile.dataset, [train, *between, other], lambda rows: [rows.column(n) for n in numeric])
        )
        if series and time is None:
            message += "; most columns run on from split to split, so this is change over time"
        return Found(
            message=message,
            consequence="Scores on this split measure extrapolation, and statistics fitted on train do not fit there.",
            remedy=(
                "Expect the same change when the model is used; retrain often, or leave drifting columns out."
                if series
                else "Shuffle before splitting; if the difference is meant, say so where the score is reported."
            ),
            severity=None if (strong or recognised) and not series else "info",
            confidence=0.95,
            split=other.name,
            column=columns[0] if len(columns) == 1 else None,
            evidence={
                "against": train.name,
                "auc": digits(area, 3),
                "auc_error_of_alike_splits": digits(error, 2),
                "columns_differing": len(columns),
                "columns": [
                    {"column": g.column, "gap": digits(g.effect, 3), "p_value": digits(g.p_value, 2), "says": g.says}
                    for g in sure[:50]
                ],
                "time_column": time,
            },
            count=other.samples,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add one standard deviation to a column of test; two at full strength."""
        import pandas as pd

        if not {"train", "test"} <= clean.tables.keys() or len(clean.tables["test"]) < 70:
            return None
        train, table = clean.tables["train"], clean.tables["test"].copy()
        times = [c for c in table.columns if pd.api.types.is_datetime64_any_dtype(table[c]) and c in train]
        if any(table[c].min() > train[c].max() for c in times):
            return None  # what differs between splits by time is change over time
        columns = [
            c
            for c in table.columns
            if c != clean.label and pd.api.types.is_float_dtype(table[c]) and table[c].nunique() > 20
        ]
        if not columns:
            return None
        column = str(rng.choice(columns))
        table[column] = (table[column] + (1 + strength) * train[column].std()).round(4)
        return Planted(Clean(clean.name, {**clean.tables, "test": table}, clean.label), split="test", column=column)
