"""ANN109 object-imbalance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    UNDECLARED,
    Clean,
    Field,
    Found,
    Objects,
    Planted,
    Profile,
    RuleParams,
    Severity,
    SplitProfile,
    are,
    counted,
    quoted,
)
from datalint_rules.annotations._objects import HALF, ObjectRule, documents_of, planted

if TYPE_CHECKING:
    from collections.abc import Iterator


class ObjectImbalance(ObjectRule):
    """Classes of objects that train never shows and other splits do, and classes of very different size.

    ## Why it hurts

    A detector cannot find what it was never shown, and every such object counts as missed. A class of a hundredth of the
    objects of another is hardly learnt next to it.

    ## How to fix it

    Split again so that each class is in train. Collect more of the rare classes, or draw their pictures more often.

    ## When it is wrong

    Where finding classes that were never shown is the task. Classes of very different size are usual in detection, which is
    why they are only told.

    ## Reference

    37 reasons, item 8.
    """

    code = "ANN109"
    name = "object-imbalance"
    severity: ClassVar[Severity] = "warning"
    item = "8"
    follows = ("SPL105",)
    public = frozenset({"classes", "objects", "of", "ratio"})

    class Params(RuleParams):
        """Cut."""

        ratio: float = Field(
            100.0, gt=1, description="Objects of the largest class for each of the smallest from which it is told."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge what train lacks, then the classes of train."""
        counts = {split.name: _counts(split) for split in profile.splits}
        train = counts.get("train")
        if train is None and len(counts) == 1:
            train = next(iter(counts.values()))
        if not train:
            return
        for name, own in counts.items():
            lacking = sorted(own.keys() - train.keys(), key=lambda kind: -own[kind])
            if name == "train" or not lacking or not own:
                continue
            objects, total = sum(own[kind] for kind in lacking), sum(own.values())
            yield Found(
                message=f"{counted(objects, 'object')} of {total:,} {are(objects)} of {counted(len(lacking), 'class')} "
                f"that train never shows: {quoted(lacking)}",
                consequence="A detector cannot find them, and each counts as missed.",
                remedy="Split again, so that each class is in train.",
                severity="error" if objects >= HALF * total else "warning",
                split=name,
                subject="lacking",
                evidence={"classes": len(lacking), "objects": objects, "of": total},
                count=len(lacking),
            )
        most, least = max(train, key=lambda kind: train[kind]), min(train, key=lambda kind: train[kind])
        ratio = train[most] / train[least]
        if ratio >= self.params.ratio:
            yield Found(
                message=f"the largest class has {ratio:,.0f} times the objects of the smallest: {most!r} "
                f"{train[most]:,}, {least!r} {train[least]:,}",
                consequence="The smallest classes are hardly learnt next to the largest.",
                remedy="Collect more of the rare classes, or draw their pictures more often.",
                severity="info",
                split="train" if "train" in counts else None,
                subject="ratio",
                evidence={"ratio": round(ratio, 1), "classes": len(train)},
                count=1,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Take all objects of some classes out of train: of one class, up to half of them at full strength."""
        documents = documents_of(clean)
        if "train" not in documents or len(documents) < 2:
            return None
        other = next(split for split in documents if split != "train")
        kinds = sorted({item["category_id"] for item in documents[other]["annotations"]})
        if len(kinds) < 4:
            return None
        gone = set(rng.choice(kinds, max(1, round(0.4 * strength * len(kinds))), replace=False).tolist())
        kept = [item for item in documents["train"]["annotations"] if item["category_id"] not in gone]
        documents["train"]["annotations"] = kept
        return planted(clean, documents, {}, split=other)


def _counts(split: SplitProfile) -> dict[str, int]:
    """Objects of each declared class."""
    objects = split[Objects]
    good = objects.codes[(objects.flags & UNDECLARED) == 0]
    counts = np.bincount(good, minlength=len(objects.classes))
    return {name: int(count) for name, count in zip(objects.classes, counts, strict=True) if count}
