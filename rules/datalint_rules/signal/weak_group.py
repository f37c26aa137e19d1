"""SIG103 weak-group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    Learned,
    OutOfFold,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    binomial_tail,
    codes_of,
    digits,
    more_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


KNOWS = 0.3
"""Agreement beyond chance that the model must reach elsewhere; less is commonly called slight (Landis and Koch 1977)."""
LOST = 0.5
"""Share of that agreement that a broken group keeps at most. With labels at random it is 0, up to two standard errors of the
smallest group in which a difference can be certain at all."""
BY_CHANCE = 2.33
"""Standard errors within which the agreement inside must lie of chance: one broken group in 100 lies beyond."""
MAX_COLUMNS = 200
"""Pixels and embeddings have more columns, and their values make no groups that people know."""


class WeakGroup(Rule):
    """A group of samples where a model does far worse than elsewhere.

    A group is a value of a category, of a group key or of a column of few numbers, a range of a quantity, a whole split.

    Harder groups are natural and only info, from half again as many errors as elsewhere and 15 points more. It is a warning
    where predictions and labels agree in the group no more than by chance (Cohen's kappa), although elsewhere they do, and
    the group has 10 points more errors at least: there its labels, or its inputs, are broken. Where the model names the same
    class throughout the group no agreement could show, and nothing is concluded from its absence.

    ## Why it hurts

    One average score hides it. A site with exchanged labels, a device with another unit or a translation gone wrong makes
    the model worse for everybody and useless for that group.

    ## How to fix it

    Compare samples of the group with others: are labels and units the same? Collect more of it if it is merely rare.

    ## When it is wrong

    Where the group is hard by nature, such as the range of values in which two classes meet: ranges are never more than info.

    ## Reference

    37 reasons, item 5. Deepchecks reports the weakest segment of any data set, and cleanlab Datalab the cluster of lowest
    confidence; here the difference must survive a binomial test corrected for the number of groups.
    """

    code = "SIG103"
    name = "weak-group"
    severity: ClassVar[Severity] = "warning"
    item = "5"
    trains = True
    shares_models = True
    follows: ClassVar[tuple[str, ...]] = ("VAL101:error",)
    modalities = frozenset({"table"})
    wants = "classes"
    public = frozenset(
        {
            "samples",
            "error",
            "error_elsewhere",
            "error_of_guessing",
            "kappa",
            "kappa_elsewhere",
            "p_value",
        }
    )
    measures = (LabelRuns, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        size: int = Field(40, ge=10, description="Samples that a group must have.")
        points: float = Field(15.0, gt=0, le=100, description="Points of error beyond that of all others, at least.")
        broken_points: float = Field(10.0, ge=0, le=100, description="The same where its labels agree by chance only.")
        level: float = Field(1e-3, gt=0, lt=1, description="Chance of a false alarm over all groups.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare the out-of-fold errors of groups."""
        if sum(len(split.counts) > 1 for split in profile.labelled) == 0:
            raise Skip("there is only one class")
        learned = profile.learned
        if not isinstance(learned.result, OutOfFold):
            raise Skip(learned.result.reason)
        known = np.asarray(~np.isnan(learned.result.probs).any(1))
        said = learned.result.probs[known].argmax(1)
        y = learned.labels[known]
        wrong = said != y
        if len(profile.dataset.fields) > MAX_COLUMNS:
            raise Skip(f"{len(profile.dataset.fields):,} columns make too many groups")
        groups = [g for g in _groups(profile, learned, known) if self.params.size <= g[2].sum() <= len(y) / 2]
        weak = [g for g in (self._judge(g, said, y, len(groups)) for g in groups) if g is not None]
        if not weak:
            return
        # Groups that share most samples are one; the plainest is told.
        weak.sort(key=lambda g: (not g.broken, g.p_value, g.column))
        told: list[_Weak] = []
        for group in weak:
            if all((group.inside & other.inside).sum() <= 0.5 * min(group.size, other.size) for other in told):
                told.append(group)
        broken = [g for g in told if g.broken]
        yield _found(broken or told, bool(broken), len(wrong))

    def _judge(
        self,
        group: tuple[str, str, NDArray[np.bool_], bool],
        said: NDArray[np.intp],
        y: NDArray[np.int64],
        tests: int,
    ) -> _Weak | None:
        column, value, inside, natural = group
        wrong = said != y
        size = int(inside.sum())
        errors = int(wrong[inside].sum())
        error, rest = errors / size, float(wrong[~inside].mean())
        guess = 1 - float(np.bincount(y[inside]).max()) / size
        here, there = _agreement(said[inside], y[inside]), _agreement(said[~inside], y[~inside])
        # As errors are told: what they would be, were the agreement beyond chance that of the others. A group of other class
        # shares may have more errors for those alone.
        usual = (1 - there.kappa) * (1 - here.expected)
        lost = (
            there.kappa >= KNOWS
            and here.kappa <= LOST * there.kappa
            and here.deviations <= BY_CHANCE
            and here.most > BY_CHANCE
            and error >= rest + self.params.broken_points / 100
            and guess >= 0.2
        )
        broken = lost and not natural and binomial_tail(errors, size, usual) * tests < self.params.level
        p_value = binomial_tail(errors, size, max(rest, 1 / len(y)))
        weak = error >= max(rest + self.params.points / 100, 1.5 * rest) and p_value * tests < self.params.level
        if not broken and not weak:
            return None
        return _Weak(column, value, inside, size, error, rest, guess, p_value, here.kappa, there.kappa, broken)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Add a column of five sites and shuffle the labels of one of them."""
        if clean.label is None or not clean.tables or sum(map(len, clean.tables.values())) < 700:
            return None
        label = clean.label
        if any(not 2 <= table[label].nunique() <= 10 for table in clean.tables.values()):
            return None
        tables = {}
        for split, table in clean.tables.items():
            site = rng.choice(["Basel", "Lyon", "Porto", "Turin", "Ghent"], len(table))
            values = table[label].to_numpy(copy=True)
            rows = np.flatnonzero(site == "Lyon")
            values[rows] = rng.permutation(values[rows])
            tables[split] = table.assign(**{"made_at": site, label: values})
        return Planted(Clean(clean.name, tables, label), column="made_at")


@dataclass(frozen=True)
class _Weak:
    column: str
    value: str
    inside: NDArray[np.bool_]
    size: int
    error: float
    rest: float
    guess: float
    p_value: float
    kappa: float
    kappa_rest: float
    broken: bool


@dataclass(frozen=True)
class _Agreement:
    """Of predictions and labels: expected by chance, beyond it (Cohen 1960), and how many standard errors beyond."""

    expected: float
    kappa: float
    deviations: float
    most: float
    """The same at best, with as many predictions and labels of each class: 0 where one class is predicted throughout."""


def _agreement(said: NDArray[np.intp], y: NDArray[np.int64]) -> _Agreement:
    if len(y) == 0:
        return _Agreement(1.0, 0.0, 0.0, 0.0)
    classes = int(max(said.max(), y.max())) + 1
    a, b = (np.bincount(labels, minlength=classes) / len(y) for labels in (said, y))
    expected, seen = float(a @ b), float((said == y).mean())
    # Of the agreement where the labels are shuffled (Fleiss, Cohen and Everitt 1969).
    variance = (expected + expected**2 - float((a * b * (a + b)).sum())) / len(y)
    beyond = seen - expected
    return _Agreement(
        expected,
        beyond / (1 - expected) if expected < 1 else 0.0,
        beyond / variance**0.5 if variance > 1e-12 else 0.0,
        (float(np.minimum(a, b).sum()) - expected) / variance**0.5 if variance > 1e-12 else 0.0,
    )


def _groups(
    profile: Profile, learned: Learned, known: NDArray[np.bool_]
) -> Iterator[tuple[str, str, NDArray[np.bool_], bool]]:
    """Column, value, members, and whether it may be hard by nature: a range of a quantity, a split."""
    splits = {split.name: split for split in profile.labelled}
    parts = [(splits[name].rows, rows) for name, rows in learned.rows]
    if len(parts) > 1:
        names = np.concatenate([np.full(len(rows), name, object) for name, rows in learned.rows])[known]
        for name, _ in learned.rows:
            yield "split", name, np.asarray(names == name), True
    for field in profile.dataset.fields:
        if field.role not in {"feature", "group"}:
            continue
        if field.kind == "text":
            nothing = [np.full(len(rows), None, object) for rows, _ in parts]
            texts = [
                rows.texts.get(field.name, none)[picked] for (rows, picked), none in zip(parts, nothing, strict=True)
            ]
            codes, words = codes_of(np.concatenate(texts)[known])
            for k, word in enumerate(words if len(words) <= 200 else []):
                yield field.name, repr(word), np.asarray(codes == k), False
        elif field.kind == "number" and all(field.name in rows.at for rows, _ in parts):
            numbers = [rows.column(field.name)[picked] for rows, picked in parts]
            for value, inside, natural in _of_numbers(np.concatenate(numbers)[known]):
                yield field.name, value, inside, natural


def _of_numbers(values: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.bool_], bool]]:
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    if len(distinct) < 2:
        return
    if len(distinct) <= 12:
        # Codes, perhaps, but as likely counts, whose middle is hard by nature.
        for value in distinct:
            yield f"{value:g}", values == value, True
        return
    cuts = np.unique(np.quantile(finite, [0.2, 0.4, 0.6, 0.8]))
    place = np.searchsorted(cuts, values, side="right")
    place[~np.isfinite(values)] = -1
    edges = [finite.min(), *cuts, finite.max()]
    for k in range(len(cuts) + 1):
        yield f"{edges[k]:.3g} to {edges[k + 1]:.3g}", place == k, True
    yield "missing", place == -1, True


def _found(told: list[_Weak], broken: bool, count: int) -> Found:
    first = told[0]
    more = f"; {more_of(len(told) - 1, 'group')} likewise" if len(told) > 1 else ""
    guess = ", no better than by chance" if broken else ""
    return Found(
        message=(
            f"where {first.column} is {first.value} ({first.size:,} of {count:,} samples) a model is wrong in "
            f"{first.error:.0%} of cases{guess}, elsewhere in {first.rest:.0%}{more}"
        ),
        consequence=(
            "Labels or inputs of this group do not fit those of the others, and spoil the model for all."
            if broken
            else "One average score hides how much worse the model serves this group."
        ),
        remedy="Compare samples of the group with others: are labels and units the same? Report its score by itself.",
        severity=None if broken else "info",
        confidence=0.8 if broken else 0.6,
        column=first.column if len(told) == 1 and first.column != "split" else None,
        evidence={
            "groups": [
                {
                    "column": g.column,
                    "value": g.value,
                    "samples": g.size,
                    "error": digits(g.error, 3),
                    "error_elsewhere": digits(g.rest, 3),
                    "error_of_guessing": digits(g.guess, 3),
                    "kappa": digits(g.kappa, 2),
                    "kappa_elsewhere": digits(g.kappa_rest, 2),
                    "p_value": digits(g.p_value, 2),
                }
                for g in told[:20]
            ]
        },
        count=first.size,
    )
