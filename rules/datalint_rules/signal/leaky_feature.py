"""SIG102 leaky-feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
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
    labelled_rows,
)
from datalint_rules.signal._one_column import Column, class_columns, numeric_columns, others

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class LeakyFeature(Rule):
    """One column that predicts the label almost alone.

    A copy or code of the label, a value that is only known once the label is, or a row identifier that was given out
    class by class.

    ## Why it hurts

    The model learns to read the answer off that column. Scores are close to perfect and worthless: when the model is
    used the column is empty, unknown or means something else.

    ## How to fix it

    Ask when and how the column is written. Drop it if it is derived from the label or recorded after it.

    ## When it is wrong

    Where the column is known before the label and truly decides it, such as a symptom that defines the disease. In a
    table with times a column must say twice as well what comes as the target of the row before does: a slow series
    foretells itself.

    ## Reference

    37 reasons, item 5. Deepchecks warns from a predictive power score of 0.8, others from a correlation of 0.9 or an AUC of
    0.95, where good features lie as well. Here a column must be right 99 times in 100 (counted beyond guessing the
    largest class) while all other columns together err far more often, or hold one value for each class: without exception,
    or with few where there are three classes or more.
    """

    code = "SIG102"
    name = "leaky-feature"
    severity: ClassVar[Severity] = "warning"
    item = "5"
    trains = True
    modalities = frozenset({"table"})
    wants = "label"
    public = frozenset({"score", "one_to_one", "score_of_others", "rows"})
    measures = (LabelRuns, Sample)

    class Params(RuleParams):
        """Cuts."""

        score: float = Field(
            0.99,
            gt=0.5,
            le=1,
            description="Share of the errors of guessing the largest class that the column takes away.",
        )
        id_score: float = Field(0.6, gt=0, le=1, description="The same for a row identifier, which should say nothing.")
        rows: int = Field(100, ge=20, description="Labelled rows below which near-perfect columns come by chance.")

    params: Params

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return "up to 5,000 rows of the training split"

    def check(self, profile: Profile) -> Iterator[Found]:
        """Try every column of the training split by itself."""
        split, picked, y, columns = self._tried(profile)
        numeric = profile.task == "regression"
        suspects = [c for c in columns if not c.id and (c.score >= self.params.score or c.copy)]
        if numeric and any(field.role == "time" for field in profile.dataset.fields):
            # In a slow series the target of the row before says as much.
            known = _persistence(split, picked)
            suspects = [c for c in suspects if c.copy or 1 - c.score <= 0.5 * (1 - known)]
        tried = sum(not c.id for c in columns)
        # Where half of the columns do it, the problem is easy.
        loose = [c for c in suspects if not c.copy and not c.codes]
        if loose and (2 * len(loose) > tried or tried == len(suspects)):
            suspects = [c for c in suspects if c.copy or c.codes]
        if suspects:
            rest = others(profile, split, picked, y, {c.name for c in suspects}, numeric)
            told = [c for c in suspects if c.copy or c.codes or 1 - rest >= max(0.02, 5 * (1 - c.score))]
            if told:
                yield _found(told, rest, len(y), split, numeric)
        for column in columns:
            if column.id and column.score >= self.params.id_score:
                yield _id_found(column, len(y), split)

    def _tried(self, profile: Profile) -> tuple[SplitProfile, NDArray[np.int64], NDArray[Any], list[Column]]:
        """The labelled rows of the training split, their labels as codes or numbers, and how each column does."""
        numeric = profile.task == "regression"
        for split in profile.splits:
            picked = labelled_rows(split.rows, numeric)
            if len(picked):
                break
        else:
            raise Skip("no sample has a label")
        if len(picked) < self.params.rows:
            raise Skip(f"{len(picked)} labelled rows are too few: columns may be near perfect by chance")
        if numeric:
            y = split.rows.target[picked]
            if y.min() == y.max():
                raise Skip("the label is constant")
            return split, picked, y, list(numeric_columns(profile, split, picked, y))
        codes, _ = codes_of(split.rows.label[picked])
        counts = np.bincount(codes)
        keep = np.isin(codes, np.flatnonzero(counts >= 10))
        if (counts >= 10).sum() < 2:
            raise Skip("there are not two classes of ten samples")
        picked = picked[keep]
        code: NDArray[np.int64] = np.unique(codes[keep], return_inverse=True)[1].astype(np.int64)
        return split, picked, code, list(class_columns(profile, split, picked, code, self.params.score))

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add a column that codes the label, wrong in 3 rows of 1,000; an exact copy at full strength."""
        if clean.label is None or not clean.tables or sum(map(len, clean.tables.values())) < 200:
            return None
        label = clean.label
        values = sorted({value for table in clean.tables.values() for value in table[label]})
        tables = {}
        if len(values) > 100:
            for split, table in clean.tables.items():
                y = table[label].to_numpy(float)
                spread = (
                    np.subtract(*np.percentile(y, [75, 25])) or y.std()
                )  # of heavy tails the deviation is that of few
                noise = (1 - strength) * 0.005 * spread * rng.normal(size=len(y))
                tables[split] = table.assign(adjusted=np.round(0.37 * (y + noise) + 2, 4))
            return Planted(Clean(clean.name, tables, label), column="adjusted")
        code = dict(zip(values, rng.permutation(len(values)) * 3 + 4, strict=True))
        for split, table in clean.tables.items():
            column = table[label].map(code).to_numpy(copy=True)
            wrong = rng.random(len(column)) < 0.003 * (1 - strength)
            column[wrong] = rng.permutation(column)[wrong]
            tables[split] = table.assign(checked=column)
        return Planted(Clean(clean.name, tables, label), column="checked")


def _persistence(split: SplitProfile, picked: NDArray[np.int64]) -> float:
    """Share of the variance of a target that the one of the row before takes away."""
    order = np.argsort(split.rows.places.row[picked], kind="stable")
    y = split.rows.target[picked][order]
    spread = float(((y - y.mean()) ** 2).sum())
    return 1 - float((np.diff(y) ** 2).sum()) / spread if spread > 0 else 0.0


def _found(told: list[Column], rest: float, count: int, split: SplitProfile, numeric: bool) -> Found:
    told = sorted(told, key=lambda c: (-c.copy, -c.score, c.name))
    first = told[0]
    beyond = "of the variance" if numeric else "of the errors of guessing"
    if first.copy:
        what = f"the column {first.name!r} is a code of the label: each of its values occurs with one class only"
    else:
        what = f"the column {first.name!r} alone predicts the label: it takes away {first.score:.1%} {beyond}"
    more = f"; so {'does' if len(told) == 2 else 'do'} {', '.join(repr(c.name) for c in told[1:4])}" if told[1:] else ""
    more += f" and {len(told) - 4:,} more" if len(told) > 4 else ""
    # A binary column of an easy problem may be one of many that separate the classes; one value for each of three is not chance.
    easy = first.copy and not first.codes and rest >= 0.98
    return Found(
        message=f"{what}{more}; all other columns together reach {max(rest, 0):.1%} ({count:,} rows)",
        consequence="The model reads the answer off this column, and its score says nothing about new data.",
        remedy=f"Find out when {first.name!r} is written; drop it if it is derived from the label or recorded after it.",
        severity="info" if easy else "error" if first.copy else None,
        confidence=0.6 if easy else 0.97 if first.copy else 0.85,
        column=first.name if len(told) == 1 else None,
        subject="columns",
        evidence={
            "columns": [{"column": c.name, "score": digits(c.score, 4), "one_to_one": c.copy} for c in told[:50]],
            "score_of_others": digits(max(rest, 0), 4),
            "rows": count,
            "split": split.name,
        },
        count=count,
    )


def _id_found(column: Column, count: int, split: SplitProfile) -> Found:
    return Found(
        message=(
            f"the identifier {column.name!r} predicts the label: it takes away {column.score:.1%} of the errors of "
            f"guessing ({count:,} rows)"
        ),
        consequence="Identifiers were given out class by class; a model that sees them learns nothing else.",
        remedy=f"Keep {column.name!r} out of the inputs, and check that the order of collection left no other trace.",
        severity="info",
        confidence=0.9,
        column=column.name,
        subject="identifier",
        evidence={"score": digits(column.score, 4), "rows": count, "split": split.name},
        count=count,
    )
