"""SPL110 split-schema."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    Storage,
    codes_of,
    digits,
    group_keys,
    more_of,
)
from datalint_rules._shared.keys import crossed
from datalint_rules._shared.series import in_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NAMED = frozenset({Storage.JSON, Storage.JSON_LINES})
"""Where a value carries the name of its column, the order of columns is none."""
LEAST_ROWS = 20
"""In fewer rows a column that is mostly empty may be empty by chance."""


class SplitSchema(Rule):
    """Columns that one split has and another lacks, of another type, empty or in another order, and new categories and keys.

    A label, or an answer, that only the test split lacks is as it should be; a benchmark that is written otherwise than the
    conversations of train is info. New categories are compared with how many a random split
    would give: rare ones turn up in test alone by chance, which is info.

    Keys count where splits share them by design: users and items that cross, or sources that go on in time.

    ## Why it hurts

    A missing column stops the model or is filled with gaps; numbers here and text there are encoded in two ways; a
    category that was never seen has no trained weight, and stops a strict encoder.

    ## How to fix it

    Write all splits with one program and one schema; make one category of the rare and unknown ones before encoding.

    ## When it is wrong

    Where new categories are the point of the test, such as new users or new places.

    ## Reference

    37 reasons, item 15. Deepchecks and TensorFlow Data Validation report every new category; the count that chance
    gives (Good 1953: the categories seen once in train estimate how many are unseen) keeps rare ones out.
    """

    code = "SPL110"
    name = "split-schema"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    modalities = frozenset({"table"})
    public = frozenset({"rows", "expected", "missing"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        chance: float = Field(1e-4, gt=0, lt=0.1, description="Chance, over all columns, at which new rows count.")
        share: float = Field(
            0.01,
            ge=0,
            le=1,
            description="Share of rows of unseen categories that is a warning, and of unseen keys info.",
        )
        unknown: float = Field(
            0.1, ge=0, le=1, description="Share of rows of unseen users, items and other keys that is a warning."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare each split with train, or the first."""
        splits = [split for split in profile.splits if split.samples]
        if len(splits) < 2:
            raise Skip("the data is not split", applies=False)
        first, *others = splits
        label = profile.dataset.label.name if profile.dataset.label else None
        for other in others:
            yield from _columns(profile.dataset, first, other)
            yield from _empty(profile, first, other)
            if profile.dataset.storage not in NAMED:
                yield from _order(first, other, label)
        yield from self._categories(profile, first, others)
        yield from self._keys(profile, splits)

    def _categories(self, profile: Profile, first: SplitProfile, others: list[SplitProfile]) -> Iterator[Found]:
        fields = [f.name for f in profile.dataset.fields if f.role == "feature" and f.kind == "text"]
        texts = first.rows.texts
        names = [name for name in fields if name in texts and _categorical(texts[name])]
        for other in others:
            new: list[tuple[bool, float, str, NDArray[np.bool_], float, list[str]]] = []
            for name in names:
                column = other.rows.texts.get(name)
                if column is None or not len(column):
                    continue
                shown = _present(column)
                both, words = codes_of(np.concatenate([column, texts[name]]))
                codes = both[: len(column)]
                counts = np.bincount(both[len(column) :] + 1, minlength=len(words) + 1)[1:]
                # Nothing in common at all is another type or another column, which is reported as such.
                unseen = (codes >= 0) & (counts[codes] == 0)
                if not unseen.any():
                    continue
                expected = float((counts == 1).sum() / counts.sum() * shown.sum())
                share = float(unseen.sum() / shown.sum())
                surprising = _tail(int(unseen.sum()), expected + 1) < self.params.chance / max(1, len(names))
                often = np.bincount(codes[unseen], minlength=len(words))
                worst = [words[k] for k in np.argsort(-often, kind="stable") if often[k]]
                new.append((surprising and share >= self.params.share, share, name, unseen, expected, worst))
            for loud in (True, False):
                mine = sorted((item for item in new if item[0] is loud), key=lambda item: (-item[1], item[2]))
                if not mine:
                    continue
                _, share, name, unseen, expected, worst = mine[0]
                rows = np.logical_or.reduce([item[3] for item in mine])
                more = f" (and {more_of(len(mine) - 1, 'column')})" if len(mine) > 1 else ""
                alike = _spelling(worst[0], set(texts[name][_present(texts[name])]))
                yield Found(
                    message=(
                        f"{unseen.sum():,} rows of {other.name} ({share:.1%}) hold categories of {name!r} that {first.name} "
                        f"never shows, such as {worst[0]!r}{alike}; about {expected:.2g} are to be expected{more}"
                    ),
                    consequence="The model has no trained weight for them, and a strict encoder stops.",
                    remedy=(
                        "Make the spelling the same in all splits."
                        if alike
                        else "Split again so that train holds all categories, or map unknown ones to one of their own."
                    ),
                    severity="warning" if loud else "info",
                    confidence=0.97 if loud else 0.9,
                    split=other.name,
                    column=name if len(mine) == 1 else None,
                    subject="categories",
                    evidence={
                        "columns": [
                            {
                                "column": item[2],
                                "rows": int(item[3].sum()),
                                "expected": digits(item[4], 3),
                                "new": [*item[5][:10]],
                            }
                            for item in mine[:20]
                        ]
                    },
                    cases=Cases(other.name, other.rows.places.take(rows)),
                    exact=other.rows.complete and first.rows.complete,
                )

    def _keys(self, profile: Profile, splits: list[SplitProfile]) -> Iterator[Found]:
        """Users, items and shops that train lacks, where the splits are meant to share them."""
        identity = {field.name for field in profile.dataset.fields if field.role in {"group", "id"}}
        keys = [key for key in group_keys(profile.dataset, splits) if key.name in identity]
        pairs, first, ends = crossed(keys), splits[0], np.cumsum([len(split.rows) for split in splits])
        for split, end in zip(splits[1:], ends[1:], strict=True):
            later = in_time(profile.dataset, [first, split], lambda _: [])
            for key in keys:
                seen = np.bincount(key.codes[: ends[0]] + 1, minlength=len(key.values) + 1)[1:]
                codes = key.codes[end - len(split.rows) : end]
                unseen = (codes >= 0) & (seen[codes] == 0)
                held = int((codes >= 0).sum())
                # What is told by source on purpose shares none, and a few by mistake are SPL107's.
                if not (later or key.name in pairs) or not unseen.any() or 2 * unseen.sum() > held:
                    continue
                expected = float((seen == 1).sum() / max(1, seen.sum()) * held)
                share = float(unseen.sum() / held)
                surprising = _tail(int(unseen.sum()), expected + 1) < self.params.chance / len(keys)
                if not surprising or share < self.params.share:
                    continue
                new = np.unique(codes[unseen])
                yield Found(
                    message=(
                        f"{int(unseen.sum()):,} rows of {split.name} ({share:.1%}) are of {len(new):,} values of "
                        f"{key.name!r} that {first.name} never has, such as {key.values[int(new[0])]!r}; about "
                        f"{expected:.2g} rows are to be expected"
                    ),
                    consequence="There is no trained vector for them: a lookup fails, or every answer for them is a guess.",
                    remedy=(
                        "Leave them out of the score or report it apart, let the model have one vector for the unknown, "
                        "and size its tables by the keys of all splits."
                    ),
                    severity="warning" if share >= self.params.unknown else "info",
                    confidence=0.95,
                    split=split.name,
                    column=key.name,
                    subject=f"keys {key.name}",
                    evidence={
                        "column": key.name,
                        "rows": int(unseen.sum()),
                        "expected": digits(expected, 3),
                        "new": [key.values[int(k)] for k in new[:10]],
                    },
                    cases=Cases(split.name, split.rows.places.take(unseen)),
                    exact=split.rows.complete and first.rows.complete,
                )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Take a numeric column out of the last split, or write it there with its unit, as text."""
        if len(clean.tables) < 2:
            return None
        split = list(clean.tables)[-1]
        table = clean.tables[split].copy()
        columns = [c for c in table.columns if c != clean.label and table[c].dtype.kind == "f"]
        if len(columns) < 2 or len(table) < 10:
            return None
        column = str(rng.choice(columns))
        if rng.random() < 0.5:
            table = table.drop(columns=column)
        else:
            table[column] = table[column].map("{:.3g} cm".format)
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=column)


def _columns(dataset: Dataset, first: SplitProfile, other: SplitProfile) -> Iterator[Found]:
    """Columns that only one of two splits has, and columns of two types."""
    here, there = dict(first.info.columns), dict(other.info.columns)
    if not here or not there:
        return  # both lie in one table, or the columns are not known
    # Only the label or the answer may be missing, and only beyond train: it is what is to be predicted.
    talk = dataset.conversation
    predicted = {column for column, part in talk.parts if part == "assistant"} if talk else set()
    predicted |= {field.name for field in dataset.fields if field.role == "label"}
    predicted |= {dataset.label.name} if dataset.label else set()
    lacking = [name for name in here if name not in there and name not in predicted]
    added = [name for name in there if name not in here]
    # Questions of a benchmark are seldom in the shape of the conversations that a model is trained on.
    benchmark = talk is not None and talk.mixed and not set(here) & set(there) & set(talk.columns)
    words = {"number": "numbers", "text": "text", "time": "times", "other": "other values"}
    if lacking or added:
        parts = [f"lacks {_named(lacking)}"] * bool(lacking) + [f"has {_named(added)}"] * bool(added)
        yield Found(
            message=f"{other.name} {' and '.join(parts)} unlike {first.name}",
            consequence="The model's inputs differ: reading by position shifts the columns, reading by name stops or fills gaps.",
            remedy="Write all splits with the same columns.",
            severity="info" if benchmark else "warning",
            confidence=0.99,
            split=other.name,
            column=(lacking + added)[0] if len(lacking + added) == 1 else None,
            subject="columns",
            evidence={"missing": [*lacking[:100]], "new": [*added[:100]]},
            count=0,
        )
    types = [
        (name, kind, there[name])
        for name, kind in here.items()
        if kind is not None and there.get(name) is not None and there[name] != kind
    ]
    if types:
        name, kind, kind_there = types[0]
        more = f" (and {more_of(len(types) - 1, 'column')})" if len(types) > 1 else ""
        yield Found(
            message=(
                f"{name!r} holds {words[str(kind)]} in {first.name} and {words[str(kind_there)]} in {other.name}{more}"
            ),
            consequence="Encoders fitted on train fail on it, or treat each value as a category never seen.",
            remedy="Write the column in the same type in all splits: look for units, placeholders and decimal commas.",
            severity="error",
            confidence=0.98,
            split=other.name,
            column=name if len(types) == 1 else None,
            subject="types",
            evidence={"columns": [{"column": n, first.name: str(a), other.name: str(b)} for n, a, b in types[:50]]},
            count=0,
        )


def _empty(profile: Profile, first: SplitProfile, other: SplitProfile) -> Iterator[Found]:
    """Columns in which the other split holds nothing at all."""
    lacking = dict(first.info.columns).keys() - dict(other.info.columns)
    features = [field.name for field in profile.dataset.fields if field.role == "feature" and field.name not in lacking]
    empty = [name for name in features if _holds(first, name) and not _holds(other, name)]
    if empty and len(other.rows) >= LEAST_ROWS:
        yield Found(
            message=f"{_named(empty)} {'is' if len(empty) == 1 else 'are'} empty in all of {other.name}".removeprefix(
                "the "
            ),
            consequence="What the model learnt from it is never there; gaps that are filled make all samples the same.",
            remedy="Look for the values where the split was written, or leave the column out of all splits.",
            severity="warning",
            confidence=0.98,
            split=other.name,
            column=empty[0] if len(empty) == 1 else None,
            subject="empty",
            evidence={"columns": [*empty[:100]]},
            count=0,
            exact=other.rows.complete,
        )


def _holds(split: SplitProfile, name: str) -> bool:
    """Whether a column of a split holds anything."""
    texts = split.rows.texts.get(name)
    return bool(_present(texts).any()) if texts is not None else not np.isnan(split.rows.column(name)).all()


def _order(first: SplitProfile, other: SplitProfile, label: str | None) -> Iterator[Found]:
    """Columns that stand in another order."""
    here, there = (
        [name for name in dict(a.info.columns) if name in dict(b.info.columns) and name != label]
        for a, b in ((first, other), (other, first))
    )
    if here != there:
        k = next(k for k, (a, b) in enumerate(zip(here, there, strict=True)) if a != b)
        moved = sum(a != b for a, b in zip(here, there, strict=True))
        yield Found(
            message=(
                f"{moved} of {len(here)} columns of {other.name} stand in another place than in {first.name}: "
                f"{there[k]!r} where {here[k]!r} is expected"
            ),
            consequence="Whatever reads by position, as arrays do, feeds the model the wrong columns; scikit-learn stops.",
            remedy=f"Select the columns of {other.name} by name, in the order of {first.name}.",
            severity="warning",
            confidence=0.99,
            split=other.name,
            subject="order",
            evidence={first.name: [*here[:100]], other.name: [*there[:100]]},
            count=0,
        )


def _named(names: list[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"the column{'s' * (len(names) > 1)} {', '.join(map(repr, names[:3]))}{more}"


def _present(column: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.asarray(column != None, np.bool_)  # noqa: E711 - element by element


def _categorical(column: NDArray[np.object_]) -> bool:
    """Whether its values come again: names and free text are new in every row."""
    values = column[_present(column)]
    return len(values) > 0 and len(set(values.tolist())) <= max(2, len(values) / 4)


def _tail(count: int, mean: float) -> float:
    """Chance that a Poisson variable reaches the count; an upper bound (Chernoff's)."""
    return 1.0 if count <= mean else math.exp(count - mean - count * math.log(count / mean))


def _spelling(value: str, known: set[str]) -> str:
    def plain(text: str) -> str:
        return "".join(ch for ch in unicodedata.normalize("NFKC", text).casefold() if ch.isalnum())

    same = sorted(name for name in known if plain(name) == plain(value)) if plain(value) else []
    return f" (its {same[0]!r} in another spelling)" if same else ""
