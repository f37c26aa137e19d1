"""What a column is for, judged by its name and the structure of its first values."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from datalint.core.amounts import is_amount, is_day
from datalint.core.missing import ANYWHERE
from datalint.core.vocabulary import SPLIT_COLUMNS, split_values, word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.dataset import Role

HeadKind = Literal["number", "text", "bool", "time"]
"""HeadKind of a column's values as they are shown: flags are still distinguished from texts."""

# Keys of a source that yields several samples: all of one patient's rows must stay in one split.
_SOURCES = word_set(
    "patient subject participant person user customer client member speaker singer author reviewer driver writer"
    " annotator rater worker video clip recording scene session animal mouse"
)
# These are keys as well where there are many; few hospitals or shops are a category that every split should hold.
_PLACES = word_set(
    "group household family site hospital clinic center centre lab device machine sensor station store shop donor"
    " sequence experiment batch plate slide"
)
_GROUPS = _SOURCES | _PLACES
_KEYS = word_set("id ids uid uuid guid key identifier rowid recordid sampleid")
_INDEXES = word_set("index idx rownames rowname row unnamed rowid rownumber rownum")
_TIMES = word_set("date datetime timestamp dt dteday")
_MAYBE_TIMES = word_set("time year month yearmonth period day week")
_FOLDS = frozenset({"fold", "kfold", "cv_fold", "fold_id", "cv"})
_SPLIT_FLAGS = frozenset(
    {"train", "test", "is_train", "is_test", "istrain", "istest", "in_train", "is_validation", "is_val"}
)
_LABELLED = word_set("label class target category type species")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{32,128}", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SPLITTER = re.compile(r"[^a-z0-9]+")
_NUMBERS = re.compile(r"[-+\d.eE]+(?:[ ,;]+[-+\d.eE]+){4,}")  # a list of numbers, which is no sentence
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")  # what pandas calls an index without a name
_PEEK = 64  # enough values to rule out a structure; only survivors are read whole


@dataclass(frozen=True)
class ColumnHead:
    """A column's name and its first, or evenly spread, values as read; None, NaN and "" count as missing."""

    name: str
    kind: HeadKind
    values: Sequence[object]

    @cached_property
    def facts(self) -> Facts:
        """Counts of the values."""
        return Facts.of(self.values, self.kind)


@dataclass(frozen=True)
class Facts:
    """Counts of a column's values: `total` rows, how many `missing`, and the distinct ones with their counts."""

    total: int
    missing: int
    counts: Counter[float | str]
    integral: bool

    @classmethod
    def of(cls, values: Sequence[object], kind: HeadKind) -> Facts:
        """Count values of a kind."""
        present = [value for value in values if not _absent(value)]
        counts: Counter[float | str]
        if kind != "number":
            counts = Counter(map(str, present))
            return cls(len(values), len(values) - len(present), counts, False)
        numbers = [number for value in present if (number := _number(value)) is not None]
        counts = Counter(numbers)
        whole = bool(counts) and all(float(number).is_integer() for number in counts)
        return cls(len(values), len(values) - len(numbers), counts, whole)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.total - self.missing


def words_of(name: str) -> list[str]:
    """Lower-case words of a column name: "patientID" and "patient_id" are ["patient", "id"]."""
    return [word for word in _SPLITTER.split(_CAMEL.sub("_", name).lower()) if word]


def names_source(name: str) -> bool:
    """Whether a name speaks of something that yields several samples: a patient, user, speaker, video."""
    return bool(_SOURCES & set(words_of(name)))


def roles(columns: Sequence[ColumnHead]) -> dict[str, Role]:
    """Role of each column by name.

    index: whole numbers that rise by one in each row (or by a constant step in a spread head), or a name that says so.
    id: unique strings, UUIDs, or unique values under an id's name. group: repeated keys of a source (patient, user,
    video). time: times, and numbers under a time's name that run like one. split: only words of splits, fold
    numbers, or a flag named after one (``is_train``).
    text: sentences. Everything else is a feature.
    """
    return {column.name: role_of(column, first=position == 0) for position, column in enumerate(columns)}


def role_of(column: ColumnHead, *, first: bool = False) -> Role:
    """Role of one column; `first`: it is the table's first, where saved row indexes stand."""
    words = words_of(column.name)
    if _PANDAS_INDEX.fullmatch(column.name):
        return "index"
    if column.kind == "time":
        return "time"
    if _is_split(column, words):
        return "split"
    if column.kind == "number":
        return _number_role(column, words, first)
    if column.kind == "bool":
        return "feature"
    if _TIMES & set(words) or (_MAYBE_TIMES & set(words) and _counts_time(column)):
        return "time"
    return _text_role(column, words)


def _is_split(column: ColumnHead, words: Sequence[str]) -> bool:
    name = "_".join(words)
    if name in _FOLDS and column.kind == "number":
        return column.facts.integral and len(column.facts.counts) <= 100
    if name in _SPLIT_FLAGS and len(column.facts.counts) == 2:
        return column.kind == "bool" or set(column.facts.counts) == {0.0, 1.0}
    if name not in SPLIT_COLUMNS or column.kind != "text":
        return False
    return len(column.facts.counts) <= 20 and split_values([str(value) for value in column.facts.counts]) is not None


def _number_role(column: ColumnHead, words: Sequence[str], first: bool) -> Role:
    names = set(words)
    keyed = names & (_INDEXES | _KEYS)
    if names & _MAYBE_TIMES and not keyed and _runs_like_time(column, words):
        return "time"  # the years of a series rise by one as row numbers do
    if (first or keyed) and _rises_by_one(column.values):
        return "index"
    if names & _MAYBE_TIMES and _runs_like_time(column, words):
        return "time"
    if names & _TIMES:
        return "time"
    if not names & (_KEYS | _GROUPS) and not column.name.endswith("ID"):
        # A counter without a telling name must be longer than one that a short table holds by accident.
        return "index" if len(column.values) >= 20 and _rises_by_one(column.values) else "feature"
    return _key_role(column, words)


def _text_role(column: ColumnHead, words: Sequence[str]) -> Role:
    peek = [str(value) for value in column.values[:_PEEK] if not _absent(value)]
    if not peek:
        return "feature"
    if set(words) & (_KEYS | _GROUPS) or column.name.endswith("ID"):
        return _key_role(column, words)
    if sum(_NUMBERS.fullmatch(value) is not None for value in peek) > len(peek) / 2:
        return "feature"  # pixels, runs of a mask
    if (
        len(peek) >= 10
        and sum(len(value.split()) >= 5 for value in peek) > len(peek) / 2
        and len(set(peek)) > len(peek) / 2
    ):
        return "text"
    if len(set(peek)) < len(peek):
        return "feature"
    if all(_UUID.fullmatch(value) for value in peek):
        return "id"
    if sum(is_amount(value) or is_day(value) for value in peek) > len(peek) / 2:
        return "feature"
    # Below 20 values chance alone makes a handful of names unique.
    unique = column.facts.present >= 20 and len(column.facts.counts) == column.facts.present
    return "id" if unique else "feature"


def _key_role(column: ColumnHead, words: Sequence[str]) -> Role:
    """A column named like a key: of a row when unique, of a source when it repeats."""
    facts = column.facts
    if not facts.present or (column.kind == "number" and not facts.integral):
        return "feature"
    names = set(words)
    if len(facts.counts) == facts.present and facts.present > 1:
        return "id" if not names <= {"row", "index"} else "index"
    if names & _LABELLED:
        return "feature"  # class_id, label_id: an encoding, not a source
    keyed = bool(names & _KEYS) or column.name.endswith("ID")
    if names & _SOURCES and (keyed or len(words) == 1) and len(facts.counts) >= 5:
        return "group"
    return "group" if (keyed or len(words) == 1) and len(facts.counts) > 20 else "feature"


def _rises_by_one(values: Sequence[object]) -> bool:
    """Whole numbers with a constant positive step: one in contiguous rows, more where the head is spread."""
    if len(values) < 3:
        return False
    start = [_number(value) for value in values[:2]]
    if start[0] is None or start[1] is None or not start[0].is_integer():
        return False
    step = start[1] - start[0]
    if step < 1 or not step.is_integer() or (step > 1 and len(values) < 20):
        return False
    return all(_number(value) == start[0] + step * position for position, value in enumerate(values))


def _runs_like_time(column: ColumnHead, words: Sequence[str]) -> bool:
    numbers = [n for value in column.values if (n := _number(value)) is not None]
    if not numbers:
        return False
    if "year" in words:
        return all(n.is_integer() and 1500 <= n <= 2200 for n in numbers)
    rising = all(a <= b for a, b in pairwise(numbers))
    return rising and len(set(numbers)) > 2


def _counts_time(column: ColumnHead) -> bool:
    """Whether every text is another one with digits in it, such as '1-01', 'Jan 60' and '1960M01'."""
    facts = column.facts
    return 2 < len(facts.counts) == facts.present and all(
        len(text) <= 20 and any(letter.isdigit() for letter in text) for text in map(str, column.values[:_PEEK])
    )


def _absent(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().casefold() in ANYWHERE


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str) and len(value) < 64:
        try:
            return float(value)
        except ValueError:
            return None
    try:
        return float(value)  # type: ignore[arg-type]  # NumPy scalars and decimals
    except (TypeError, ValueError):
        return None
