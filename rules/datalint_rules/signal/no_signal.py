"""SIG101 no-signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.rule import AllWell, Field, Found, Rule, RuleParams, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from datalint.dataset import Dataset
    from datalint.learn.pooled import Learned
    from datalint.measures.base import Measurement
    from datalint.planting import Clean, Planted
    from datalint.profile import Profile


class NoSignal(Rule):
    """
    Inputs that predict the labels no better than after shuffling the labels, though there are enough samples to see it.

    The models' out-of-fold predictions are scored against the labels and against 200 permutations of them, and every
    column is tested for any relation to the label by itself.

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
    wants = "classes"
    follows = ("LBL107", "LBL108")

    class Params(RuleParams):
        """Cuts."""

        auc: float = Field(
            0.6,
            gt=0.5,
            le=1,
            description="Out-of-fold AUC that must have been detectable in 95 of 100 cases; with fewer samples nothing is said.",
        )
        level: float = Field(
            0.01,
            gt=0,
            lt=1,
            description="Level of each of the two tests, of the models and of single columns, whose success silences the rule.",
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The coordinated sample."""
        from datalint.measures.order import LabelRuns
        from datalint.measures.sample import Sample

        return (LabelRuns, Sample)

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return profile.sample_coverage

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the labelled samples of all splits together."""
        from datalint.learn.comparing import auc_error
        from datalint.learn.outoffold import OutOfFold
        from datalint.stats import digits, normal_tail

        if sum(len(split.counts) > 1 for split in profile.labelled) == 0:
            raise Skip("there is only one class")
        learned = profile.learned
        if isinstance(learned.result, OutOfFold):
            gain = 1 - learned.result.log_loss / max(learned.result.chance_log_loss, 1e-9)
            raise AllWell(f"the inputs explain {gain:.0%} of the uncertainty about the label")
        if learned.result.probs is None:
            raise Skip(learned.result.reason)
        z, shares = _permuted(learned.result.probs, learned.labels)
        n = int(shares.sum())
        ones = int(shares.max())
        detectable = 0.5 + (_deviations(self.params.level) + _deviations(0.05)) * auc_error(ones, n - ones)
        if normal_tail(z) < self.params.level:
            raise AllWell("the inputs say a little about the label")
        if detectable > self.params.auc:
            raise Skip(f"{n:,} samples are too few to tell: an AUC below {detectable:.2f} would go unseen")
        least, tests = _single_columns(profile, learned)
        if least * tests < self.params.level:
            raise AllWell("single columns say a little about the label")
        if profile.sentence_names and not profile.given.embeddings:
            # Without embeddings nothing here reads the texts, and they may say it all.
            raise Skip("the other columns say nothing about the label, and texts are judged by given embeddings only")
        yield Found(
            message=(
                f"the inputs predict the label no better than chance: {learned.result.reason.partition(': ')[2]}, and no "
                f"better than after shuffling the labels (z = {z:.1f}); with {n:,} samples an AUC of {detectable:.2f} would "
                "have shown"
            ),
            consequence="Training settles at the loss of always stating the class shares, whatever the model.",
            remedy="Check how inputs and labels were joined, and look at some samples with their labels.",
            # Of a picture the models see 32 x 32 pixels: a network may well see more.
            severity="info" if profile.dataset.modality == "images" and not profile.given.embeddings else None,
            confidence=0.8,
            evidence={
                "z_against_shuffled": digits(z, 3),
                "detectable_auc": digits(detectable, 3),
                "smallest_p_of_a_column": digits(least, 2),
                "columns_tested": tests,
                "samples": n,
            },
            count=n,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Shuffle the labels of every split."""
        from datalint.planting import Clean, Planted

        if clean.label is None or not clean.tables or sum(map(len, clean.tables.values())) < 700:
            return None
        label = clean.label
        if not all(2 <= table[label].nunique() <= 10 for table in clean.tables.values()):
            return None
        tables = {
            name: table.assign(**{label: rng.permutation(table[label].to_numpy(copy=True))})
            for name, table in clean.tables.items()
        }
        return Planted(Clean(clean.name, tables, label))


def _deviations(level: float) -> float:
    """Standard errors beyond which a share of ``level`` of a normal variable lies."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - level)


def _permuted(probs: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, NDArray[np.int64]]:
    """How many deviations the log-score of the labels lies above that of shuffled ones, and samples per class."""
    import numpy as np

    known = ~np.isnan(probs).any(1)
    shares = np.bincount(labels[known], minlength=probs.shape[1])
    scores = np.log(np.maximum(probs[known], 1e-6)) - np.log(np.maximum(shares / max(1, known.sum()), 1e-6))
    y, rows = labels[known], np.arange(int(known.sum()))
    rng = np.random.default_rng(0)
    shuffled = np.array([scores[rows, rng.permutation(y)].mean() for _ in range(200)])
    spread = float(shuffled.std())
    return (float(scores[rows, y].mean() - shuffled.mean()) / spread if spread > 0 else 0.0), shares


def _single_columns(profile: Profile, learned: Learned) -> tuple[float, int]:
    """Smallest p-value of any column's relation to the label (Kruskal and Wallis 1952; chi-squared), and how many there are."""
    import numpy as np

    from datalint.learn.comparing import chi_square, chi_square_tail
    from datalint.learn.sampled import codes_of

    splits = {split.name: split for split in profile.labelled}
    y = learned.labels
    classes, codes = np.unique(y, return_inverse=True)
    size = np.bincount(codes)
    least, tests = 1.0, 0
    for name in profile.feature_names:
        parts = [
            splits[s].rows.numbers[rows, splits[s].rows.names.index(name)]
            if name in splits[s].rows.names
            else np.full(len(rows), np.nan)
            for s, rows in learned.rows
        ]
        inverse, counts = np.unique(np.concatenate(parts), return_inverse=True, return_counts=True)[1:]
        ranks = (np.cumsum(counts) - counts / 2)[inverse]
        variance = float(ranks.var())
        if variance == 0:
            continue
        means = np.bincount(codes, ranks) / size
        statistic = float((size * (means - ranks.mean()) ** 2).sum() / variance)
        least, tests = min(least, chi_square_tail(statistic, len(classes) - 1)), tests + 1
    for field in profile.dataset.fields:
        if field.role != "feature" or field.kind != "text":
            continue
        cells = [
            splits[s].rows.texts.get(field.name, np.full(len(splits[s].rows), None, object))[r] for s, r in learned.rows
        ]
        texts, names = codes_of(np.concatenate(cells))
        if 1 < len(names) <= 200:
            table = np.bincount(codes * (len(names) + 1) + texts + 1, minlength=len(classes) * (len(names) + 1))
            least, tests = min(least, chi_square(table.reshape(len(classes), -1))[0]), tests + 1
    return least, max(1, tests)
