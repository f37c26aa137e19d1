"""ORD103 single-label-batches."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    digits,
    training,
)
from datalint.author import statistics as stats

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class SingleLabelBatches(Rule):
    """Batches that hold samples of one label only when the data is read in stored order.

    Counts the full batches of the configured size, or of a loader the very batches that it gives, whatever their sizes, and
    compares with what a shuffle would give, so that a set with one dominant class is not blamed for its imbalance here.

    ## Why it hurts

    A batch of one label says nothing about what separates the classes: its gradient only pulls towards that label.
    Batch normalisation then learns statistics that no mixed batch has.

    ## How to fix it

    Shuffle before training, or use a sampler that mixes classes.

    ## When it is wrong

    When the loader shuffles anyway; then it does no harm. A tree of class folders always reads like this, so there the
    finding is only info.

    ## Reference

    37 reasons, item 10.
    """

    code = "ORD103"
    name = "single-label-batches"
    severity: ClassVar[Severity] = "warning"
    item = "10"
    of_whole = True
    repair = "shuffle"
    follows = ("ORD101",)
    wants = "classes"
    tasks = frozenset({"classification", "detection", "regression"})
    public = frozenset(
        {
            "batch_size",
            "single_label_batches",
            "full_batches",
            "single_label_batch_share",
            "share_if_shuffled",
        }
    )
    measures = (LabelRuns,)

    class Params(RuleParams):
        """Cuts."""

        excess: float = Field(
            0.01, ge=0, lt=1, description="Share of batches above what a shuffle gives that is still fine."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every labelled split that is trained on."""
        size = profile.settings.batch_size
        if size < 2:
            raise Skip("every batch of one sample holds one label", applies=False)
        several = [split for split in profile.trained if len(split.counts) > 1]
        if not several:
            raise Skip("there is only one class")
        # Another size than the loader's was asked for.
        asked = profile.dataset.batch_size not in {None, size}
        judged = [split for split in several if split[LabelRuns].samples >= size]
        if not judged:
            raise Skip(f"no split fills a batch of {size}")
        for split in judged[:1] if profile.dataset.by_class else judged:
            runs = split[LabelRuns]
            loaded = None if asked else split.info.loaded
            if loaded and loaded.sizes:
                sizes, single, full = loaded.sizes, loaded.single, loaded.sizes.total()
            else:
                single, full = stats.single_label_batches(runs.long_runs(), runs.samples, size)
                sizes = Counter({size: full})
            share = single / full
            shuffled = sum(n * stats.shuffled_single_label_share(runs.counts or {}, k) for k, n in sizes.items()) / full
            span = f"{min(sizes):,}" if len(sizes) == 1 else f"{min(sizes):,} to {max(sizes):,}"
            if share - shuffled <= self.params.excess or _chance(single, full, shuffled) > 1e-4:
                continue
            if share <= 2 * shuffled and 1 - share >= 0.5 * (1 - shuffled):
                continue
            yield Found(
                message=(
                    f"{single:,} of {full:,} batches of {span} ({share:.0%}) hold one label "
                    f"{'as the loader gives them' if loaded else 'in stored order'}; "
                    f"a shuffle gives {_share(shuffled)}"
                ),
                consequence="Such a batch only pulls the model towards its one label, and batch normalisation goes astray.",
                remedy="Shuffle when loading (shuffle=True), or use a sampler that mixes the classes.",
                severity="info" if profile.dataset.by_class else None,
                confidence=0.999,
                split=split.name,
                evidence={
                    "batch_size": size,
                    "single_label_batches": single,
                    "full_batches": full,
                    "single_label_batch_share": digits(share, 3),
                    "share_if_shuffled": digits(shuffled, 3),
                },
                count=round(share * sum(k * n for k, n in sizes.items())),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Gather rows of one label in blocks of 64: of 40 % of the training table, of all of it at full strength."""
        import pandas as pd

        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split]
        if table[clean.label].nunique() < 2:
            return None
        part = round(len(table) * (0.4 + 0.6 * strength))
        head, rest = table.iloc[:part], [table.iloc[part:]]
        blocks = []
        for _, rows in head.groupby(clean.label):
            full = len(rows) // 64 * 64
            blocks += [rows.iloc[k : k + 64] for k in range(0, full, 64)]
            rest.append(rows.iloc[full:])
        if not blocks:
            return None
        mixed = pd.concat(rest)
        order, others = rng.permutation(len(blocks)), rng.permutation(len(mixed))
        faulty = pd.concat([*(blocks[k] for k in order), mixed.iloc[others]], ignore_index=True)
        return Planted(Clean(clean.name, {**clean.tables, split: faulty}, clean.label), split=split)


def _chance(single: int, full: int, shuffled: float) -> float:
    """Upper bound on the chance of so many such batches after a shuffle (Chernoff's for the binomial)."""
    share = single / full
    if share <= shuffled:
        return 1.0
    if shuffled <= 0:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - shuffled)) if share < 1 else 0.0
    return math.exp(-full * (share * math.log(share / shuffled) + rest))


def _share(value: float) -> str:
    return "none" if value < 5e-4 else f"{value:.1%}"
