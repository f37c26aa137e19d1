"""SPL101 split-overlap."""

from __future__ import annotations

import math
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
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    ZeroSamples,
    binomial_tail,
    coinciding,
    digits,
    poisson_tail,
)
from datalint_rules._shared.duplicate_plants import share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


CLOSE = 3.0
"""How many times as often as independent columns those that hang together, such as answers of one mood, coincide."""


class SplitOverlap(Rule):
    """Inputs that lie in two splits, such as test samples that the model was trained on.

    Inputs are compared without labels and ids. Every sample is compared while the hashes fit the memory budget; beyond it
    the number is an estimate. The finding says how many shared samples a random split would give, judged by the copies
    within the splits. Near copies, shared sources and overlap in time between the same two splits become part of this one
    verdict, each with the number that a random split would give.

    ## Why it hurts

    A model can remember the answers: the test score is too high, by as much as the share of shared samples, and the wrong
    model, or the wrong number of epochs, is chosen.

    ## How to fix it

    Take the shared samples out of the training split (not out of the test, which should stay as it is), drop
    duplicates before splitting next time, or split by a hash of the input.

    ## When it is wrong

    Where inputs are so coarse that the same one is observed again and again; the finding is then only info, and so are a
    few samples that a random split would part as often, if they are repeats of the data's own. Where a
    "split" is a subset of another on purpose, such as a small one for trying things out.

    ## Reference

    37 reasons, item 15. Barz and Denzler 2020, "Do we train on test data?" (3.3 % and 10 % of CIFAR's test pictures).
    Deepchecks' TrainTestSamplesMix gives no number to compare with.
    """

    code = "SPL101"
    name = "split-overlap"
    severity: ClassVar[Severity] = "error"
    item = "15"
    repair = "drop-from-earlier"
    follows = ("SPL102", "SPL107", "SPL108")
    public = frozenset({"shared", "share", "expected_at_random", "explained_by_coarse_values"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.01, ge=0, le=1, description="Share of shared samples from which it is an error.")
        level: float = Field(
            1e-3,
            ge=0,
            le=1,
            description="Chance of as many by the data's own repeats, from which on fewer than that are only info; also of as "
            "many by coarse values, from which on all are.",
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The hashes of all samples, of a table how coarse its values are, and of sound what is silent (AUD103's)."""
        if dataset.modality == "table":
            return (Contents, Sample)
        return (Contents, ZeroSamples) if dataset.modality == "audio" else (Contents,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every pair of splits."""
        if len(profile.splits) < 2:
            raise Skip("the data is not split", applies=False)
        if profile.dataset.modality == "table" and not profile.content_names:
            raise Skip("the table has no column but the label and ids", applies=False)
        copies = profile.copies
        noun = {"table": "rows", "images": "images", "audio": "recordings"}[profile.dataset.modality]
        zeros = [split.measured.get(ZeroSamples) for split in profile.splits]
        silent = [some.places.content for some in zeros if isinstance(some, ZeroSamples)]
        for later in range(1, len(profile.splits)):
            for earlier in range(later):
                shared = _shared(copies, earlier, later)
                for contents in silent:
                    shared = shared[~np.isin(copies.places.content[shared], contents)]
                if len(shared) == 0:
                    continue
                source, target = profile.splits[earlier], profile.splits[later]
                count = copies.estimate(len(shared))
                share = count / target.samples
                expected = _expected(copies, earlier, later)
                small: Severity = "warning" if _chance(copies, earlier, later) < self.params.level else "info"
                natural, coarse = self._coarse(profile, earlier, later)
                about, span = "", ""
                if not copies.exact:
                    low, high = copies.interval(len(np.unique(copies.inputs[shared])), len(shared))
                    about, span = "about ", f"; estimated, 95 % interval {low:,} to {high:,}"
                random = f"{digits(expected, 2):g} expected of a random split"
                yield Found(
                    message=(
                        f"{about}{count:,} of {target.samples:,} {target.name} {noun} are also in {source.name} "
                        f"({digits(100 * share, 2):g} %); {random}{span}"
                    ),
                    consequence=f"A model trained on {source.name} can remember their answers: the score is too high.",
                    remedy=f"Drop the shared {noun} from {source.name}, and drop duplicates before splitting.",
                    severity="info" if coarse else None if share >= self.params.share else small,
                    confidence=0.6 if coarse else 0.99,
                    split=target.name,
                    against=source.name,
                    subject=source.name,
                    evidence={
                        "shared": count,
                        "share": digits(share, 3),
                        "with": source.name,
                        "expected_at_random": digits(expected, 3),
                        "explained_by_coarse_values": digits(min(natural, 1.0), 2),
                    },
                    cases=Cases(
                        target.name,
                        copies.places.take(shared),
                        {f"{source.name}_index": _partners(copies, earlier, shared)},
                    ),
                    count=count,
                    exact=copies.exact,
                    brief=(
                        f"{about}{count:,} {target.name} {noun} are also in {source.name} "
                        f"({digits(expected, 2):g} expected of a random split)"
                    ),
                )

    def _coarse(self, profile: Profile, earlier: int, later: int) -> tuple[float, bool]:
        """Which part of the equal pairs across two splits coarse values give by themselves, and whether it may be all of them.

        The estimate is too small by up to ``CLOSE`` where columns hang together, but values this coarse coincide within the
        splits as often as across them: what is there bounds it, unless copies were dropped from each split.
        """
        if profile.dataset.modality != "table":
            return 0.0, False
        copies, splits = profile.copies, (profile.splits[earlier], profile.splits[later])
        names, sentences = sorted(profile.content_names), profile.sentence_names
        # The splits' own near coincidences say how many there are across them, even where neither has a full one.
        within = sum(coinciding(split, names, sentences) for split in splits)
        own_pairs = sum(split.samples * (split.samples - 1) / 2 for split in splits)
        most = CLOSE * within
        there = sum(copies.estimate(_pairs(_sizes(copies, number))) for number in (earlier, later))
        if there >= within / CLOSE:
            most = min(most, there + 3 * math.sqrt(there + 1))
        across = splits[0].samples * splits[1].samples / max(own_pairs, 1.0)
        pairs = _pairs_across(copies, earlier, later)
        return within * across / pairs, poisson_tail(pairs, most * across) >= self.params.level

    def coverage(self, profile: Profile) -> str:
        """All samples, or a sample of the contents."""
        return profile.copies.coverage

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Copy training samples into the test split: 2 % of it, a fifth at full strength."""
        return share(clean, 0.02 + 0.18 * strength, rng)


def _shared(copies: Copies, earlier: int, later: int) -> NDArray[np.int64]:
    """The copies of the later split whose input is also in the earlier one, in stored order."""
    mine = copies.of_split(later)
    mine = mine[np.isin(copies.inputs[mine], copies.inputs[copies.of_split(earlier)])]
    return mine[np.argsort(copies.places.row[mine])]


def _pairs_across(copies: Copies, earlier: int, later: int) -> int:
    """How many pairs of a sample of the one split and a sample of the other have the same input."""
    ours, theirs = (np.unique(copies.inputs[copies.of_split(k)], return_counts=True) for k in (earlier, later))
    _, a, b = np.intersect1d(ours[0], theirs[0], assume_unique=True, return_indices=True)
    return copies.estimate(int((ours[1][a] * theirs[1][b]).sum()))


def _pairs(sizes: NDArray[np.float64]) -> int:
    return int((sizes * (sizes - 1)).sum()) // 2


def _partners(copies: Copies, earlier: int, shared: NDArray[np.int64]) -> list[int]:
    """Position of the first sample with the same input in the earlier split."""
    theirs = copies.of_split(earlier)
    inputs, first = np.unique(copies.inputs[theirs], return_index=True)
    at = first[np.searchsorted(inputs, copies.inputs[shared])]
    return [int(row) for row in copies.places.row[theirs[at]]]


def _expected(copies: Copies, earlier: int, later: int) -> float:
    """How many samples of the later split a random split would find in the earlier one as well.

    A sample of the later split is then like one of the earlier, so it has a copy among the samples there as often as they
    have one among each other; where the later split is the larger, as often, too, as its own have one among so many others.
    """
    known, asked = copies.samples[earlier], copies.samples[later]
    again, looked_at = 0.0, known
    ours = _sizes(copies, earlier)
    if known > 1:
        again = float(ours[ours > 1].sum()) * known / (known - 1)  # they have one other sample less to be a copy of
    if asked > known:
        theirs = _sizes(copies, later)
        again += float((theirs * (1 - _apart(asked - 1, theirs - 1, known))).sum())
        looked_at += asked
    return float(np.minimum(asked, asked * again / copies.rate / max(looked_at, 1)))


def _chance(copies: Copies, earlier: int, later: int) -> float:
    """How likely as many inputs lie in both splits if all that occur more than once in the two are dealt out at random.

    Inputs are what is independent of each other: a single one with a hundred copies makes thousands of equal pairs.
    """
    inputs = [copies.inputs[copies.of_split(number)] for number in (earlier, later)]
    repeated, amounts = np.unique(np.concatenate(inputs), return_counts=True)
    both = int(np.isin(repeated, inputs[0]).sum() + np.isin(repeated, inputs[1]).sum() - len(repeated))
    sizes = amounts[amounts > 1].astype(np.float64)
    samples = [copies.samples[number] for number in (earlier, later)]
    whole = sum(samples)
    # All in the one, or all in the other: none of them among the samples of the split that has none.
    parted = 1 - _apart(whole, sizes, samples[0]) - _apart(whole, sizes, samples[1])
    return binomial_tail(both, len(sizes), float(parted.mean()) if len(sizes) else 0.0)


def _sizes(copies: Copies, number: int) -> NDArray[np.float64]:
    """How often each of the inputs occurs in one split."""
    return np.unique(copies.inputs[copies.of_split(number)], return_counts=True)[1].astype(np.float64)


def _apart(samples: int, sizes: NDArray[np.float64], drawn: int) -> NDArray[np.float64]:
    """How likely none of so many samples is among those drawn at random from all (hypergeometric)."""
    values, where = np.unique(sizes, return_inverse=True)
    left = samples - drawn

    def log(total: int, size: float) -> float:
        return math.lgamma(total + 1) - math.lgamma(total - size + 1)

    return np.array([math.exp(log(left, k) - log(samples, k)) if k <= left else 0.0 for k in values])[where]
