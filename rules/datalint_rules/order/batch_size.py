"""ORD106 batch-size."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    AllWell,
    Clean,
    Field,
    Found,
    Planted,
    Problems,
    Profile,
    Rule,
    RuleParams,
    Severity,
    Skip,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

USUAL = 32
"""The batch size that is supposed if nobody names one."""


class BatchSize(Rule):
    """A batch size that does not fit the training split: no full batch, a handful of steps per epoch, or a last batch of one.

    A set that fills no batch of the size that was named (``--batch-size``) is a warning, and so is a last batch of one
    sample. At the supposed size of 32 a set must not fill half a batch; a last batch of one, which then comes up in one set
    of 32 by chance, is info there. Few steps are always info.

    ## Why it hurts

    Batch normalisation has no variance over one sample: PyTorch stops with "Expected more than 1 value per channel".
    With a handful of steps the gradients are nearly those of the whole set, the learning rate schedule moves in jumps,
    and loaders that drop the last batch drop much, or all, of the data.

    ## How to fix it

    Choose a batch size that leaves no single sample, or drop the last batch (``drop_last=True``) when there are many; with
    few samples take a smaller batch.

    ## When it is wrong

    Where another batch size is used: name it with ``--batch-size``. Models without batch normalisation take a last batch of one.

    ## Reference

    37 reasons, item 11. No peer knows of batches.
    """

    code = "ORD106"
    name = "batch-size"
    severity: ClassVar[Severity] = "warning"
    item = "11"
    of_whole = True
    follows = ("LBL103",)
    public = frozenset({"samples", "batch_size", "full_batches", "last_batch"})
    measures = (Problems,)

    class Params(RuleParams):
        """Cuts."""

        steps: int = Field(5, ge=1, description="Full batches per epoch below which it is info.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the training split."""
        split = next((split for split in profile.splits if split.samples), None)
        if split is None:
            raise Skip("there are no samples")
        n, size = split.samples, profile.settings.batch_size
        if size < 2:
            raise Skip("batches of one sample are not batches", applies=False)
        full, last = divmod(n, size)
        where = "the split has" if len(profile.splits) > 1 else "the set has"
        evidence = {"samples": n, "batch_size": size, "full_batches": full, "last_batch": last}
        if full == 0:
            yield Found(
                message=f"{where} {n:,} sample{'s' * (n > 1)}: not one full batch of {size:,}",
                consequence="Each epoch is a single step on everything, or none at all where incomplete batches are dropped.",
                remedy=f"Train with a batch of {max(2, n // 8):,} or fewer (pass it as --batch-size), or collect more samples.",
                severity="info" if size == USUAL and 2 * n > size else "warning",
                confidence=0.99,
                split=split.name,
                subject="none",
                evidence={**evidence},
                count=n,
            )
            return
        if last == 1:
            better = next((other for other in range(size - 1, 1, -1) if n % other != 1), size - 1)
            yield Found(
                message=f"{where} {n:,} samples: in batches of {size:,} the last one holds a single sample",
                consequence="Batch normalisation stops on a batch of one sample, or divides by a variance of zero.",
                remedy=f"Drop the last batch, or take another size: {better:,} leaves {n % better or better:,}.",
                severity="info" if size == USUAL else "warning",
                confidence=0.99,
                split=split.name,
                subject="last",
                evidence={**evidence},
                count=1,
            )
        if full < self.params.steps:
            yield Found(
                message=f"{where} {n:,} samples: only {full + (last > 0):,} steps per epoch in batches of {size:,}",
                consequence="Gradients are nearly those of the whole set, and schedules that count epochs move in jumps.",
                remedy=f"Take a smaller batch, such as {max(2, 2 ** ((n // 10).bit_length() - 1)):,}.",
                severity="info",
                confidence=0.99,
                split=split.name,
                subject="steps",
                evidence={**evidence},
                count=n,
            )
        elif last != 1:
            raise AllWell(f"{full:,} full batches of {size:,}, and {last:,} samples in the last one")

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Keep half as many samples of the training table as fill a batch; 6 at full strength."""
        if not clean.tables or clean.label is None:
            return None
        split = training(clean)
        table = clean.tables[split]
        left = USUAL // 2 - round((USUAL // 2 - 6) * strength)
        if len(table) <= left:
            return None
        kept = table.iloc[sorted(rng.choice(len(table), left, replace=False))].reset_index(drop=True)
        return Planted(Clean(clean.name, {**clean.tables, split: kept}, clean.label), split=split)
