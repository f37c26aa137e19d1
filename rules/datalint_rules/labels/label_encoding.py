"""LBL105 label-encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    LabelRuns,
    LabelSets,
    Measurement,
    Places,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    more_of,
    training,
)
from datalint_rules._shared.spelling import is_number, key_of, placeholders, told_apart_by_case, variants

if TYPE_CHECKING:
    from collections.abc import Iterator


class LabelEncoding(Rule):
    """Labels that are written in a way that trips training.

    One class spelt in several ways (case, blanks, accents, "1" and "1.0", "yes" and "y", ">50K" and ">50K."), numbers
    among words, class numbers that are not 0..C-1, fractions.

    ## Why it hurts

    Every spelling becomes a class of its own: the samples of one class are spread over several outputs that no input can
    tell apart, and where train and test spell differently every prediction counts as wrong. Losses that index classes
    fail, or silently use too many outputs, when the numbers are not 0..C-1.

    ## How to fix it

    Map the labels through one table of names to 0..C-1 (``LabelEncoder``, ``Categorical``) after trimming and folding
    them, and keep the table with the data.

    ## When it is wrong

    Where case distinguishes classes: four or more letters "a" and "A" are taken for letters, and names as frequent as each
    other that differ in an inner capital, such as the vowels "had" and "hAd", for classes. Labels that are
    numbers but not 0..C-1 are info, since many libraries map them by themselves.

    ## Reference

    37 reasons, item 19. Deepchecks compares strings without case and without anything but letters and digits, so that
    "<=50K" and ">50K" would be one class; here signs count.
    """

    code = "LBL105"
    name = "label-encoding"
    severity: ClassVar[Severity] = "warning"
    item = "19"
    wants = "classes"
    tasks = frozenset({"classification", "detection", "multi-label", "regression"})
    public = frozenset({"classes", "samples"})

    class Params(RuleParams):
        """Cuts."""

        classes: int = Field(2_000, ge=2, description="Number of class names beyond which spellings are not compared.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """Class counts, and the sample to name some."""
        if dataset.by_class:
            return (LabelRuns,)
        return (LabelRuns, Sample if dataset.annotations is None else Sample.reading("labels", "header"))

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the classes of all splits together."""
        total: dict[str, int] = {}
        for split in profile.labelled:
            for name, count in split.counts.items():
                total[name] = total.get(name, 0) + count
        if not total:
            raise Skip("the label has too many values to be classes", applies=False)
        if len(total) > self.params.classes:
            raise Skip(f"{len(total):,} classes are too many to compare their names")
        yield from _strange(profile)
        apart = set().union(*placeholders(total))
        names = [name for name in total if name not in apart]
        numbers = [name for name in names if is_number(name)]
        words = [name for name in names if not is_number(name)]
        groups = [
            group for group in variants(sorted(total)) if not told_apart_by_case({name: total[name] for name in group})
        ]
        if groups:
            yield _variants(profile, total, groups)
        elif profile.dataset.annotations is not None:
            return  # files of annotations number the classes, whatever their names
        # One word among numbers is "more" or "other".
        elif len(numbers) >= 2 and len(words) >= 2 and not any(key_of(word)[:1].isdigit() for word in words):
            yield _mixed(total, numbers, words)
        elif numbers and not words:
            found = _numbered(sorted(map(float, numbers)), _storage(profile))
            if found is not None:
                yield found

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write the label of some training samples of one class in another case: two, up to a third of the class."""
        if clean.label is None or clean.joint or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        labels = table[clean.label]
        if not labels.map(lambda value: isinstance(value, str) and value.swapcase() != value).all():
            return None
        if labels.nunique() > 3 and labels.map(len).min() < 2:
            return None
        victim = str(rng.choice(sorted(labels.unique())))
        rows = np.flatnonzero(labels == victim)
        rows = rng.choice(rows, max(min(2, len(rows)), round(strength / 3 * len(rows))), replace=False)
        other = victim.capitalize() if victim.capitalize() != victim else victim.upper()
        if other == victim:
            other = victim.lower()
        values = labels.to_numpy(dtype=object, copy=True)
        values[rows] = other
        table[clean.label] = values
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, class_=other, rows={split: frozenset(int(row) for row in rows)})


def _strange(profile: Profile) -> Iterator[Found]:
    """What stands among several labels of a sample without being one."""
    for split in profile.splits if profile.task == "multi-label" else ():
        entries = split[LabelSets].strange
        if not entries:
            continue
        ordered = sorted(entries, key=lambda entry: (-entries[entry], entry))
        shown = "; ".join(f"{entry} ({entries[entry]:,})" for entry in ordered[:3]) + ("; ..." if ordered[3:] else "")
        yield Found(
            message=f"what stands for labels is none, or none that is clear, in some samples of {split.name}: {shown}",
            consequence="A loader stops there, takes it for a label of its own, or counts a label twice.",
            remedy="Write one list of names for each sample, or 0 and 1 in each column of a label.",
            severity="info" if ordered == ["a label twice"] else None,
            split=split.name,
            subject="strange",
            evidence={"entries": [{"entry": entry, "samples": entries[entry]} for entry in ordered[:50]]},
            count=max(entries.values()),
        )


def _variants(profile: Profile, total: dict[str, int], groups: list[list[str]]) -> Found:
    ordered = [sorted(group, key=lambda name: (-total[name], name)) for group in groups]
    ordered.sort(key=lambda group: (-sum(total[name] for name in group[1:]), group[0]))
    rarer = {name for group in ordered for name in group[1:]}
    first = ordered[0]
    shown = ", ".join(f"{name!r} ({total[name]:,})" for name in first[:4])
    more = f", and {more_of(len(ordered) - 1, 'class')} likewise" if len(ordered) > 1 else ""
    # Where a split knows a class only under a spelling that train has not, its every sample counts as wrong.
    train, *others = profile.labelled
    foreign = [
        (split.name, name)
        for split in others
        for group in ordered
        for name in group
        if name in split.counts and name not in train.counts and set(group) & train.counts.keys()
    ]
    strange = [sum(split.counts[name] for where, name in foreign if where == split.name) for split in others]
    lost = sum(strange)
    broken = any(2 * count >= sum(split.counts.values()) for split, count in zip(others, strange, strict=True) if count)
    places, splits = Places.none(), []
    for split in [] if profile.dataset.by_class else profile.labelled:
        picked = np.flatnonzero(split.rows.having(rarer))
        places = places.then(split.rows.places.take(picked))
        splits += [split.name] * len(picked)
    where = f"; {lost:,} samples are spelt in a way that {train.name} does not know" if lost else ""
    inside = [split.name for split in profile.labelled if rarer & split.counts.keys()]
    return Found(
        message=f"one class is spelt in several ways: {shown}{more}{where}",
        consequence="Each spelling becomes a class of its own, which no input can distinguish from the other.",
        remedy=f"Write {first[0]!r} everywhere: trim, fold the case and map all labels through one table of names "
        "(not done by `datalint fix`: two spellings may be two classes, such as the letters a and A).",
        severity="error" if broken else None,
        whatever_label=bool(broken),
        confidence=0.95,
        split=inside[0] if len(inside) == 1 and len(profile.labelled) > 1 else None,
        class_=first[1],
        subject="variants",
        evidence={
            "classes": [[{"label": name, "samples": total[name]} for name in group] for group in ordered[:50]],
            "unknown_to_train": [{"split": split, "label": name} for split, name in foreign[:50]],
        },
        cases=None if profile.dataset.by_class else Cases(splits, places),
        count=sum(total[name] for name in rarer),
    )


def _mixed(total: dict[str, int], numbers: list[str], words: list[str]) -> Found:
    counts = [sum(total[name] for name in group) for group in (numbers, words)]
    rarer = min((counts[0], numbers), (counts[1], words))[1]
    return Found(
        message=(
            f"labels are partly numbers and partly words: {counts[0]:,} samples like {numbers[0]!r}, "
            f"{counts[1]:,} like {words[0]!r}"
        ),
        consequence="The same class may occur under a number and under a name, and sorting or comparing labels fails.",
        remedy="Replace the numbers by the names they stand for, or the names by numbers, everywhere.",
        confidence=0.85,
        class_=rarer[0],
        subject="mixed",
        evidence={"numbers": [*numbers[:50]], "words": [*words[:50]]},
        count=min(counts),
    )


def _storage(profile: Profile) -> str:
    label = profile.dataset.label
    field = None if label is None else profile.dataset.column(label.name)
    return "" if field is None else field.dtype


def _numbered(values: list[float], storage: str) -> Found | None:
    """Numbers that are not 0..C-1: worth knowing, for losses that index classes."""
    count = len(values)
    stored = storage in {"double", "float", "float64", "float32", "halffloat"}
    if count < 2 or (values == [float(k) for k in range(count)] and not stored):
        return None
    low, high = values[0], values[-1]
    whole = all(value == int(value) for value in values if abs(value) < 1e15)
    unused: list[int] = []
    if whole and stored and values[0] == 0 and values[-1] == count - 1:
        what = f"the {count} classes 0 to {count - 1} are stored as floats"
    elif not whole:
        what = f"the {count} classes are fractions, from {low:g} to {high:g}"
    elif low >= 0 and high - low < 10 * count:
        present = {int(value) for value in values}
        unused = [k for k in range(int(low), int(high)) if k not in present]
        shown = ", ".join(map(str, unused[:5])) + (", ..." if len(unused) > 5 else "")
        gaps = (
            f", where {len(unused)} {'number is' if len(unused) == 1 else 'numbers are'} never used ({shown})"
            if unused
            else ""
        )
        what = f"the {count} classes are numbered {low:g} to {high:g}{gaps}"
    else:
        what = f"the {count} classes are numbers from {low:g} to {high:g}"
    return Found(
        message=f"{what}; losses that index classes expect whole numbers from 0 to {count - 1}",
        consequence="An index out of range stops training, and unused numbers are outputs that are never trained.",
        remedy="Map the labels to 0..C-1 in the order of their values, and keep the table with the data.",
        severity="info",
        confidence=0.99,
        subject="numbers",
        evidence={"classes": count, "lowest": low, "highest": high, "unused": [*unused[:50]]},
        count=0,
    )
