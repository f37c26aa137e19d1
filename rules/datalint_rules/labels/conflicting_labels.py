"""LBL106 conflicting-labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Contents,
    Copies,
    Dataset,
    Field,
    Found,
    Measurement,
    Objects,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    ZeroSamples,
    coincidences,
    digits,
    labels_of,
    without_label,
)
from datalint_rules.labels._conflicts import contradict
from datalint_rules.labels._drawn import drawn_in, unlike_copies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class ConflictingLabels(Rule):
    """Identical inputs that carry different labels, in one split or across splits, and the best accuracy that leaves.

    Inputs are compared without ids. Pictures with objects differ where one copy has objects that the other lacks, or boxes
    that overlap by less than half. In tables of coarse values the same input is observed for several classes by
    nature: the finding is then info, and its number is a limit of what these columns can predict.

    ## Why it hurts

    No model can get both right: the loss cannot reach zero, the test that a model can overfit a small batch fails, and
    large models spend their capacity on telling apart what is the same.

    ## How to fix it

    Look at each group: one of its labels is wrong, or a column that decides between them was dropped. Keep the right
    one, or drop the group.

    ## When it is wrong

    Where the label is a matter of chance given the input, as in risk scores: the conflict is then information.

    ## Reference

    37 reasons, items 4 and 27. Deepchecks' ConflictingLabels compares rows with their ids left to the user to name.
    """

    code = "LBL106"
    name = "conflicting-labels"
    severity: ClassVar[Severity] = "warning"
    item = "4, 27"
    wants = "classes"
    tasks = frozenset({"classification", "detection", "regression"})
    follows: ClassVar[tuple[str, ...]] = ("IMG106:samples",)
    public = frozenset({"samples", "groups", "best_training_accuracy", "explained_by_coarse_values", "group"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.01, ge=0, le=1, description="Share of rows in conflict from which it is a warning; one image is enough."
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The hashes of all samples, and of a table how coarse its values are."""
        if dataset.modality == "table":
            return (Contents, Sample, ZeroSamples)
        if dataset.modality == "audio":
            return (Contents, ZeroSamples)
        return (Contents,) if dataset.annotations is None else (Contents, Objects)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        table = profile.dataset.modality == "table"
        if table and not profile.content_names:
            raise Skip("the table has no column but the label and ids", applies=False)
        copies = profile.copies
        if profile.dataset.annotations is not None:
            yield from self._annotated(profile)
            return
        found = conflicts(copies)
        for split in profile.splits:
            zeros = split.measured.get(ZeroSamples)
            if isinstance(zeros, ZeroSamples):  # all-zero inputs are VAL101's, silence AUD103's
                found = found[~np.isin(copies.places.content[found], zeros.places.content)]
        if len(found) == 0:
            return
        inputs = copies.inputs[found]
        groups = len(np.unique(inputs))
        lost = copies.estimate(len(found) - _majority(inputs, copies.places.content[found]))
        count = copies.estimate(len(found))
        total = sum(sum(split.counts.values()) for split in profile.splits)
        best = 1 - lost / max(total, 1)
        natural = 0.0
        if table:
            largest = max(profile.splits, key=lambda split: split.samples)
            natural = coincidences(largest, sorted(profile.content_names), profile.sentence_names)
        mild = table and (natural >= 1 / 3 or count / max(total, 1) < self.params.share)
        noun = {"images": "images", "audio": "recordings"}.get(profile.dataset.modality, "rows")
        about = "" if copies.exact else "about "
        classes = sorted({name for split in profile.splits for name in split.counts})
        names = [copies.names[k] for k in copies.split[found]]
        yield Found(
            message=(
                f"{about}{count:,} {noun} in {_groups_text(copies.estimate(groups))} of identical inputs carry different labels: "
                f"the best possible training accuracy is {_percent(best)}"
                + ("; values this coarse make rows coincide by themselves" if natural >= 1 / 3 else "")
            ),
            consequence="No model can get them all right, so the loss cannot reach zero.",
            remedy="Look at each group: correct the wrong label, or bring back the column that decides between them.",
            severity="info" if mild else None,
            confidence=0.7 if mild else 0.98,
            evidence={
                "samples": count,
                "groups": copies.estimate(groups),
                "best_training_accuracy": digits(best, 6),
                "explained_by_coarse_values": digits(min(natural, 1.0), 2),
            },
            cases=Cases(
                names,
                copies.places.take(found),
                {"label": labels_of(inputs, copies.places.content[found], classes), "group": _groups(inputs)},
            ),
            count=count,
            exact=copies.exact,
        )

    def _annotated(self, profile: Profile) -> Iterator[Found]:
        """Judge what is drawn in identical pictures."""
        copies = profile.copies
        found = unlike_copies(profile)
        if len(found) == 0:
            return
        inputs = copies.inputs[found]
        groups, count = copies.estimate(len(np.unique(inputs))), copies.estimate(len(found))
        yield Found(
            message=f"{'' if copies.exact else 'about '}{count:,} images in {_groups_text(groups)} of identical pictures are "
            "annotated differently: with other objects, or with boxes that overlap by less than half",
            consequence="The same object is right in one copy and wrong in the other: the loss cannot reach zero.",
            remedy="Look at each group, and keep the better annotations, with one copy of the picture.",
            confidence=0.98,
            subject="annotated differently",
            evidence={"samples": count, "groups": groups},
            cases=Cases(
                [copies.names[k] for k in copies.split[found]],
                copies.places.take(found),
                {"objects": drawn_in(profile, found), "group": _groups(inputs)},
            ),
            count=count,
            exact=copies.exact,
        )

    def coverage(self, profile: Profile) -> str:
        """All samples, or a sample of the contents."""
        return profile.copies.coverage

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Append copies with another label: 2 % of the training split, a tenth of it at full strength."""
        return contradict(clean, 0.02 + 0.08 * strength, rng)


def conflicts(copies: Copies) -> NDArray[np.int64]:
    """The labelled copies whose input occurs with more than one label, group by group."""
    labelled = np.flatnonzero(~without_label(copies.places.content, copies.inputs))
    inputs, content = copies.inputs[labelled], copies.places.content[labelled]
    distinct = np.unique(np.stack([inputs, content]), axis=1)[0] if len(labelled) else inputs
    torn, labels = np.unique(distinct, return_counts=True)
    return labelled[np.isin(inputs, torn[labels > 1])]


def _majority(inputs: NDArray[np.uint64], content: NDArray[np.uint64]) -> int:
    """Samples that carry the most frequent label of their group."""
    pairs, counts = np.unique(np.stack([inputs, content]), axis=1, return_counts=True)
    starts = np.unique(pairs[0], return_index=True)[1]
    return int(np.maximum.reduceat(counts, starts).sum())


def _groups_text(count: int) -> str:
    return "1 group" if count == 1 else f"{count:,} groups"


def _groups(inputs: NDArray[np.uint64]) -> list[int]:
    return [int(k) + 1 for k in np.unique(inputs, return_inverse=True)[1]]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share > 0.99 else f"{100 * share:.1f} %"
