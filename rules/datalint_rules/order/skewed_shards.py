"""ORD105 skewed-shards."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from datalint.author import (
    AllWell,
    Clean,
    Dataset,
    Field,
    Found,
    Measurement,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    chi_square_tail,
    codes_of,
    digits,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydantic import JsonValue


class SkewedShards(Rule):
    """Shards that hold few of the labels, so that a reader that goes file by file never mixes them.

    Measures how far the labels are separated between the files: the information that the file gives of the label (of a
    number, the share of its variance) out of what it could give at most, less what a shuffle would give by chance.

    ## Why it hurts

    Sharded readers shuffle the order of the files and a buffer within them. If a file holds few labels, long stretches
    of training see only those, and workers that read different files learn different problems.

    ## How to fix it

    Shuffle all rows before writing the shards, or interleave many files with a large shuffle buffer.

    ## When it is wrong

    Where everything is loaded into memory and shuffled as a whole.

    ## Reference

    37 reasons, item 10; the uncertainty coefficient is Theil's (1970). No peer looks at shards.
    """

    code = "ORD105"
    name = "skewed-shards"
    severity: ClassVar[Severity] = "warning"
    item = "10"
    of_whole = True
    repair = "shuffle"
    modalities = frozenset({"table"})
    wants = "label"
    follows = ("ORD101",)
    public = frozenset({"separation", "files", "rows"})
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        # Two shards with four of five rows of their own class each come to 28 %.
        told: float = Field(0.2, gt=0, lt=1, description="Separation of the labels that is a warning.")
        mild: float = Field(0.05, gt=0, lt=1, description="Separation that is info.")
        chance: float = Field(1e-6, gt=0, lt=0.1, description="Chance of a shuffle that a finding must be below.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The sample, whose rows say where they lie."""
        return () if dataset.by_class else (Sample.reading("labels", "table", "header"),)

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split of several files."""
        if profile.dataset.by_class:
            raise Skip("the folders are the labels, so every file holds one", applies=False)
        judged = 0
        for split in profile.splits:
            rows = split.rows
            keys = {}
            for part in np.unique(rows.places.part):
                read = profile.dataset.partitions[int(part)].files_read
                keys[int(part)] = read[0] if len(read) == 1 else ""
            if len(set(keys.values())) < 2 or "" in keys.values():
                continue
            judged += 1
            # Row groups of one file are read together.
            files = sorted(set(keys.values()))
            number = {file: k for k, file in enumerate(files)}
            codes = np.array([number[keys[part]] for part in rows.places.part.tolist()])
            skew = _by_target(codes, rows.target) if profile.task == "regression" else _by_class(codes, rows.label)
            if skew is None or skew.chance > self.params.chance or skew.told < self.params.mild:
                continue
            yield self._found(split, files, codes, skew)
        if not judged:
            raise AllWell("every split lies in one file")

    def _found(self, split: SplitProfile, files: list[str], codes: NDArray[np.int64], skew: _Skew) -> Found:
        about = "" if split.rows.complete else "about "
        names = [PurePath(name).name for name in files]
        table: list[JsonValue] = [
            {"file": names[k], "rows": int((codes == k).sum()), "most": skew.most[k]}
            for k in range(min(len(names), 50))
        ]
        return Found(
            message=(
                f"the {len(files):,} shards of {split.name} hold different labels, such as {names[skew.worst]} "
                f"({skew.most[skew.worst]}): {about}{skew.told:.0%} of a complete separation"
            ),
            consequence="A reader that goes file by file trains long stretches on few labels.",
            remedy="Shuffle all rows before writing the shards, or interleave many files when reading.",
            severity=None if skew.told >= self.params.told else "info",
            confidence=0.98,
            split=split.name,
            evidence={"separation": digits(skew.told, 3), "files": len(files), "shards": table},
            count=split.samples,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write the training table as four shards after sorting seven tenths of it by label; all at full strength."""
        split, shards = training(clean) if clean.tables else "", 4
        if not split or clean.label is None or len(clean.tables[split]) < 200:
            return None
        counts = clean.tables[split][clean.label].value_counts()
        if counts.iloc[0] > 0.7 * counts.sum():
            return None  # most shards of so uneven a set hold one class anyway
        files: dict[str, bytes] = {}
        for name, whole in clean.tables.items():
            table = whole
            if name == split:
                held = rng.random(len(table)) < 0.7 + 0.3 * strength
                order = np.where(held, table[clean.label].rank(pct=True), rng.random(len(table)))
                table = table.iloc[np.argsort(order, kind="stable")]
            for k in range(shards):
                part = table.iloc[len(table) * k // shards : len(table) * (k + 1) // shards]
                part = part.iloc[rng.permutation(len(part))]
                files[f"{name}-{k:05d}.csv"] = part.to_csv(index=False).encode()
        return Planted(Clean(clean.name, label=clean.label, files=files), split=None if split == "all" else split)


class _Skew(NamedTuple):
    told: float
    """How far the labels are separated between the files, from 0 (as by chance) to 1."""
    chance: float
    most: list[str]
    """What each file holds most of."""
    worst: int


def _by_class(codes: NDArray[np.int64], labels: NDArray[np.object_]) -> _Skew | None:
    present = np.array([label is not None for label in labels], np.bool_)
    if not present.any():
        return None
    classes, names = codes_of(labels[present])
    shards = int(codes.max()) + 1
    if len(names) < 2 or len(names) * shards > 5_000_000:
        return None
    table = np.zeros((shards, len(names)))
    np.add.at(table, (codes[present], classes), 1)
    sizes, total = table.sum(1), table.sum()
    free = (int(np.count_nonzero(sizes)) - 1) * (len(names) - 1)
    entropy = _entropy(table.sum(0)[None])[0]
    own = _entropy(table)
    information = max(0.0, float(entropy - (own * sizes).sum() / total))
    # Less what the cells of a shuffled table explain by chance (Miller 1955); few files cannot separate all of many classes.
    most_possible = min(entropy, _entropy(sizes[None])[0])
    told = (information - free / (2 * total)) / most_possible if most_possible > 0 else 0.0
    largest = table.argmax(1)
    most = [
        f"{table[k, largest[k]] / sizes[k]:.0%} {names[largest[k]]!r}" if sizes[k] else "no rows" for k in range(shards)
    ]
    score = np.where(sizes > 0, table.max(1) / np.maximum(sizes, 1), 0)
    return _Skew(float(told), chi_square_tail(2 * total * information, free), most, int(score.argmax()))


def _entropy(table: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    found: NDArray[np.float64] = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    return found


def _by_target(codes: NDArray[np.int64], target: NDArray[np.float64]) -> _Skew | None:
    present = np.isfinite(target)
    codes, target = codes[present], target[present]
    if len(target) < 20 or len(np.unique(codes)) < 2:
        return None
    # Ranks: a few huge values say nothing of the shards.
    ranks = np.unique(target, return_inverse=True)[1].astype(np.float64)
    sizes = np.bincount(codes)
    sums = np.bincount(codes, ranks)
    means = sums / np.maximum(sizes, 1)
    whole = float(((ranks - ranks.mean()) ** 2).sum())
    if whole == 0:
        return None
    free = int(np.count_nonzero(sizes)) - 1
    told = float((sizes * (means - ranks.mean()) ** 2)[sizes > 0].sum() / whole)
    beyond = told - free / (len(ranks) - 1)
    values = [float(np.median(target[codes == k])) if sizes[k] else 0.0 for k in range(len(sizes))]
    most = [f"median {value:.3g}" for value in values]
    worst = int(np.where(sizes > 0, np.abs(means - ranks.mean()), -1).argmax())
    return _Skew(beyond, chi_square_tail((len(ranks) - 1) * told, free), most, worst)
