"""Does a table's first row hold names or data?

A naive Bayes test. Each column asks how likely the first cell is as one more value of the column below it and how
likely as a name; the logarithms of the ratios add up over the columns. Unseen values are weighed by Good and Turing's
estimate (Good 1953: the chance that the next draw is new is the share of values drawn once), so an all-text table can
be judged: a first cell that never occurs again in a column of three values is a name.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from datalint.core.missing import AMONG_NAMES
from datalint.core.vocabulary import word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = re.compile(r"[-+]?(?:[$€£])?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:[.,]\d*)?(?:[eEdD][-+]?\d+)?\s?%?")
_WORDY_NUMBER = re.compile(r"[-+]?(?:inf(?:inity)?|nan)|0x[0-9a-f]+", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d.*)?|\d{1,2}:\d{2}(?::\d{2})?.*|\d{4}-?[QM]\d{1,2}")
_INTEGER = re.compile(r"[-+]?\d+")
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COMMON = word_set(
    "id name names label labels class target text date time timestamp datetime age sex gender type category year"
    " month day country city state region price value values title description index score rating count number"
    " code latitude longitude lat lon image file filename file_name filepath path url email address phone status"
    " weight height length width size species group user_id split subject patient question answer sentence review"
    " comment message sentiment language"
)
_DIGITS = re.compile(r"\d")
_SENTENCE = 6
"""Blanks in a sentence."""
# One column cannot decide alone: values are not independent draws.
_CAP = 4.0
# So many rows tell shares well beyond what the cap lets count: exp(4) = 55.
_ROWS = 400
# In 5,840 public tables 1 in 140 had no header (log odds 4.9); half of that, since machine learning's teaching files
# are far more often without, and those under the suffixes .data, .trn ... mostly are.
_PRIOR_ODDS, _PRIOR_ODDS_RAW = 2.5, -1.0
# How often a cell of each shape is a column's name; a whole number (a year) more often than a fraction.
_AS_NAME = {"text": 0.95, "integer": 0.03, "number": 0.003, "date": 0.01, "missing": 0.01}


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or one of the usual placeholders (case ignored)."""
    return cell.strip().casefold() in AMONG_NAMES


def shape_of(cell: str) -> str:
    """One of "missing", "integer", "number", "date", "text"."""
    cell = cell.strip()
    if cell.casefold() in AMONG_NAMES:
        return "missing"
    if _INTEGER.fullmatch(cell):
        return "integer"
    if cell[-1:] in "0123456789.%,":
        if _NUMBER.fullmatch(cell) and any(ch.isdigit() for ch in cell):
            return "number"
        if _DATE.fullmatch(cell):
            return "date"
    return "number" if _WORDY_NUMBER.fullmatch(cell) else "date" if _DATE.fullmatch(cell) else "text"


def header_odds(first: Sequence[str], rest: Sequence[Sequence[str]], *, raw_suffix: bool) -> float:
    """Log odds that `first` holds the names of the columns of `rest` (rows of equal length); above 0 it does.

    `raw_suffix`: the file is called .data, .dat, .trn or the like, where tables without a header are the rule.
    """
    odds = _PRIOR_ODDS_RAW if raw_suffix else _PRIOR_ODDS
    rest = rest[:_ROWS]
    cells = [cell.strip() for cell in first]
    run = _progression(cells)
    if run:
        odds += _run_odds(run, rest)
    columns = list(zip(*rest, strict=True)) if rest else [()] * len(cells)
    for position, (cell, values) in enumerate(zip(cells, columns, strict=True)):
        if position in run:
            continue
        vote = _cell_odds(cell, values, first_column=position == 0)
        odds += max(-_CAP, min(_CAP, vote))
    names = [cell.casefold() for cell in cells if shape_of(cell) == "text"]
    repeated = len(names) - len(set(names))
    known = sum(name in _COMMON for name in set(names))
    return odds - 2.0 * min(repeated, 3) + 1.5 * min(known, 3)


def _cell_odds(cell: str, values: Sequence[str], *, first_column: bool) -> float:
    shape = shape_of(cell)
    shapes = Counter(map(shape_of, values))
    if shape == "missing":
        if not any(shapes[s] for s in shapes if s != "missing"):
            return 0.0  # a column that is empty throughout: a delimiter at the end of every line
        # pandas and R write no name above the row index, and an index has no gaps.
        as_name = 0.5 if first_column and not cell else _AS_NAME["missing"]
        return math.log(as_name / _smoothed(shapes["missing"], len(values)))
    as_value = shapes[shape] + (
        shapes["number"] if shape == "integer" else shapes["integer"] if shape == "number" else 0
    )
    odds = math.log(_AS_NAME[shape] / _smoothed(as_value, len(values)))
    if shape != "text" or as_value < len(values) / 2 or not values:
        return odds
    return odds + _text_odds(cell, [value.strip() for value in values if shape_of(value) == "text"])


def _text_odds(cell: str, values: Sequence[str]) -> float:
    """Evidence from the value itself, in a column of text."""
    counts = Counter(values)
    new = sum(count == 1 for count in counts.values())
    seen = cell in counts
    chance = _smoothed(len(values) - new if seen else new, len(values))
    odds = math.log((0.01 if seen else 0.99) / chance)
    makeup = Counter(map(_makeup, values))
    # A name of another make-up (cut, case, digits) than its values speaks for a header; a like one is no evidence.
    odds += max(0.0, math.log(0.3 / _smoothed(makeup[_makeup(cell)], len(values))))
    # A sentence above sentences, or a number of the same series, such as LJ001-0001 above LJ001-0002, is a value.
    series = _DIGITS.sub("#", cell)
    if any(ch.isdigit() for ch in cell) and sum(_DIGITS.sub("#", value) == series for value in values) > 0.9 * len(
        values
    ):
        odds -= _CAP
    if cell.count(" ") >= _SENTENCE and sorted(v.count(" ") for v in values)[len(values) // 2] >= _SENTENCE:
        odds -= _CAP
    typical = sorted(map(len, values))[len(values) // 2]
    return odds + (1.0 if typical >= 3 * len(cell) else -1.0 if len(cell) >= 3 * typical + 20 else 0.0)


def _makeup(cell: str) -> tuple[bool, ...]:
    return cell.islower(), cell.isupper(), " " in cell, any(ch.isdigit() for ch in cell), cell.isalpha()


def _smoothed(count: int, total: int) -> float:
    return (count + 0.5) / (total + 1.0)


def _progression(cells: Sequence[str]) -> range:
    """Positions of a run of names that count up (years, wavelengths, 0, 1, 2 ... of an unnamed frame), else empty."""
    start = 0
    while start < len(cells) and not _PLAIN_NUMBER.fullmatch(cells[start]):
        start += 1
    stop = start
    while stop < len(cells) and _PLAIN_NUMBER.fullmatch(cells[stop]):
        stop += 1
    run = range(start, stop)
    return run if _counts_up([cells[i] for i in run]) else range(0)


def _counts_up(cells: Sequence[str]) -> bool:
    """Equal steps upward (within 1 %, as printed decimals have it), over three cells or two years."""
    if not all(_PLAIN_NUMBER.fullmatch(cell.strip()) for cell in cells):
        return False
    numbers = [float(cell) for cell in cells]
    steps = [b - a for a, b in pairwise(numbers)]
    if not steps or min(steps) <= 0 or max(steps) > 1.01 * min(steps):
        return False
    return len(numbers) >= 3 or all(1800 <= number <= 2100 and number.is_integer() for number in numbers)


def _run_odds(run: range, rest: Sequence[Sequence[str]]) -> float:
    """Numbers that count up are names in 1 table of 50, but as data they would count up in other rows too."""
    alike = sum(_counts_up([row[i] for i in run]) for row in rest)
    chance = _smoothed(alike, len(rest))
    if len(run) >= 5 and not alike:
        chance /= 10  # five cells do not line up by accident
    return math.log(0.02 / chance)


def final_names(cells: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Unique, non-empty column names from header cells, and what had to be done about them.

    As in pandas an empty cell becomes "Unnamed: <position>" and a repeated name gets ".1", ".2" ...
    """
    problems = []
    names = [cell.strip() for cell in cells]
    if len(names) > 1 and all(len(name) > 2 and name[0] == name[-1] == "'" for name in names):
        cells = names = [name[1:-1] for name in names]
    if any(cell != name for cell, name in zip(cells, names, strict=True)):
        problems.append("spaces around header names")
    if names and not names[0]:
        problems.append("saved row index: the first header cell is empty")
    if any(not name for name in names[1:]):
        problems.append("empty header names")
    names = [name or f"Unnamed: {position}" for position, name in enumerate(names)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(repeated[:3]) + (", ..." if len(repeated) > 3 else "")
        problems.append(f"duplicate header names: {shown}")
    return _unique(names), problems


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    taken = set(names)
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        final = name
        if seen[name]:
            while (final := f"{name}.{seen[name]}") in taken:
                seen[name] += 1
            taken.add(final)
        seen[name] += 1
        out.append(final)
    return tuple(out)
