"""SPL108 time-leakage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    AllWell,
    Cases,
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
    auc,
    digits,
)
from datalint_rules._shared.times import text_of, times_of
from datalint_rules.splits._compare import against_train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class TimeLeakage(Rule):
    """Train reaches past the start of validation or test in a time column.

    Where a split was plainly made by time, single rows of train that are later than the start of test are named. Where
    train and test cover the same time the split was random: info, if the future is to be predicted.

    ## Why it hurts

    A model that is to predict what comes next has then seen some of it: trends, prices and events of the test period
    are in the training data, and the score is too good.

    ## How to fix it

    Choose a moment; everything before it is train, everything after it test. Leave a gap between the two as long as
    labels take to become known.

    ## When it is wrong

    Where time does not matter: independent samples that happen to carry a date. That is why a random split is info.

    ## Reference

    37 reasons, item 15. Peers report any test time before train's last; that is every random split. Here the warning is
    for splits that follow time and are not clean.
    """

    code = "SPL108"
    name = "time-leakage"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    modalities = frozenset({"table"})
    follows = ("SPL101", "SPL102", "SPL107")
    public = frozenset(
        {
            "train_rows_later",
            "share",
            "expected_of_random_split",
            "expected_of_split_by_time",
            "test_later_than_train",
        }
    )
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        order: float = Field(
            0.9,
            gt=0.5,
            le=1,
            description="Chance that a test row is later than a train row from which the split counts as made by time.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare train with every other split, in the first time column that can be read."""
        columns = [field for field in profile.dataset.fields if field.role == "time"]
        if not columns:
            raise Skip("there is no time column", applies=False)
        compared = against_train(profile.splits)
        if compared is None:
            raise Skip("the data is not split", applies=False)
        train, others = compared
        for field in columns:
            before = times_of(train.rows, field)
            if np.isfinite(before).sum() >= 20:
                break
        else:
            raise Skip("no time column could be read")
        clean = []
        for other in others:
            after = times_of(other.rows, field)
            after = after[np.isfinite(after)]
            if len(after) < 10:
                continue
            found = self._judge(train, other, field.name, before, after)
            if found is None:
                clean.append(other.name)
            else:
                yield found
        if clean:
            raise AllWell(f"train ends before {' and '.join(clean)} begins, by {field.name!r}")

    def _judge(
        self,
        train: SplitProfile,
        other: SplitProfile,
        column: str,
        before: NDArray[np.float64],
        after: NDArray[np.float64],
    ) -> Found | None:
        known = np.isfinite(before)
        times = np.concatenate([before[known], after])
        later = auc(times, np.arange(len(times)) >= known.sum())
        # One wrong date in a thousand must not decide where test begins.
        start = float(np.sort(after)[len(after) // 200])
        beyond = known & (before > start)
        count = int(beyond.sum())
        if count == 0 or len(np.unique(times)) < 3:
            return None
        share = count / int(known.sum())
        by_chance = float((times > start).mean()) * int(known.sum()) * train.samples / len(train.rows)
        made_by_time = later >= self.params.order
        backwards = later <= 1 - self.params.order
        if made_by_time:
            message = (
                f"the split follows {column!r}, but {_about(train, count)} of {train.samples:,} train rows ({share:.1%}) are "
                f"later than {text_of(start)}, where {other.name} begins "
                f"({by_chance:,.0f} expected of a random split, 0 of one by time)"
            )
        elif backwards:
            message = f"train lies after {other.name} in {column!r}: {share:.1%} of it is later than {text_of(start)}"
        else:
            message = (
                f"{share:.0%} of train is later in {column!r} than the first rows of {other.name} ({text_of(start)}): "
                "the split was not made by time"
            )
        whole = train.rows.complete
        return Found(
            message=message,
            consequence=(
                "The model has seen some of the time that it is tested on."
                if made_by_time
                else "The score measures how well gaps are filled in, not how well the future is predicted."
            ),
            remedy=(
                f"Drop the train rows later than {text_of(start)}, or move them to {other.name}."
                if made_by_time
                else "If the model is to predict the future, split by time; otherwise nothing needs to be done."
            ),
            severity=None if made_by_time or backwards else "info",
            confidence=0.9 if made_by_time else 0.6,
            split=train.name if made_by_time else other.name,
            against=other.name if made_by_time else train.name,
            column=column,
            evidence={
                "against": other.name,
                "train_rows_later": count,
                "share": digits(share, 3),
                "expected_of_random_split": round(by_chance),
                "expected_of_split_by_time": 0,
                "test_later_than_train": digits(later, 3),
                "test_begins": text_of(start),
            },
            cases=Cases(train.name, train.rows.places.take(beyond)) if made_by_time else None,
            count=count if whole else round(share * train.samples),
            exact=whole,
            brief=(
                f"{_about(train, count)} train rows are later in {column!r} than {text_of(start)}, where {other.name} begins "
                f"({by_chance:,.0f} expected of a random split)"
            )
            if made_by_time or backwards
            else "",
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move some rows of test to the end of train: one in twenty, up to half."""
        import pandas as pd

        if not {"train", "test"} <= clean.tables.keys():
            return None
        train, test = clean.tables["train"], clean.tables["test"]
        dates = [c for c in train.columns if pd.api.types.is_datetime64_any_dtype(train[c])]
        if not dates or len(test) < 100 or not train[dates[0]].max() < test[dates[0]].min():
            return None
        moved = rng.choice(len(test), round((0.05 + 0.45 * strength) * len(test)), replace=False)
        left = np.setdiff1d(np.arange(len(test)), moved)
        faulty = pd.concat([train, test.iloc[moved]], ignore_index=True)
        start = test[dates[0]].iloc[left].min()
        rows = frozenset(np.flatnonzero(faulty[dates[0]] > start).tolist())
        tables = {**clean.tables, "train": faulty, "test": test.iloc[left].reset_index(drop=True)}
        # Validation lies between the two; its own start would be passed as well.
        tables.pop("validation", None)
        return Planted(Clean(clean.name, tables, clean.label), split="train", column=dates[0], rows={"train": rows})


def _about(train: SplitProfile, count: int) -> str:
    return f"{count:,}" if train.rows.complete else f"about {round(count * train.samples / len(train.rows)):,}"
