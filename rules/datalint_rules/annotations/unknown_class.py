"""ANN105 unknown-class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from datalint.author import UNDECLARED, Clean, Found, Objects, Planted, Profile, Severity, SplitProfile, counted
from datalint_rules.annotations._objects import ObjectRule, cases_of, named, spoil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHOWN = 5


class UnknownClass(ObjectRule):
    """Objects of classes that are not declared, classes that never occur, and one name for two classes.

    ## Why it hurts

    A class beyond the list ends training with an index error, or the object or its whole picture is dropped. Numbers that are
    shifted by one give every object the name of another class.

    ## How to fix it

    Add the missing classes to the list, or correct the listed objects. Where all numbers are one too high, count from 0.

    ## When it is wrong

    Classes that never occur are no fault where the list is that of a larger collection; that is why they are only told.

    ## Reference

    37 reasons, item 4.
    """

    code = "ANN105"
    name = "unknown-class"
    severity: ClassVar[Severity] = "error"
    item = "4"
    public = frozenset({"objects", "of", "classes", "declared", "unused"})

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split, and the list of classes."""
        assert profile.dataset.annotations is not None
        declared = profile.dataset.annotations.classes
        seen: set[str] = set()
        for split in profile.splits:
            objects = split[Objects]
            seen |= _known(split)
            hit = np.flatnonzero((objects.flags & UNDECLARED) > 0)
            if len(hit) == 0:
                continue
            counts = Counter(objects.classes[code] for code in objects.codes[hit])
            why, remedy = _reason(set(counts), declared, {name for part in profile.splits for name in _known(part)})
            names = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(SHOWN))
            more = ", ..." if len(counts) > SHOWN else ""
            yield Found(
                message=f"{len(hit):,} of {counted(len(objects.picture), 'object')} have a class that is not declared: {names}{more}{why}",
                consequence="Training ends with an index error there, or goes on without these objects or their pictures.",
                remedy=remedy,
                split=split.name,
                evidence={
                    "objects": len(hit),
                    "of": len(objects.picture),
                    "classes": len(counts),
                    "declared": len(declared),
                },
                cases=cases_of(split, hit, np.zeros(len(hit)), [named(profile, split, k) for k in hit]),
            )
        for text in profile.dataset.annotations.contradictions:
            yield Found(
                message=f"two lists of classes disagree: {text}",
                consequence="Trainers refuse such a set, or objects get the names of other classes.",
                remedy="Keep one list, the one by which the objects were numbered.",
                subject=text,
                evidence={"declared": len(declared)},
                count=1,
            )
        twice = sorted(name for name, count in Counter(declared).items() if count > 1)
        if twice:
            yield Found(
                message=f"{counted(len(twice), 'name')} declared for more than one class: {_some(twice)}",
                consequence="Objects of one kind are counted as two, and the model is told that they differ.",
                remedy="Join the classes, or give each its own name.",
                severity="warning",
                subject="twice",
                evidence={"classes": len(twice), "declared": len(declared)},
                count=len(twice),
            )
        unused = [name for name in dict.fromkeys(declared) if name not in seen]
        if unused and seen:
            yield Found(
                message=f"{len(unused):,} of {counted(len(declared), 'declared class')} never occur: {_some(unused)}",
                consequence="The model has outputs for them that it never learns.",
                remedy="Leave them out of the list, or check that their objects were not lost.",
                severity="info",
                subject="unused",
                evidence={"unused": len(unused), "declared": len(declared)},
                count=len(unused),
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give objects a number beyond the list of classes: one, up to 5 % at full strength."""

        def change(item: dict[str, Any], _: dict[str, Any]) -> bool:
            item["category_id"] = 1000 + int(rng.integers(2))
            return True

        return spoil(clean, strength, rng, 0.05, change)


def _known(split: SplitProfile) -> set[str]:
    """The declared classes that occur in a split."""
    objects = split[Objects]
    return {objects.classes[code] for code in np.unique(objects.codes[(objects.flags & UNDECLARED) == 0])}


def _reason(unknown: set[str], declared: Sequence[str], used: set[str]) -> tuple[str, str]:
    """Why classes are not declared, where that can be told, and what to do."""
    if len(declared) > 1 and unknown == {"0"} and declared[-1] not in used:
        why = f", and {declared[-1]!r}, the last that is declared, never occurs: as if counted from 0 where the list begins at 1"
        return (
            why,
            "Add 1 to the class of every object, or number the list from 0; then look at some objects with their names.",
        )
    if len(declared) > 1 and unknown == {str(len(declared))} and declared[0] not in used:
        why = f", and {declared[0]!r}, the first that is declared, never occurs: as if counted from 1 where the list begins at 0"
        return why, "Take 1 from the class of every object; then look at some objects with their names."
    if unknown <= set(declared):
        return ", the name where its number belongs", "Write the number of the class in place of its name."
    return "", "Declare the classes, or correct the listed objects."


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:SHOWN])) + (", ..." if len(names) > SHOWN else "")
