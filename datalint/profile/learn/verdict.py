"""What may be claimed about the labels, from the noise estimate; and contradictions that need no model at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from datalint.profile.learn.noise import wilson_low

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.core.terms import Modality
    from datalint.profile.learn.noise import Named, NoiseEstimate

Level = Literal["floor", "one way", "disagreement", "hard", "none"]

SURE_P = 0.01
SURE_RATE = 0.01
"""A floor is certain when its p-value is at most SURE_P and the whole interval lies above SURE_RATE. Models that fit a hard,
clean problem a little badly show floors of up to 1.2 % with intervals from 0.4 %, at any p-value, once samples are many."""
VISIBLE = 0.25
"""And when at least this share of the wrong labels it claims can be named. A floor that shows only among samples no model is
sure of is extrapolated from a misfit: there 0.1 to 0.2 can be named, with labels truly flipped 0.3 (hard) to 1 (easy sets)."""
LIKELY_P = 0.05
LIKELY_RATE = 0.005
"""A floor is likely, worth a look but not a warning: the usual level, and half the certain rate."""
STRONG_AGREEMENT = 0.95
"""A model is strong when at least this share of the samples it does not dispute carries the label it would give,"""
STRONG_ERROR = 0.5
"""when it errs at most half as often as naming the largest class always,"""
STRONG_CALIBRATION = 0.03
"""and when its confidence and its accuracy differ by no more than this."""
CONFIDENT = 0.9
"""Probability of the suggested label from which a disagreement counts as confident."""
MANY = 0.01
"""Share of confident disagreements (lower end of its interval) that is a warning for pictures and text, and worth a word for
tables. Strong models on verified clean digits dispute 0.1 to 0.4 %."""


@dataclass(frozen=True)
class Verdict:
    """What the evidence for wrong labels amounts to.

    Attributes:
        level: "floor" (labels replaced regardless of how clear the sample is), "one way" (the same, of one class by one
            other), "disagreement" (a strong model
            contradicts, or a floor is likely but not certain), "hard" (the model errs, but noise and hardness cannot
            be distinguished) or "none".
        warn: whether it carries a warning.
        named: samples, worst first.
        reason: why.
    """

    level: Level
    warn: bool
    named: Named | None
    reason: str


@dataclass(frozen=True)
class Contradictions:
    """Equal contents with different labels.

    Attributes:
        rows: all their samples.
        pairs: (class, class, number of distinct contents filed under both).
        merged: those pairs where at least half of one class's contents, and two of them, lie in the other one as well.
    """

    rows: NDArray[np.intp]
    pairs: tuple[tuple[int, int, int], ...]
    merged: tuple[tuple[int, int, int], ...]


def judge(estimate: NoiseEstimate, modality: Modality) -> Verdict:
    """Decide what may be said.

    A floor is evidence in every modality where the model errs at most half as often as chance; in tables at least two classes
    must show it, for one class alone may as well hold outcomes that no column predicts. Labels of one class exchanged for one
    other are evidence where the model is strong on the rest; in a table of two classes they are no warning. Disagreement without a floor is
    evidence where the label is a function of the input (pictures, text) and the model is strong; in tables it never carries a warning.
    """
    floor = f"noise floor {estimate.rate:.1%} (95 % interval {estimate.low:.1%} to {estimate.high:.1%})"
    visible = len(estimate.named) >= VISIBLE * estimate.rate * estimate.samples
    # Where the model misses the label as often as not, chance looks like a floor: a survey's income brackets, or pictures
    # whose thumbnails do not show what distinguishes the classes.
    spread = _informed(estimate) and (modality != "table" or len(estimate.floor_classes) >= 2)
    if estimate.p_value <= SURE_P and estimate.low >= SURE_RATE and spread and visible:
        return Verdict("floor", True, estimate.named, f"{floor}, p = {estimate.p_value:.1g}")
    if estimate.one_way and estimate.one_way_agreement >= STRONG_AGREEMENT and _informed(estimate):
        # Of two classes in a table one may well be hard to foresee for some of its samples, however clear they look.
        certain = modality != "table" or estimate.classes > 2
        first = estimate.one_way[0]
        reason = (
            f"{first.samples} samples of one class carry the label of another, {first.mirror} the other way round, "
            f"and they are as clear as the rest (p = {first.p_value:.1g})"
        )
        return Verdict("one way", certain, estimate.one_way_named, reason)
    if estimate.p_value <= LIKELY_P and estimate.low >= LIKELY_RATE and len(estimate.named) and visible:
        return Verdict(
            "disagreement", False, estimate.named, f"{floor}, likely but not certain, p = {estimate.p_value:.2g}"
        )
    model = f"agreement {estimate.agreement:.1%}, calibration error {estimate.calibration_error:.1%}"
    if not strong(estimate):
        return Verdict("hard", False, None, f"the model is too weak to dispute labels ({model}); {floor}")
    disputed = estimate.disagreements
    least = wilson_low(int((disputed.confidence >= CONFIDENT).sum()), estimate.samples)
    if modality == "table":
        if least >= MANY:
            reason = f"a strong model disagrees ({model}), but noise and hardness cannot be distinguished in a table"
            return Verdict("disagreement", False, disputed, reason)
    elif len(disputed):
        return Verdict("disagreement", least >= MANY, disputed, f"a strong model disagrees ({model})")
    return Verdict("none", False, None, f"the model finds nothing to dispute ({model}); {floor}")


def strong(estimate: NoiseEstimate) -> bool:
    """Whether the predictions are good enough for their disagreement to mean something."""
    return (
        estimate.agreement >= STRONG_AGREEMENT
        and _informed(estimate)
        and estimate.calibration_error <= STRONG_CALIBRATION
    )


def _informed(estimate: NoiseEstimate) -> bool:
    """Whether the model errs at most half as often as naming the largest class always."""
    return 1 - estimate.accuracy <= STRONG_ERROR * (1 - estimate.chance_accuracy)


def contradictions(groups: NDArray[np.uint64], y: NDArray[np.integer]) -> Contradictions:
    """Find equal contents (n,) with different labels (n,): at least one of each such set is wrong, whatever a model says.

    Two classes that share most of their contents are one folder copied, or two names of one thing.
    """
    labels = np.asarray(y, np.intp)
    distinct = np.unique(np.stack([np.unique(groups, return_inverse=True)[1], labels], axis=1), axis=0)
    content, first, times = np.unique(distinct[:, 0], return_index=True, return_counts=True)
    size = np.bincount(distinct[:, 1])
    shared: dict[tuple[int, int], int] = {}
    for start, count in zip(first[times > 1], times[times > 1], strict=True):
        members = distinct[start : start + count, 1].tolist()
        for i, a in enumerate(members):
            for b in members[i + 1 :]:
                shared[a, b] = shared.get((a, b), 0) + 1
    pairs = tuple((a, b, k) for (a, b), k in sorted(shared.items(), key=lambda item: (-item[1], item[0])))
    inverse = np.unique(groups, return_inverse=True)[1]
    return Contradictions(
        rows=np.flatnonzero(np.isin(inverse, content[times > 1])),
        pairs=pairs,
        # One content alone is no folder: pictures that are all black are the same in every class.
        merged=tuple((a, b, k) for a, b, k in pairs if k >= max(2, 0.5 * min(size[a], size[b]))),
    )
