"""Which column is the label, and what kind of task it makes: a ladder of evidence, the first rung that answers wins.

Rungs: asked for; missing from test, or to be submitted; a name that means label; a name that usually does; a target
known from teaching data; position. A guess by position is "low", unless the columns have no names and it stands out among continuous ones.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from datalint.core import vocabulary
from datalint.core.roles import ColumnHead, Facts, HeadKind, role_of, roles, words_of
from datalint.core.vocabulary import word_set

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from datalint.core.terms import Confidence

__all__ = [
    "ColumnHead",
    "HeadKind",
    "LabelChoice",
    "LabelNotFound",
    "choose_label",
    "find_split_column",
    "roles",
    "task_of",
]

ASKED = "asked for"
"""Evidence of a label that the user named."""

Task = Literal["classification", "regression"]

_TIER_A = ("label", "labels", "target", "targets", "class", "y")
_TIER_B = word_set(
    "classe clase klasse class_label label_class target_class category outcome class_id label_id target_id ground_truth groundtruth"
    " gt response label_name class_name target_name true_label classification y_true dependent_variable dv"
)
# Targets of well-known teaching data. The strong ones are seldom anything but the target; the weak ones are as often a
# feature (the price of the product next to the purchase), so they count only in the first or last place.
_KNOWN = word_set(
    "species survived diagnosis dx churn churned exited attrition default defaulted purchase purchased fraud isfraud"
    " medv saleprice medhouseval medianhousevalue deathevent readmitted sentiment spam isspam loanstatus"
    " loanapproved approved creditrisk heartdisease stroke subscribed converted clicked iscanceled hospitaldeath"
    " variety cultivar emotion defaultpaymentnextmonth transported raintomorrow toxic hired digit"
)
_KNOWN_WEAK = word_set(
    "quality price income salary mpg charges rings grade sales cost score rating risk result status type genre"
    " deposit diabetes cancer malignant severity decision strength count cnt demand yield progression num"
    " satisfied satisfaction"
)
# What describes a sample or the design of a study: in last place such a column is more likely a feature.
_DESCRIBES = word_set(
    "sex gender race ethnicity age region country state city province county zip district address language"
    " nationality group treat treatment treated control arm dose drug block plot batch series experiment expt"
    " trial run replicate rep train holiday weekend weekday season month day hour quarter week name brand make"
    " model color colour size shape unit notes comment comments comm remarks source origin location site method"
    " version flag south north east west"
)
_SECONDS = (631_152_000, 2_051_222_400)
_MAX_CLASSES = 100  # of a label that only its position or a common name speaks for
_CROWD = 200  # columns that stand for all others in a very wide table


@dataclass(frozen=True)
class LabelChoice:
    """The label column, why (a sentence fragment that follows "because" or stands in brackets) and how sure.

    `twins`: other columns that are no features either: they write the same thing another way (``label`` and ``label_name``) or
    are targets too.
    """

    name: str
    evidence: str
    confidence: Confidence
    twins: tuple[str, ...] = ()


class LabelNotFound(LookupError):
    """The label that was asked for does not exist; the message names the columns nearest to it."""

    def __init__(self, name: str | int, near: Sequence[str], names: Sequence[str] = ()) -> None:
        self.name = name
        self.near = list(near)
        listed = ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
        hint = (
            f"; did you mean {' or '.join(repr(n) for n in self.near)}?" if self.near else f"; its columns are {listed}"
        )
        super().__init__(f"no column {name!r}{hint if self.near or names else ''}")


def choose_label(
    columns: Sequence[ColumnHead],
    *,
    header: bool,
    explicit: str | int | None = None,
    only_in_train: Collection[str] = (),
    submission: Collection[str] = (),
) -> LabelChoice | None:
    """Label column of a table, or None where nothing speaks for one.

    columns: all columns in file order, with their heads. header: whether the names come from the file. explicit: a name
    (case and outer spaces are forgiven) or a position counted from 0, negative from the end. only_in_train: columns of
    train that test lacks. submission: columns of the sample submission, its id first. Raises `LabelNotFound`.
    """
    if explicit is not None:
        return _explicit(columns, explicit)
    if not columns:
        return None
    table = _Table(columns)
    choice = table.structural(only_in_train, list(submission)[1:])
    if choice is None and header:
        choice = table.by_name()
    if choice is None and len(columns) > 1:
        choice = table.last() if header else table.first_or_last()
    return table.with_twins(choice) if choice else None


def find_split_column(
    columns: Sequence[ColumnHead], role_by_name: Mapping[str, str]
) -> tuple[str | None, dict[str, str]]:
    """The column whose values name the split of each row, with the split of each value; (None, {}) where none does."""
    for head in columns:
        if role_by_name.get(head.name) == "split" and head.kind == "text":
            values = vocabulary.split_values({str(value) for value in head.values if value is not None})
            if values:
                return head.name, values
    return None, {}


def task_of(kind: HeadKind, distinct_counts: Mapping[float | str, int] | None, n: int, integral: bool) -> Task:
    """Task that a label column makes.

    distinct_counts: rows by value, or None beyond 10,000 values. n: rows with a label. integral: all values are whole.

    Text and booleans are classes. Fractions are a quantity unless there are but two or three of them. Whole numbers are
    classes if few (up to 20, three rows each), or if they are 0..C-1 or 1..C with three rows or more in each, up to
    C = 1,000, and their counts do not trace the smooth hump of a quantity such as an age or a score.
    """
    if kind in ("text", "bool"):
        return "classification"
    if kind == "time" or distinct_counts is None or not distinct_counts:
        return "regression"
    distinct = len(distinct_counts)
    if not integral:
        return "classification" if distinct <= 3 and n >= 3 * distinct else "regression"
    few = distinct <= 2 or (distinct <= 20 and n >= 3 * distinct)
    return "classification" if few or _numbered_classes(distinct_counts) else "regression"


def _numbered_classes(distinct_counts: Mapping[float | str, int]) -> bool:
    """Whether whole numbers are the numbers of classes: without gaps, several samples each, and no hump."""
    if not _contiguous(distinct_counts) or len(distinct_counts) > 1_000:
        return False
    counts = [distinct_counts[key] for key in sorted(distinct_counts, key=float)]
    if len(counts) <= 20:
        return min(counts) >= 2
    return min(counts) >= 3 and not _humped(counts)


def _contiguous(values: Iterable[float | str]) -> bool:
    numbers = sorted(float(value) for value in values)
    return numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1


def _humped(counts: Sequence[int]) -> bool:
    """Whether counts in the order of their values rise and fall smoothly, which the order of class numbers does not.

    Under exchangeable counts the lag-1 autocorrelation has a standard deviation of 1/sqrt(C); three of them decide.
    Counts that differ no more than Poisson noise are a balanced set and no hump.
    """
    size = len(counts)
    mean = sum(counts) / size
    deviations = [count - mean for count in counts]
    square = sum(d * d for d in deviations)
    if square <= 2 * size * mean:
        return False
    lag = sum(a * b for a, b in pairwise(deviations)) / square
    peak = counts.index(max(counts))
    return lag > 3 / size**0.5 and 0.05 * size < peak


def find_column(names: Sequence[str], asked: str | int) -> str | None:
    """The column that is meant: by name (case and outer spaces are forgiven), or by position, negative from the end."""
    if isinstance(asked, str):
        if asked in names:
            return asked
        folded = {name.strip().casefold(): name for name in reversed(names)}
        if found := folded.get(asked.strip().casefold()):
            return found
    if re.fullmatch(r"-?\d{1,9}", str(asked).strip()) and -len(names) <= int(asked) < len(names):
        return names[int(asked)]
    return None


def _explicit(columns: Sequence[ColumnHead], asked: str | int) -> LabelChoice:
    names = [column.name for column in columns]
    found = find_column(names, asked)
    if found is None:
        raise LabelNotFound(asked, _near(str(asked), names), names)
    return _Table(columns).with_twins(LabelChoice(found, ASKED, "certain"))


def _near(asked: str, names: Sequence[str]) -> list[str]:
    if len(names) > 2_000:  # difflib compares slowly; a very wide table has names of one pattern
        names = sorted(names, key=lambda name: abs(len(name) - len(asked)))[:2_000]
    folded = {name.casefold(): name for name in reversed(names)}
    return [folded[match] for match in difflib.get_close_matches(asked.casefold(), list(folded), n=3, cutoff=0.5)]


def _squashed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


class _Table:
    """The columns and the rungs of the ladder; heads are read only where a rung asks for them."""

    def __init__(self, columns: Sequence[ColumnHead]) -> None:
        self.columns = columns
        self.names = [column.name.strip().casefold() for column in columns]
        self.ends = {end for start, end in (("x", "y"), ("source", "target")) if {start, end} <= {*self.names}}
        """Columns named like a target that are the other end of a point or of an edge."""

    def structural(self, only_in_train: Collection[str], submitted: Sequence[str]) -> LabelChoice | None:
        asked = [c for c in self.columns if c.name in submitted and self._may_be_target(c)]
        lacking = [c for c in self.columns if c.name in only_in_train and self._may_be_target(c)]
        both = [c for c in asked if c in lacking] or asked
        if len(both) == 1:
            return LabelChoice(both[0].name, "the column that the sample submission asks for", "high")
        if len(lacking) == 1:
            return LabelChoice(lacking[0].name, "the only column of train that test lacks", "high")
        if not lacking:
            return None
        named = _Table(lacking).by_name()
        why = f"one of {len(lacking)} columns of train that test lacks"
        if len(both) > 1 and len(both) == len(submitted):
            # Several targets of one task: none of them is an input of the others.
            best = named.name if named and named.name in submitted else both[0].name
            others = tuple(column.name for column in both if column.name != best)
            return LabelChoice(best, f"one of {len(both)} columns that the sample submission asks for", "high", others)
        if named:
            return LabelChoice(named.name, f"{why}; {named.evidence}", "high")
        return LabelChoice(lacking[-1].name, f"the last {why}", "low")

    def by_name(self) -> LabelChoice | None:
        certain = [self._at(name) for name in _TIER_A if name in self.names and name not in self.ends]
        certain = [column for column in certain if self._may_be_target(column)]
        known = self._known()
        if certain:
            best = certain[0]
            # A class in the middle of the table may be a ticket's or a car's; a known target next to it is the likelier.
            inside = best not in (self.columns[0], self.columns[-1])
            if known and best.name.strip().casefold() in ("class", "y") and inside:
                return known
            sure: Confidence = "high" if len(certain) == 1 or _one_to_one(best, certain[1]) else "medium"
            beside = f" (beside {certain[1].name!r})" if len(certain) > 1 else ""
            return LabelChoice(best.name, f"the column is named {best.name.strip()!r}{beside}", sure)
        return self._usual() or known

    def _usual(self) -> LabelChoice | None:
        found = [c for c in self.columns if "_".join(words_of(c.name)) in _TIER_B and self._plausible(c)]
        last = self.columns[-1]
        if not found and words_of(last.name)[:1] == ["is"] and len(last.facts.counts) == 2:
            found = [last]
        if not found:
            found = [
                column
                for column in self.columns
                if {"label", "target"} & {*words_of(column.name)[:1], *words_of(column.name)[-1:]}
                and column.name.strip().casefold() not in self.ends
                and self._plausible(column)
            ]
        if len(found) != 1 and not (len(found) == 2 and _one_to_one(*found)):
            return None
        return LabelChoice(found[0].name, f"{found[0].name.strip()!r} usually names the label", "medium")

    def _known(self) -> LabelChoice | None:
        strong = [c for c in self.columns if _squashed(c.name) in _KNOWN and self._plausible(c)]
        ends = (self.columns[0], self.columns[-1])
        if len(strong) > 1:  # heart disease may be a feature next to the stroke
            strong = [c for c in strong if c in ends]
        elif not strong:
            strong = [c for c in ends if _squashed(c.name) in _KNOWN_WEAK and self._plausible(c, continuous=True)]
        if len(strong) != 1:
            return None
        return LabelChoice(strong[0].name, f"{strong[0].name.strip()!r} is a common name of a target", "medium")

    def last(self) -> LabelChoice | None:
        column = self.columns[-1]
        if self._score(column) < 2 or {"answer", "start"} <= set(words_of(column.name)):
            return None  # where an answer begins in its passage is predicted with where it ends
        choice = self._by_position(column, "last")
        counts = sorted(column.facts.counts.values())
        if len(counts) == 1 + sum(a != b for a, b in pairwise(column.values)) and 3 * counts[0] >= 2 * counts[-1]:
            # Rows that were collected class by class: few tables are sorted by anything but the label, in equal parts.
            return replace(choice, evidence=f"{choice.evidence}, in runs of equal length", confidence="medium")
        # Named columns, none of which is a label's name: its place alone says little.
        return replace(choice, confidence="low")

    def first_or_last(self) -> LabelChoice | None:
        """Without a header the last column, unless the first is clearly the likelier label."""
        first, last = self.columns[0], self.columns[-1]
        if len(self.columns) > 3 and _is_moment(last):
            last = self.columns[-2]  # when a rating was given: what was rated stands before it
        scores = [self._score(column) - self._likeness(column) for column in (first, last)]
        if scores[1] == 1:  # a quantity, and the columns before it are none
            scores[1] = 2.5
        if max(scores) <= 0 and self._score(last) <= 0:
            return None
        if scores[0] >= scores[1] + 1 and self._score(first) >= 2:
            return LabelChoice(first.name, f"the first column, {_described(first.facts, first.kind)}", "low")
        return self._by_position(last, "last") if self._score(last) > 0 else None

    def with_twins(self, choice: LabelChoice) -> LabelChoice:
        """Adds the columns that, one to one, write the label in another way and say so by their names."""
        label = next(column for column in self.columns if column.name == choice.name)
        stem = set(words_of(label.name)) | {"label", "target", "class"}
        related = [c for c in self.columns if c is not label and stem & set(words_of(c.name))]
        # Features in the thousands may share a word; twins come alone.
        twins = tuple(c.name for c in related if len(related) <= 20 and _one_to_one(label, c))
        return replace(choice, twins=tuple(dict.fromkeys((*choice.twins, *twins))))

    def _by_position(self, column: ColumnHead, place: str) -> LabelChoice:
        told = _described(column.facts, column.kind)
        others = self._others(column)
        stands_out = False
        # Of two or three columns every one stands out.
        if self._score(column) >= 2 and len(others) >= 3 and not _DESCRIBES & set(words_of(column.name)):
            if column.kind in ("text", "bool"):
                stands_out = sum(other.kind == "number" for other in others) >= 0.9 * len(others) - 1
                told += " while nearly all others are numbers" if stands_out else ""
            else:
                most = len(column.facts.counts)
                wide = sum(other.kind == "number" and _distinct(other, 2 * most + 10) > 2 * most for other in others)
                stands_out = wide >= 0.8 * len(others)
                told += " while nearly all others are continuous" if stands_out else ""
        return LabelChoice(column.name, f"the {place} column, {told}", "medium" if stands_out else "low")

    def _score(self, column: ColumnHead) -> float:
        """How like a label the values alone are: 3 words, 2.5 numbered classes, 2 few numbers, 1 a quantity."""
        if not self._plausible(column, continuous=True):
            return 0
        facts, distinct = column.facts, len(column.facts.counts)
        if column.kind in ("text", "bool"):
            return 3 if distinct <= _MAX_CLASSES and distinct <= max(2, facts.present / 2) else 0
        if facts.integral and distinct <= _MAX_CLASSES and facts.present >= 2 * distinct:
            if distinct == 2 or _contiguous(facts.counts):
                return 2.5
            return 2 if distinct <= 20 else 1
        return 1

    def _likeness(self, column: ColumnHead) -> float:
        """1 where most other columns hold the same sort of values, so that this one is probably one of them."""
        others = self._others(column)
        if not others:
            return 0
        mine = self._sort(column)
        return float(sum(self._sort(other) == mine for other in others) > len(others) / 2)

    def _sort(self, column: ColumnHead) -> object:
        if column.kind in ("text", "bool"):
            counts = column.facts.counts
            return frozenset(counts) if len(counts) <= 5 else column.kind
        return "quantity" if len(column.facts.counts) > 20 else "few numbers"

    def _others(self, column: ColumnHead) -> list[ColumnHead]:
        """The other columns that inform: neither constant nor keys; evenly thinned in very wide tables."""
        others = [c for c in self.columns if c is not column]
        others = others[:: max(1, len(others) // _CROWD)]
        return [
            o for o in others if _distinct(o, 2) > 1 and role_of(o, first=o is self.columns[0]) not in ("index", "id")
        ]

    def _at(self, name: str) -> ColumnHead:
        return self.columns[self.names.index(name)]

    def _may_be_target(self, column: ColumnHead) -> bool:
        """Guards for strong evidence: there a single class is a fault to report, not a reason to doubt."""
        facts = column.facts
        if not facts.present:
            return not column.values  # nothing but a header
        unique_text = column.kind == "text" and facts.present > 2 and len(facts.counts) == facts.present
        return not unique_text and role_of(column) not in ("id", "index", "time", "split", "text")

    def _plausible(self, column: ColumnHead, *, continuous: bool = True) -> bool:
        """Guards for a guess: not constant, mostly missing, unique text, or of another role."""
        facts = column.facts
        if len(facts.counts) < 2 or facts.missing > facts.total / 2:
            return False
        if column.kind == "text" and len(facts.counts) > max(2, facts.present / 2):
            return False
        if column.kind == "number" and not continuous and len(facts.counts) > _MAX_CLASSES:
            return False
        return role_of(column, first=column is self.columns[0]) == "feature"


def _is_moment(column: ColumnHead) -> bool:
    """Whether whole numbers are seconds since 1970, of the years 1990 to 2035."""
    facts = column.facts
    if column.kind != "number" or not facts.integral or len(facts.counts) <= _MAX_CLASSES // 2:
        return False
    return min(map(float, facts.counts)) >= _SECONDS[0] and max(map(float, facts.counts)) <= _SECONDS[1]


def _described(facts: Facts, kind: HeadKind) -> str:
    distinct = len(facts.counts)
    if kind in ("text", "bool"):
        return f"{distinct} words" if kind == "text" else "true or false"
    if facts.integral and distinct <= _MAX_CLASSES:
        return f"{distinct} whole numbers"
    return "a quantity"


def _distinct(column: ColumnHead, enough: int) -> int:
    """Distinct values, counted only until there are enough."""
    seen: set[object] = set()
    for value in column.values:
        seen.add(value)
        if len(seen) >= enough:
            break
    return len(seen)


def _one_to_one(one: ColumnHead, other: ColumnHead) -> bool:
    """Whether two columns of repeating values determine each other."""
    pairs = set(zip(map(str, one.values), map(str, other.values), strict=False))
    left, right = {a for a, _ in pairs}, {b for _, b in pairs}
    return 1 < len(pairs) == len(left) == len(right) <= len(one.values) / 2
