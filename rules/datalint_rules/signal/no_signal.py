"""SIG101 no-signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import NEEDED_SHUFFLES as NEEDED
from datalint.author import (
    AllWell,
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
    auc_error,
    digits,
    relation,
)
from datalint_rules.signal._label import NO_LUCK, Label, columns_of, forest_deviations, of_classes, of_numbers, thinned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FEWEST = 50
"""Samples among which a relation can show."""


def blocks_of(label: Label) -> NDArray[np.int64]:
    """The split of each sample, by number."""
    return np.repeat(np.arange(len(label.rows)), [len(rows) for _, rows in label.rows])


class NoSignal(Rule):
    """Inputs that predict the labels no better than after shuffling the labels, though there are enough samples to see it.

    Holds for classes and for numbers to be predicted. Every column by itself, a linear and a kernel model are scored out of
    fold on the labels, and refitted on up to 199 shuffles of them.

    ## Why it hurts

    Training will run, the loss will settle at the entropy of the class shares, and no architecture or learning rate will
    help. Usually inputs and labels were joined wrongly, or the column that matters was left out.

    ## How to fix it

    Look at some samples with their labels; check the join, the order and the parsing of the inputs. Train on random
    inputs for comparison: if the loss is the same, the network never sees the data.

    ## When it is wrong

    Where the relation is too intricate for trees, kernels and linear models, such as the parity of many bits or speech
    in raw samples, and where it is weaker than the detectable AUC that the finding states. For pictures without embeddings the finding is
    info: of each the models see 32 x 32 pixels.

    ## Reference

    37 reasons, items 2 and 5; permutation test of Ojala and Garriga (2010). No peer says that nothing can be learnt.
    """

    code = "SIG101"
    name = "no-signal"
    severity: ClassVar[Severity] = "warning"
    item = "2, 5"
    trains = True
    shares_models = True
    wants = "label"
    follows = ("LBL107", "LBL108")
    public = frozenset(
        {
            "p_value",
            "z_against_shuffled",
            "shuffled_labels",
            "detectable_auc",
            "columns_tested",
            "samples",
        }
    )
    measures = (LabelRuns, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        auc: float = Field(
            0.63,
            gt=0.5,
            le=1,
            description=(
                "Out-of-fold AUC that must have been detectable in 95 of 100 cases (of a number: of lying above its median); "
                "with fewer samples nothing is said."
            ),
        )
        level: float = Field(
            0.01,
            ge=0.005,
            lt=1,
            description="Level of the test whose success silences the rule; 199 shuffles resolve no less than 0.005.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the labelled samples of all splits together."""
        label = of_numbers(profile) if profile.task == "regression" else of_classes(profile)
        yield from self._judged(profile, label)

    def _judged(self, profile: Profile, label: Label) -> Iterator[Found]:
        few = thinned(label, len(profile.dataset.fields))
        names, designs = columns_of(profile, label, few)
        if label.X.shape[1] == 0 and not designs:
            raise Skip("no feature varies")
        blocks = blocks_of(label)[few]
        seen = relation(label.X[few], label.targets(few), designs, label.contents[few], blocks)
        if seen.column is not None:
            raise AllWell(f"{names[seen.column]!r} alone says something about the label")
        if seen.p_value <= self.params.level:
            raise AllWell("the inputs say a little about the label")
        n = len(few)
        ones = n // 2 if label.numbers is not None else round(label.largest * n / len(label.contents))
        detectable = 0.5 + NEEDED * auc_error(ones, n - ones)
        if detectable > self.params.auc:
            raise Skip(f"{n:,} samples are too few to judge: an AUC below {min(detectable, 1):.2f} would go unseen")
        if profile.unseen_names:
            raise Skip(f"the rest says nothing about the label, and {profile.unseen_names[0]!r} is not looked into")
        if profile.sentence_names and not profile.given.embeddings:
            # Without embeddings nothing here reads the texts, and they may say it all.
            raise Skip("the other columns say nothing about the label, and texts are judged by given embeddings only")
        shown = (
            f"a rank correlation of {NEEDED / n**0.5:.2f}"
            if label.numbers is not None
            else f"an AUC of {detectable:.2f}"
        )
        if label.numbers is not None and self._says_how_much(profile, label, few):
            raise AllWell("the inputs say a little about the label where it is not one value")
        if label.numbers is not None and forest_deviations(label, few) >= NO_LUCK:
            raise AllWell("the inputs say a little about the label")
        yield Found(
            message=(
                f"the inputs predict the label no better than chance: {label.said + ', and ' if label.said else ''}models "
                f"fitted to shuffled labels do as well (p = {seen.p_value:.2g}); with {n:,} samples {shown} would have shown"
            ),
            consequence=(
                "Training settles at the loss of always stating the mean, whatever the model."
                if label.numbers is not None
                else "Training settles at the loss of always stating the class shares, whatever the model."
            ),
            remedy="Check how inputs and labels were joined, and look at some samples with their labels.",
            # Of a picture the models see 32 x 32 pixels: a network may well see more.
            severity="info" if profile.dataset.modality != "table" and not profile.given.embeddings else None,
            confidence=0.8,
            evidence={
                "p_value": digits(seen.p_value, 2),
                "z_against_shuffled": digits(seen.z, 3),
                "shuffled_labels": seen.shuffles,
                "detectable_auc": digits(detectable, 3),
                "columns_tested": len(designs),
                "samples": n,
            },
            count=n,
        )

    def _says_how_much(self, profile: Profile, label: Label, few: NDArray[np.int64]) -> bool:
        """Whether a number that is mostly one value, such as 0, is predictable among the samples that have another."""
        targets = label.targets(few)[:, 0]
        values, counts = np.unique(targets, return_counts=True)
        others = few[targets != values[counts.argmax()]]
        if not FEWEST <= len(others) <= len(few) / 2:
            return False
        _, designs = columns_of(profile, label, others)
        seen = relation(
            label.X[others], label.targets(others), designs, label.contents[others], blocks_of(label)[others]
        )
        return seen.p_value <= self.params.level

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Shuffle the labels of every split."""
        if clean.label is None or not clean.tables or sum(map(len, clean.tables.values())) < 700:
            return None
        label = clean.label
        numeric = all(table[label].dtype.kind == "f" for table in clean.tables.values())
        if not numeric and not all(2 <= table[label].nunique() <= 10 for table in clean.tables.values()):
            return None
        tables = {
            name: table.assign(**{label: rng.permutation(table[label].to_numpy(copy=True))})
            for name, table in clean.tables.items()
        }
        return Planted(Clean(clean.name, tables, label))
