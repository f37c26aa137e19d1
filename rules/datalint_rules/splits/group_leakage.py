"""SPL107 group-leakage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.rule import Cases, Field, Found, Rule, RuleParams, Severity, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from datalint.dataset import Dataset
    from datalint.learn.groups import Key
    from datalint.measures.base import Measurement
    from datalint.planting import Clean, Planted
    from datalint.profile import Profile
    from datalint.splits import SplitProfile


class GroupLeakage(Rule):
    """
    Samples of one source (a patient, user, speaker, video) in two splits.

    Keys are columns that are named like one (``patient_id``, ``user``, ``videoId``), and file names without their last
    number (``patient12_slice3.png``). A key has many values with several samples each: a category such as sex, region or
    the label is none, and neither is a name that is unique to its sample.

    ## Why it hurts

    The model recognises the patient rather than the disease. The test score says how well it does on patients it knows,
    which is often far better than on new ones.

    ## How to fix it

    Split by the key: ``GroupShuffleSplit`` or ``StratifiedGroupKFold`` with the column as groups.

    ## When it is wrong

    Where the task is about known sources: recommending to known users, forecasting known shops, recognising known
    speakers. Or where each split numbers its sources anew, so that equal keys are different sources.

    ## Reference

    37 reasons, item 15. Kapoor and Narayanan, "Leakage and the reproducibility crisis", 2023 (L3.2). Peers need the key
    to be declared or take any repeated identifier; here the name must speak of a source and each must have several rows.
    """

    code = "SPL107"
    name = "group-leakage"
    severity: ClassVar[Severity] = "warning"
    item = "15"

    class Params(RuleParams):
        """Cuts."""

        much: float = Field(
            0.05,
            ge=0,
            le=1,
            description="Share of a split that belongs to sources of another, from which it is an error.",
        )

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The coordinated sample."""
        from datalint.measures.sample import Sample

        return (Sample,)

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return profile.sample_coverage

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each key."""
        from datalint.learn.groups import FILE_NAMES, group_keys

        splits = [split for split in profile.splits if len(split.rows)]
        if len(splits) < 2:
            raise Skip("there is only one split")
        keys = [
            key
            for key in group_keys(profile.dataset, splits)
            if key.named or key.name == FILE_NAMES or self._is_key(profile, key.name)
        ]
        if not keys:
            raise Skip("no column or file name says which source a sample comes from")
        for key in keys:
            found = self._judge(profile, splits, key)
            if found is not None:
                yield found

    @staticmethod
    def _is_key(profile: Profile, name: str) -> bool:
        column = profile.dataset.column(name)
        return column is not None and column.role == "group"

    def _judge(self, profile: Profile, splits: list[SplitProfile], key: Key) -> Found | None:
        import numpy as np

        from datalint.learn.groups import FILE_NAMES
        from datalint.measures.places import Places
        from datalint.stats import digits

        sizes = [len(split.rows) for split in splits]
        which = np.repeat(np.arange(len(splits)), sizes)
        known = key.codes >= 0
        counts = np.zeros((len(splits), len(key.values)), np.int64)
        np.add.at(counts, (which[known], key.codes[known]), 1)
        shared = (counts > 0).sum(axis=0) > 1
        if not shared.any():
            return None
        leaking = known & shared[key.codes]
        # The split that is judged: of those after the first (the training split) the one with most of its samples shared.
        shares = [float(leaking[which == k].mean()) for k in range(1, len(splits))]
        worst = 1 + int(np.argmax(shares))
        share = shares[worst - 1]
        totals = counts.sum(axis=0)
        parts = np.array(sizes) / sum(sizes)
        by_rows = float((1 - (parts[:, None] ** totals[None, :]).sum(axis=0)).sum())
        order = np.argsort(-(counts * shared).min(axis=0) - totals * shared, kind="stable")[: int(shared.sum())]
        examples = [key.values[k] for k in order[:5]]
        rows = np.flatnonzero(leaking & (which == worst))
        places = Places.none()
        for split in splits:
            places = places.then(split.rows.places)
        # Shops and devices may as well be categories, and unknown names anything.
        severe = key.named and share >= self.params.much
        complete = all(split.rows.complete for split in splits)
        where = "by the names of the files" if key.name == FILE_NAMES else f"by {key.name!r}"
        return Found(
            message=(
                f"{where} {int(shared.sum()):,} of {len(key.values):,} sources lie in more than one split "
                f"(a split by source: 0, a split by rows: about {by_rows:,.0f}), such as {', '.join(examples[:3])}; "
                f"{share:.1%} of {splits[worst].name} belongs to sources of another split"
            ),
            consequence="The model can recognise the source instead of the label, so the score does not hold for new sources.",
            remedy=(
                "Split by source: GroupShuffleSplit or StratifiedGroupKFold with "
                + ("the names without their last number" if key.name == FILE_NAMES else f"{key.name!r}")
                + " as groups."
            ),
            severity="error" if severe else None if key.named else "info",
            confidence=0.95 if key.named else 0.7,
            column=None if key.name == FILE_NAMES else key.name,
            subject=key.name,
            evidence={
                "key": key.name,
                "sources": len(key.values),
                "shared_sources": int(shared.sum()),
                "expected_of_split_by_source": 0,
                "expected_of_split_by_rows": digits(by_rows, 3),
                "share": digits(share, 3),
                "split": splits[worst].name,
                "examples": list(examples),
            },
            cases=Cases(
                splits[worst].name,
                places.take(rows),
                {"source": [key.values[int(key.codes[row])] for row in rows]},
            ),
            exact=complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move samples of training sources into the test split: those of one source, a third of it at full strength."""
        import numpy as np
        import pandas as pd

        from datalint.learn.groups import names_a_source
        from datalint.planting import Clean, Planted

        if not {"train", "test"} <= set(clean.tables):
            return None
        train, test = clean.tables["train"], clean.tables["test"]
        keys = [c for c in train.columns if c != clean.label and names_a_source(str(c)) and train[c].duplicated().any()]
        if not keys:
            return None
        key = keys[0]
        visits = train[key].value_counts()
        sources = visits[visits >= 4].index.to_numpy()
        count = max(1, round(strength * len(test) / 8))
        moved = rng.choice(sources, min(count, len(sources) // 2), replace=False)
        rows = train.index[train[key].isin(moved)]
        rows = rows[np.arange(len(rows)) % 2 == 0]
        faulty = pd.concat([test, train.loc[rows]], ignore_index=True)
        rest = train.drop(index=rows).reset_index(drop=True)
        stay = set(rest[key]) & set(train.loc[rows, key])
        leaking = frozenset(int(r) for r in np.flatnonzero(faulty[key].isin(stay)))
        data = Clean(clean.name, {**clean.tables, "train": rest, "test": faulty}, clean.label)
        return Planted(data, column=str(key), rows={"test": leaking})
