"""VAL106 mixed-types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from datalint.author import (
    Clean,
    Field,
    Found,
    NumberStats,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    TextStats,
    counted,
    missing,
    more_of,
    training,
)
from datalint_rules.values._kinds import is_converted, is_symbol, kind_of_text
from datalint_rules.values._tables import Pool, need_tables, text_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

INFO: Severity = "info"

SMALLEST = 20
LEVELS = 15
"""Different numbers from which a column is a quantity rather than one of categories."""

COUNTED = 5
"""Digits of a number that may stand for a day, as spreadsheets count them; a year has four."""

SLASHES = "date, slashes"


class MixedTypes(Rule):
    """Numbers, dates and texts in one column, dates in several formats, and numbers stored as text.

    Names of genes and parts that a spreadsheet turned into dates or powers of ten ("2-Sep", "2.31E+13") are reported too.
    Dates of which some have the day first and others the month are reported where a day after the 12th gives it away, and
    dates that became numbers in part ("2021-06-30" and "44377").
    A column counts as numbers with stray texts where at least four in five of its values are numbers of many different
    sizes, as dates with strays likewise. Numbers written as text with a unit, a currency, a percent sign or separators
    of thousands are as well. Words for missing values are VAL104's. Codes that mix letters and digits are no fault.

    ## Why it hurts

    One text turns a whole column of numbers into text: it is then dropped, or encoded as thousands of categories.
    Converting by force makes the strays gaps without a word. Two date formats exchange day and month.

    ## How to fix it

    Correct or remove the strays at their source, strip units and separators, and convert the column explicitly.

    ## When it is wrong

    Codes that are numbers for the most part ("250", "V57") are categories: keep them as text.

    ## Reference

    37 reasons, item 1. Deepchecks (mixed data types), data linter (number as string, date as string). Unlike these it
    takes few-valued and alphanumeric codes for what they are.
    """

    code = "VAL106"
    name = "mixed-types"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    modalities = frozenset({"table"})
    measures = (NumberStats, TextStats, Sample)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        main: float = Field(0.8, gt=0.5, le=1, description="Share of one type from which the others are strays.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        need_tables(profile)
        pool = Pool.of(profile)
        if pool.size < SMALLEST:
            raise Skip(f"fewer than {SMALLEST} samples")
        told: list[tuple[str, str, bool]] = [(name, why, True) for name, why in _strays(profile, pool)]
        # A column of times is one by its first rows, and its later ones may be something else.
        times = sorted(field.name for field in profile.dataset.fields if field.kind == "time" and field.role != "label")
        for name in (*text_names(profile, "feature", "id", "time"), *times):
            found = self._judge(pool, name)
            if found is not None:
                told.append((name, *found))
        for sure, severity in ((True, self.severity), (False, INFO)):
            group = [(name, why) for name, why, certain in told if certain is sure]
            if group:
                yield _found(group, severity)

    def _judge(self, pool: Pool, name: str) -> tuple[str, bool] | None:
        """What is wrong with a text column, and whether that is sure."""
        cells = [cell for cell in pool.texts(name).tolist() if cell is not None]
        values: dict[str, int] = {}
        for cell in cells:
            values[cell] = values.get(cell, 0) + 1
        values = {value: count for value, count in values.items() if not missing.is_missing_word(value)}
        total = sum(values.values())
        if total < SMALLEST or len(values) < 3:
            return None
        if converted := _converted(values):
            return converted
        kinds: dict[str, dict[str, int]] = {}
        for value, count in values.items():
            kinds.setdefault(kind_of_text(value), {})[value] = count
        size = {kind: sum(found.values()) for kind, found in kinds.items()}
        plain, dressed = size.get("number", 0), size.get("dressed", 0)
        dates = {kind: count for kind, count in size.items() if kind.startswith("date")}
        words = size.get("text", 0)
        share = self.params.main
        if dates and (told := _counted_days(kinds, dates, share * total)):
            return told, True
        if plain + dressed >= share * total:
            return _numbers(kinds, plain, dressed)
        if sum(dates.values()) >= share * total:
            return _dates(kinds, dates)
        if words >= share * total and len(kinds["text"]) >= 3 and plain and words < total:
            numbers = kinds["number"]
            # Among few-valued codes and among keys digits are at home; a bare number among names is not.
            if plain <= 0.05 * total and all(value.isalpha() for value in list(kinds["text"])[:500]):
                return f"holds {plain:,} bare numbers such as {next(iter(numbers))!r} among {words:,} words", False
        return None

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write some numbers of a column with their unit: 2 % of them, a tenth at full strength."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        columns = [
            c for c in table.columns if c != clean.label and table[c].dtype.kind == "f" and table[c].nunique() >= 40
        ]
        if not columns or len(table) < 40:
            return None
        column = columns[int(rng.integers(len(columns)))]
        values = table[column].astype(object)
        present = values.index[table[column].notna()]
        rows = rng.choice(len(present), max(2, round(len(present) * (0.02 + 0.08 * strength))), replace=False)
        for row in rows:
            values.loc[present[row]] = f"{values.loc[present[row]]} mm"
        table[column] = values.map(str, na_action="ignore")
        tables = {**clean.tables, split: table}
        return Planted(Clean(clean.name, tables, clean.label), split=split, column=str(column))


def _strays(profile: Profile, pool: Pool) -> Iterator[tuple[str, str]]:
    """Texts in numeric columns that are no words for missing values."""
    for name in profile.feature_names:
        counts: dict[str, int] = {}
        many = False
        for split in pool.splits:
            tokens = split[NumberStats].tokens.get(name, {})
            many = many or tokens is None
            for text, count in (tokens or {}).items():
                # The name of the column is a header among the rows, which FIL102 reports.
                if not missing.is_missing_word(text) and text.strip() != name:
                    counts[text] = counts.get(text, 0) + count
        if many:
            yield name, "holds numbers and more than a hundred different texts"
        elif counts:
            worst = sorted(counts, key=lambda text: (-counts[text], text))
            yield name, f"holds numbers and {counted(sum(counts.values()), 'text')} such as {worst[0][:40]!r}"


def _converted(values: Mapping[str, int]) -> tuple[str, bool] | None:
    """Symbols of which a spreadsheet made dates or powers of ten (Ziemann et al. 2016)."""
    changed = {value: count for value, count in values.items() if is_converted(value)}
    symbols = sum(count for value, count in values.items() if value not in changed and is_symbol(value))
    total = sum(values.values())
    if not changed or 2 * sum(changed.values()) > total or symbols < 0.95 * (total - sum(changed.values())):
        return None
    count = sum(changed.values())
    told = f"{count:,} {'date or power of ten' if count == 1 else 'dates or powers of ten'} such as {min(changed)!r}"
    return f"holds {told} among {symbols:,} symbols: a spreadsheet converted them", len(changed) >= 2


def _numbers(kinds: Mapping[str, Mapping[str, int]], plain: int, dressed: int) -> tuple[str, bool] | None:
    numbers = kinds.get("number", {})
    strays = {
        value: count
        for kind, found in kinds.items()
        if kind not in {"number", "dressed"}
        for value, count in found.items()
    }
    if dressed and not plain and _lettered(kinds["dressed"]):
        return None
    if dressed and (plain or len(kinds["dressed"]) >= 3):
        example = min(kinds["dressed"])
        if plain:
            return f"holds {plain:,} plain numbers and {dressed:,} written like {example[:40]!r}", True
        return f"holds numbers stored as text, such as {example[:40]!r}", len(kinds["dressed"]) >= LEVELS
    if strays:
        # Few levels, or codes of letters and digits with the same length, are categories.
        codes = all(any(c.isdigit() for c in value) and any(c.isalpha() for c in value) for value in strays)
        if len(numbers) < LEVELS or (codes and len(strays) > 5):
            return None
        example = sorted(strays, key=lambda value: (-strays[value], value))[0]
        return (
            f"holds {plain:,} numbers and {counted(sum(strays.values()), 'other text')} such as {example[:40]!r}",
            True,
        )
    if any(value.startswith("0") and len(value) > 1 and value.isdigit() for value in numbers):
        return None  # codes with leading zeros
    if len(numbers) == plain and all(value.isdigit() for value in numbers):
        return None  # keys
    return f"holds numbers stored as text, such as {min(numbers)[:40]!r}", len(numbers) >= LEVELS


def _lettered(values: Mapping[str, int]) -> bool:
    """Whether digits with one capital each, such as '10A', '10B' and '30B', are codes.

    One quantity has one unit. Only K, M and B, which multiply, are mixed in a column of numbers.
    """
    letters = {value[-1] for value in values}
    return all(value[:-1].isdigit() for value in values) and len(letters) > 1 and not letters <= set("KMB")


def _counted_days(kinds: Mapping[str, Mapping[str, int]], dates: Mapping[str, int], least: float) -> str | None:
    """Dates of which many became numbers: days or seconds since some day, or digits without signs between them."""
    numbers = {value: n for value, n in kinds.get("number", {}).items() if len(value.split(".")[0]) >= COUNTED}
    days, plain = sum(dates.values()), sum(numbers.values())
    if days + plain < least or len(numbers) < SMALLEST // 2 or 20 * days < plain:
        return None  # a year is a date of less precision, and a few dates among keys say nothing
    return f"holds {days:,} dates such as {_first(kinds, dates)!r} and {plain:,} numbers such as {min(numbers)!r} in their place"


def _first(kinds: Mapping[str, Mapping[str, int]], dates: Mapping[str, int]) -> str:
    return min(kinds[max(dates, key=lambda kind: (dates[kind], kind))])


def _orders(values: Mapping[str, int]) -> str | None:
    """Dates with the day first and others with the month first, as far as days after the 12th tell."""
    orders: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for value, count in values.items():
        first, second = (int(part) for part in re.split(r"[/-]", value)[:2])
        for order, (day, month) in zip(orders, ((first, second), (second, first)), strict=True):
            if 12 < day <= 31 and 1 <= month <= 12:
                order[value] = count
    if not all(orders):
        return None
    told = sorted(((sum(o.values()), min(o), n) for o, n in zip(orders, ("day", "month"), strict=True)), reverse=True)
    listed = " and ".join(f"{count:,} with the {name} first such as {example!r}" for count, example, name in told)
    rest = sum(values.values()) - sum(count for count, _, _ in told)
    return f"holds dates in two orders: {listed}" + (f"; of {rest:,} others nobody can tell" if rest else "")


def _dates(kinds: Mapping[str, Mapping[str, int]], dates: Mapping[str, int]) -> tuple[str, bool] | None:
    if dates.get(SLASHES, 0) and (told := _orders(kinds[SLASHES])):
        return told, True
    formats = sorted(dates, key=lambda kind: (-dates[kind], kind))
    if len(formats) > 1:
        told = ", ".join(f"{dates[kind]:,} like {min(kinds[kind])!r}" for kind in formats[:3])
        return f"holds dates in {len(formats)} formats ({told})", True
    strays = {value: n for kind, found in kinds.items() if kind not in dates for value, n in found.items()}
    if not strays:
        return None
    example = sorted(strays, key=lambda value: (-strays[value], value))[0]
    return (
        f"holds {sum(dates.values()):,} dates and {counted(sum(strays.values()), 'other value')} such as {example[:40]!r}",
        True,
    )


def _found(group: list[tuple[str, str]], severity: Severity) -> Found:
    told = "; ".join(f"{name!r} {why}" for name, why in group[:3])
    more = f"; and {more_of(len(group) - 3, 'column')}" if len(group) > 3 else ""
    return Found(
        message=told + more,
        consequence="The column is taken for text as a whole, or its strays become gaps when it is converted.",
        remedy="Correct the strays at their source, strip units and separators, and convert the column explicitly.",
        severity=severity,
        confidence=0.7 if severity == INFO else 0.93,
        column=group[0][0] if len(group) == 1 else None,
        evidence={"columns": [{"column": name, "why": why} for name, why in group[:100]]},
    )
