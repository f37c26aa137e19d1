"""SPL102 near-duplicate-overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import Cases, Clean, Field, Found, Planted, Profile, Severity, Skip, digits
from datalint_rules._shared.near_copies import copies_in_table, detailed, replace_files
from datalint_rules._shared.near_rule import NearParams, NearRule
from datalint_rules.splits._windows import shared_parts, window_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from datalint.author import SplitProfile
    from datalint_rules.splits._windows import Shared


class NearDuplicateOverlap(NearRule):
    """Samples of one split that are nearly the same as samples of another.

    Pictures saved, brightened, mirrored or cropped again; rows that are equal after rounding or in all but a few columns;
    texts that share most of their wording; windows of a recording that overlap by a quarter, half or three quarters.

    A pair is reported only if unrelated samples of this set would hardly come as near. Each pair of splits is
    judged, and the finding says how many near copies a random split would have torn apart. Exact copies are the business of split-overlap.

    ## Why it hurts

    A model that has memorised the training sample knows the answer to its near copy: the test score is too good, most so
    for the largest models.

    ## How to fix it

    Remove the near copies from the test split, or split again so that each group of near-identical samples lies in one
    split (``GroupShuffleSplit``).

    ## When it is wrong

    Where the task is to recognise the very same objects again, such as products seen before. Which crops of pictures are found stands with near-duplicates.

    ## Reference

    37 reasons, items 13 and 15. Barz and Denzler, "Do we train on test data?", 2020 (3 % of the test images of CIFAR-10).
    Peers take one fixed distance for all sets; here the bound follows from how similar unrelated samples of the set are.
    """

    code = "SPL102"
    name = "near-duplicate-overlap"
    severity: ClassVar[Severity] = "warning"
    item = "13, 15"
    follows = ("SPL101", "SPL107", "SPL108")
    public = frozenset({"near_identical", "share", "pairs", "expected_of_random_split"})

    class Params(NearParams):
        """Cuts."""

        much: float = Field(0.05, ge=0, le=1, description="Share of a split from which it is an error.")
        overlapping: float = Field(
            0.5, ge=0, le=1, description="Share of a split that overlaps as windows from which it is an error."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every pair of splits: the training split comes first."""
        if sum(len(split.rows) > 0 for split in profile.splits) < 2:
            raise Skip("there is only one split", applies=False)
        windows = list(self._windows(profile))
        yield from windows
        near = profile.near
        if near.reason is not None:
            if windows:
                return
            raise Skip(near.reason)
        groups = near.groups(np.arange(len(near.first)))
        for later in range(1, len(near.splits)):
            for earlier in range(later):
                found = self._judge(profile, earlier, later, groups)
                if found is not None:
                    yield found

    def _judge(self, profile: Profile, earlier: int, later: int, groups: NDArray[np.int64]) -> Found | None:
        near = profile.near
        name, other = near.splits[later], near.splits[earlier]
        a, b = near.pair_splits
        pairs = np.flatnonzero((np.minimum(a, b) == earlier) & (np.maximum(a, b) == later))
        if len(pairs) == 0:
            return None
        rows, names, words = near.listed(profile.dataset, pairs)
        mine = np.unique(np.where(near.split[near.first[pairs]] == later, near.first[pairs], near.second[pairs]))
        split = next(s for s in profile.splits if s.name == name)
        sizes = np.bincount(near.split, minlength=len(near.splits)).astype(float)
        here, there = sizes[later] / sizes.sum(), sizes[earlier] / sizes.sum()
        # Of a group of g, each sample is in this split by chance, and with it at least one of the others in that one.
        members = np.bincount(groups)
        by_chance = float((members * here * (1 - (1 - there) ** (members - 1.0))).sum())
        share = len(mine) / len(split.rows)
        serious = len(mine) >= self.params.least and share >= self.params.share
        what = {"pictures": "images", "rows": "rows", "texts": "texts"}[near.kind]
        what = "recordings" if profile.dataset.modality == "audio" else what
        place = f"{split.samples:,} {what}" if split.rows.complete else f"{len(split.rows):,} sampled {what}"
        return Found(
            message=(
                f"{len(mine):,} of {place} of {name} ({share:.1%}) are near-identical to one of {other}; "
                f"{digits(by_chance, 2):g} expected of a random split"
            ),
            consequence="The model has seen nearly the same samples in training, so the score is too good.",
            remedy=f"Drop the near-duplicates from {name}, or split again by group of near-identical samples.",
            severity="info" if not serious else "error" if share >= self.params.much else None,
            confidence=0.95,
            split=name,
            against=other,
            subject=other,
            evidence={
                "near_identical": len(mine),
                "share": digits(share, 3),
                "pairs": len(pairs),
                "expected_of_random_split": digits(by_chance, 3),
                "with": other,
            },
            cases=Cases(
                [near.splits[j] for j in near.split[rows]],
                near.places.take(rows),
                {"near": names, "comparison": words},
            ),
            count=len(mine),
            exact=split.rows.complete,
            brief=(
                f"{len(mine):,} {what} of {name} are nearly the same as one of {other} "
                f"({digits(by_chance, 2):g} expected of a random split)"
            ),
        )

    def _windows(self, profile: Profile) -> Iterator[Found]:
        """Rows that share a part, shifted, with a row of another split."""
        columns = window_columns(profile)
        splits = [split for split in profile.splits if len(split.rows)]
        for later, split in enumerate(splits if columns else []):
            for earlier in splits[:later]:
                shared = shared_parts(earlier, split, columns)
                if shared is not None:
                    yield self._shared_found(profile, earlier, split, shared)

    def _shared_found(self, profile: Profile, earlier: SplitProfile, split: SplitProfile, shared: Shared) -> Found:
        count = len(shared.rows)
        share = count / len(split.rows)
        place = f"{split.samples:,} rows" if split.rows.complete else f"{len(split.rows):,} sampled rows"
        serious = count >= self.params.least and share >= self.params.share and not shared.border
        parts, places = profile.dataset.partitions, earlier.rows.places
        return Found(
            message=(
                f"{count:,} of {place} of {split.name} ({share:.1%}) share {'up to ' * shared.several}{shared.part:.0%} of their "
                f"values, shifted, with a row of {earlier.name}: the end of one is the beginning of the other"
            ),
            consequence="They are overlapping windows of one recording: the model has seen part of what it is tested on.",
            remedy="Split by recording or by time first and cut the windows then, or leave out those that overlap.",
            severity="info" if not serious else "error" if share >= self.params.overlapping else None,
            confidence=0.95,
            split=split.name,
            against=earlier.name,
            subject=f"windows {earlier.name}",
            evidence={"near_identical": count, "share": digits(share, 3), "pairs": count, "with": earlier.name},
            cases=Cases(
                split.name,
                split.rows.places.take(shared.rows),
                {"near": [parts[int(places.part[k])].sample_id(int(places.line[k])) for k in shared.other]},
            ),
            count=count,
            exact=split.rows.complete and earlier.rows.complete,
            brief=f"{count:,} rows of {split.name} overlap as windows with one of {earlier.name}",
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put near copies of training samples into the test split: 5 % of it, a third at full strength."""
        share = 0.05 + 0.28 * strength
        if clean.files:
            if clean.modality != "images":
                return None
            paths = sorted(clean.files)
            trains = detailed(clean, [path for path in paths if path.startswith("train/")])
            others = [path for path in paths if not path.startswith("train/")]
            count = max(6, round(share * len(others)))
            if count > min(len(trains), len(others)) or any(path.count("/") < 2 for path in others):
                return None
            originals = [trains[k] for k in rng.choice(len(trains), count, replace=False)]
            replaced = [others[k] for k in rng.choice(len(others), count, replace=False)]
            return replace_files(clean, list(zip(originals, replaced, strict=True)), strength)
        if not {"train", "test"} <= set(clean.tables):
            return None
        train, test = clean.tables["train"], clean.tables["test"]
        count = max(6, round(share * len(test)))
        if count > min(len(train), len(test)) // 2:
            return None
        rows = [int(r) for r in rng.choice(len(train), count, replace=False)]
        into = [int(r) for r in rng.choice(len(test), count, replace=False)]
        faulty = copies_in_table(test, clean.label, train, rows, into, int(rng.integers(2**31)))
        if faulty is None:
            return None
        data = Clean(clean.name, {**clean.tables, "test": faulty}, clean.label)
        return Planted(data, split="test", rows={"train": frozenset(rows), "test": frozenset(into)})
