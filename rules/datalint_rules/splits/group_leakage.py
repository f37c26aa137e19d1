"""SPL107 group-leakage."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    FILE_NAMES,
    Cases,
    Clean,
    Field,
    Found,
    Key,
    Places,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    group_keys,
    keys_by_structure,
    names_a_source,
    quoted,
)
from datalint_rules._shared.keys import crossed
from datalint_rules._shared.series import in_time

if TYPE_CHECKING:
    from collections.abc import Iterator


class GroupLeakage(Rule):
    """Samples of one source (a patient, user, speaker, video) in two splits.

    Keys are columns that are named like one (``patient_id``, ``user``, ``videoId``), and file names without their last
    number (``patient12_slice3.png``). A key has many values with several samples each: a category such as sex, region or
    the label is none, and neither is a name that is unique to its sample. A column of another name is a key, too, if its
    rows share attributes that vary freely against each other, as the rows of one patient share sex, age and height; such a
    finding is info.

    ## Why it hurts

    The model recognises the patient rather than the disease. The test score says how well it does on patients it knows,
    which is often far better than on new ones.

    ## How to fix it

    Split by the key: ``GroupShuffleSplit`` or ``StratifiedGroupKFold`` with the column as groups.

    ## When it is wrong

    Where the task is about known sources: recognising known speakers. Recommending to known users (two keys that cross, and
    hardly a pair of them twice) and forecasting known shops (the splits follow each other in a time column) are info. Or
    where each split numbers its sources from the start, so that equal keys are different sources. A category whose
    properties were joined to the table (a car model with its maker and drive) looks like a source.

    ## Reference

    37 reasons, item 15. Kapoor and Narayanan, "Leakage and the reproducibility crisis", 2023 (L3.2). Peers need the key
    to be declared or take any repeated identifier; here the name must speak of a source, or its rows share what only a source has.
    """

    code = "SPL107"
    name = "group-leakage"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    follows = ("SPL101", "SPL102", "SPL107", "SPL108")
    public = frozenset(
        {
            "key",
            "sources",
            "shared_sources",
            "expected_of_split_by_source",
            "expected_of_split_by_rows",
            "share",
            "told_by",
        }
    )
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        much: float = Field(
            0.05,
            ge=0,
            le=1,
            description="Share of a split that belongs to sources of another, from which it is an error.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each key."""
        splits = [split for split in profile.splits if len(split.rows)]
        if len(splits) < 2:
            raise Skip("there is only one split", applies=False)
        keys = [
            key
            for key in group_keys(profile.dataset, splits)
            if key.named or key.name == FILE_NAMES or self._is_key(profile, key.name)
        ]
        names = {key.name for key in keys}
        unnamed = [(key, shared) for key, shared in keys_by_structure(profile.dataset, splits) if key.name not in names]
        keys += [key for key, _ in unnamed]
        attributes = {key.name: shared for key, shared in unnamed}
        if not keys:
            raise Skip("no column or file name says which source a sample comes from")
        known_pairs = crossed(keys)
        for later in range(1, len(splits)):
            for earlier in range(later):
                known = in_time(profile.dataset, [splits[earlier], splits[later]], lambda _: [])
                for key in keys:
                    design = (
                        "items of known sources"
                        if key.name in known_pairs
                        else "what known sources do later"
                        if known
                        else ""
                    )
                    found = self._judge(splits, earlier, later, key, attributes.get(key.name, ()), design)
                    if found is not None:
                        yield found

    @staticmethod
    def _is_key(profile: Profile, name: str) -> bool:
        column = profile.dataset.column(name)
        return column is not None and column.role == "group"

    def _judge(
        self, splits: list[SplitProfile], earlier: int, later: int, key: Key, attributes: tuple[str, ...], design: str
    ) -> Found | None:
        sizes = [len(split.rows) for split in splits]
        which = np.repeat(np.arange(len(splits)), sizes)
        known = key.codes >= 0
        counts = np.zeros((len(splits), len(key.values)), np.int64)
        np.add.at(counts, (which[known], key.codes[known]), 1)
        shared = (counts[earlier] > 0) & (counts[later] > 0)
        if not shared.any():
            return None
        leaking = known & shared[key.codes] & (which == later)
        share = float(leaking.sum() / sizes[later])
        totals = counts.sum(axis=0).astype(float)
        one, two = sizes[earlier] / sum(sizes), sizes[later] / sum(sizes)
        # A source of n samples is in both unless all of them miss the one or the other.
        by_rows = float((1 - (1 - one) ** totals - (1 - two) ** totals + max(1 - one - two, 0.0) ** totals).sum())
        present = int(((counts[earlier] > 0) | (counts[later] > 0)).sum())
        both = np.minimum(counts[earlier], counts[later])
        examples = [key.values[k] for k in np.argsort(-both, kind="stable")[: int(shared.sum())][:5]]
        rows = np.flatnonzero(leaking)
        places = Places.none()
        for split in splits:
            places = places.then(split.rows.places)
        # Shops and devices may as well be categories, and unknown names anything.
        complete = all(split.rows.complete for split in splits)
        why = ""
        if attributes:
            why = f"; rows of one value share {quoted(attributes)}, as those of one source do"
        source, target = splits[earlier].name, splits[later].name
        where = "by the names of the files" if key.name == FILE_NAMES else f"by {key.name!r}"
        return Found(
            message=(
                f"{where} {int(shared.sum()):,} of {present:,} sources lie in both {source} and {target} "
                f"({by_rows:,.0f} expected of a random split, 0 of one by source), such as {', '.join(examples[:3])}; "
                f"{share:.1%} of {target} belongs to sources of {source}{why}{f'; the split may be meant to test {design}' if design else ''}"
            ),
            consequence="The model can recognise the source instead of the label, so the score does not hold for new sources.",
            remedy=(
                "Split by source: GroupShuffleSplit or StratifiedGroupKFold with "
                + ("the names without their last number" if key.name == FILE_NAMES else f"{key.name!r}")
                + " as groups."
            ),
            severity="info" if design or not key.named else "error" if share >= self.params.much else None,
            confidence=0.95 if key.named else 0.6 if attributes else 0.7,
            column=None if key.name == FILE_NAMES else key.name,
            split=target,
            against=source,
            subject=f"{key.name} {source}",
            evidence={
                "key": key.name,
                "sources": present,
                "shared_sources": int(shared.sum()),
                "expected_of_split_by_source": 0,
                "expected_of_split_by_rows": digits(by_rows, 3),
                "share": digits(share, 3),
                "with": source,
                "examples": list(examples),
                "told_by": list(attributes),
            },
            cases=Cases(
                target,
                places.take(rows),
                {"source": [key.values[int(key.codes[row])] for row in rows]},
            ),
            exact=complete,
            brief=(
                f"{int(shared.sum()):,} of {present:,} sources {where} lie in both ({by_rows:,.0f} expected of a random split)"
            ),
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move samples of training sources into the test split: those of one source, a third of it at full strength."""
        import pandas as pd

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
