"""VAL110 category-variants."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    TextStats,
    more_of,
    training,
)
from datalint_rules._shared.spelling import told_apart_by_case
from datalint_rules.values._rare import rare_codes, rare_values
from datalint_rules.values._tables import only_split, text_names, value_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


INFO: Severity = "info"

KEPT_VALUES = 5
"""Variants named per category."""

ANSWERS = (("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("1", "0"), ("1.0", "0.0"))
"""What yes and no are called; a column keeps to one of these."""


class CategoryVariants(Rule):
    """One category written in several ways: case, blanks, accents, Unicode forms and invisible characters.

    Compares the values of text columns after Unicode normalisation (NFKC), without case, accents, invisible characters
    and with blanks, hyphens and underscores between words taken as one. Blanks around a value are a variant where the same
    value also occurs without them. Yes and no in the words of several sources ("yes" and "TRUE", "no" and "FALSE") are variants, too.
    As info: blanks around all samples of a value, and a category, or a code among few
    whole numbers, with next to no samples.

    ## Why it hurts

    Every spelling becomes a category of its own: its samples do not count towards the real one, and a spelling that only
    the test split has is unknown to the encoder.

    ## How to fix it

    Normalise the texts before encoding (``str.strip().str.casefold()``, ``unicodedata.normalize``) or map the named
    variants to one.

    ## When it is wrong

    Where case means something, as in codes of one letter; if a column is full of such pairs the finding is only info.

    ## Reference

    37 reasons, item 1. Deepchecks (string mismatch), which drops all special characters and so takes "A+" and "A-" for one.
    """

    code = "VAL110"
    name = "category-variants"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    repair = "respell"
    modalities = frozenset({"table"})
    public = frozenset({"stray_rows", "padded", "rows"})
    measures = (TextStats, LabelRuns, Sample)

    class Params(RuleParams):
        """Cuts."""

        distinct: float = Field(
            0.5,
            gt=0,
            le=1,
            description="Share of distinct values among a column's, beyond which it holds no categories.",
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge all splits together."""
        splits = [split for split in profile.splits if split.samples]
        groups: list[_Group] = []
        many: list[_Group] = []
        rare = rare_codes(profile)
        blanks: list[tuple[str, int, int]] = []
        judged = 0
        for name, counts, padded in self._columns(profile, splits):
            judged += 1
            found = _variants(name, counts, padded)
            found += _answers(name, counts)
            (many if _case_means_something(found, counts) else groups).extend(found)
            always = sum(count for value, count in padded.items() if counts.get(value) == count)
            if always:
                blanks.append((name, always, sum(counts.values())))
            if not found:
                rare += [(name, value, count, sum(counts.values())) for value, count in rare_values(counts)]
        found = _label_blanks(profile, splits, blanks)
        groups += found
        if not judged and not rare and not blanks and not found:
            raise Skip("no column has few enough values to be one of categories", applies=False)
        for picked, severity in ((groups, self.severity), (many, INFO)):
            if picked:
                yield _found(splits, picked, severity)
        if blanks:
            yield _blanks_found(blanks)
        if rare:
            yield _rare_found(sorted(rare, key=lambda item: (item[2], item[0], item[1])))

    def _columns(
        self, profile: Profile, splits: list[SplitProfile]
    ) -> Iterator[tuple[str, Mapping[str, int], Mapping[str, int]]]:
        """Text columns of categories: name, rows per value, and rows per value that have blanks around it."""
        for name in text_names(profile):
            counts = value_counts(splits, name)
            # A handful of rows may well be all different; their case is compared all the same.
            if counts and len(counts) <= max(self.params.distinct * sum(counts.values()), 20):
                yield name, counts, _padded(splits, name)

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write some values of a column of categories in another way: two, a fifth at full strength."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        columns = [
            c
            for c in table.columns
            if c != clean.label
            and all(isinstance(v, str) and len(v) > 2 for v in table[c].dropna())
            and 2 <= table[c].nunique() <= 30
        ]
        if not columns:
            return None
        column = columns[int(rng.integers(len(columns)))]
        value = table[column].value_counts().index[0]
        rows = np.flatnonzero((table[column] == value).to_numpy())
        rows = rng.choice(rows, max(2, round(0.2 * strength * len(rows))), replace=False)
        changed = [
            value.upper() if value.upper() != value else value.lower(),
            f" {value}",
            f"{value[:1]}\u200b{value[1:]}",
        ]
        values = table[column].to_numpy(dtype=object, copy=True)
        values[rows] = changed[int(rng.integers(len(changed)))]
        table[column] = values
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split, column=str(column))


@dataclass(frozen=True)
class _Group:
    """One category and how it is written."""

    column: str
    values: Mapping[str, int]
    """Rows per spelling, the commonest first; one that has blanks around it is shown with one before it."""

    @property
    def strays(self) -> int:
        """Rows that are not written in the commonest way."""
        return sum(self.values.values()) - max(self.values.values())


def key_of(text: str) -> str:
    """What all variants of a category have in common."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold()
    kept = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) not in {"Cf", "Cc"})
    # Between words only: "A-" is not "A", and "-1" is not "1".
    return re.sub(r"(?<=\w)[\s_\-]+(?=[^\W\d])", " ", " ".join(kept.split())) or text


def _answers(name: str, counts: Mapping[str, int]) -> list[_Group]:
    """Yes and no in the words of several sources: "yes" and "no" next to "TRUE" and "FALSE"."""
    together: dict[str, dict[str, int]] = {}
    for value, count in counts.items():
        together.setdefault(value.strip().casefold(), {})[value] = count
    used = [pair for pair in ANSWERS if together.keys() >= {*pair}]
    if len(used) < 2 or together.keys() - {word for pair in used for word in pair}:
        return []
    groups = []
    for words in zip(*used, strict=True):
        spellings = {value: count for word in words for value, count in together[word].items()}
        groups.append(_Group(name, dict(sorted(spellings.items(), key=lambda item: (-item[1], item[0])))))
    return groups


def _variants(name: str, counts: Mapping[str, int], padded: Mapping[str, int]) -> list[_Group]:
    together: dict[str, dict[str, int]] = {}
    for value, count in counts.items():
        spaced = padded.get(value, 0)
        spellings = together.setdefault(key_of(value), {})
        if 0 < spaced < count:
            spellings[f" {value}"] = spaced
            spellings[value] = count - spaced
        else:
            spellings[value] = count
    groups = [
        _Group(name, dict(sorted(spellings.items(), key=lambda item: (-item[1], item[0]))))
        for spellings in together.values()
        if len(spellings) > 1 and not told_apart_by_case(spellings)
    ]
    return sorted(groups, key=lambda group: (-group.strays, next(iter(group.values))))


def _label_blanks(profile: Profile, splits: list[SplitProfile], blanks: list[tuple[str, int, int]]) -> list[_Group]:
    """Classes that also occur with blanks around them; those that always do are added to ``blanks``."""
    label = profile.dataset.label
    if label is None or profile.task != "classification":
        return []
    counts: dict[str, int] = {}
    padded: dict[str, int] = {}
    for split in splits:
        for total, part in ((counts, split.counts), (padded, split[TextStats].label_padded or {})):
            for value, count in part.items():
                total[value] = total.get(value, 0) + count
    always = sum(count for value, count in padded.items() if counts.get(value) == count)
    if always:
        blanks.append((label.name, always, sum(counts.values())))
    # Other spellings of a class are LBL105's, which sees the classes without blanks.
    return [
        group for value in padded if value in counts for group in _variants(label.name, {value: counts[value]}, padded)
    ]


def _case_means_something(groups: list[_Group], counts: Mapping[str, int]) -> bool:
    """Codes of one or two letters of which many come in both cases: a and A are two codes."""
    short = [group for group in groups if all(len(value.strip()) <= 2 for value in group.values)]
    return len(short) == len(groups) and len(short) >= 3 and 2 * len(short) > 0.5 * len(counts)


def _padded(splits: list[SplitProfile], name: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for split in splits:
        for value, count in (split[TextStats].padded.get(name) or {}).items():
            total[value] = total.get(value, 0) + count
    return total


def _found(splits: list[SplitProfile], groups: list[_Group], severity: Severity) -> Found:
    columns = list(dict.fromkeys(group.column for group in groups))
    told = []
    for group in groups[:3]:
        spellings = ", ".join(
            f"{_shown(value)} ({count:,})" for value, count in list(group.values.items())[:KEPT_VALUES]
        )
        told.append(f"{group.column!r} holds {spellings}")
    more = f"; and {more_of(len(groups) - 3, 'category')}" if len(groups) > 3 else ""
    invisible = any(value != "".join(filter(str.isprintable, value)) for group in groups for value in group.values)
    by_split = {}
    for split in splits:
        seen = [
            set(value_counts([split], group.column) or {}) & {value.strip() for value in group.values}
            for group in groups
        ]
        padded = [_padded([split], group.column) for group in groups]
        by_split[split.name] = sum(
            len(values) > 1 or any(value in spaced for value in values)
            for values, spaced in zip(seen, padded, strict=True)
        )
    return Found(
        message=f"{'; '.join(told)}{more}: {'perhaps ' if severity == INFO else ''}one category written in several ways",
        consequence="Each spelling becomes a category of its own.",
        remedy=(
            "Remove invisible characters and normalise case, blanks and Unicode before encoding."
            if invisible
            else "Normalise case, blanks and Unicode before encoding, or map the variants to one spelling."
        ),
        severity=severity,
        confidence=0.6 if severity == INFO else 0.93,
        split=only_split(by_split) if len(splits) > 1 else None,
        column=columns[0] if len(columns) == 1 else None,
        evidence={
            "categories": [
                {"column": group.column, "spellings": {_shown(v): n for v, n in list(group.values.items())[:20]}}
                for group in groups[:100]
            ],
            "stray_rows": sum(group.strays for group in groups),
        },
        count=sum(group.strays for group in groups),
        exact=len(columns) == 1,
    )


def _shown(text: str) -> str:
    """A spelling, with what cannot be seen written out."""
    return ascii(text) if not text.isprintable() else repr(text)


def _blanks_found(blanks: list[tuple[str, int, int]]) -> Found:
    told = ", ".join(
        f"{'all' if count == total else f'{count:,} of'} {total:,} values of {name!r}"
        for name, count, total in blanks[:3]
    )
    more = f" and values of {more_of(len(blanks) - 3, 'column')}" if len(blanks) > 3 else ""
    return Found(
        message=f"blanks stand around {told}{more}",
        consequence="Readers that keep them look for ' a' where the code says 'a', and find nothing.",
        remedy="Strip them when reading (str.strip(), or skipinitialspace=True), as datalint does.",
        severity="info",
        confidence=0.99,
        column=blanks[0][0] if len(blanks) == 1 else None,
        subject="blanks",
        evidence={"columns": [{"column": name, "padded": count} for name, count, _ in blanks[:100]]},
        count=max(count for _, count, _ in blanks),
        exact=len(blanks) == 1,
    )


def _rare_found(rare: list[tuple[str, str, int, int]]) -> Found:
    told = ", ".join(
        f"{value[:40]!r} in {count:,} of {total:,} rows of {name!r}" for name, value, count, total in rare[:3]
    )
    more = f" and {len(rare) - 3:,} more" if len(rare) > 3 else ""
    columns = list(dict.fromkeys(name for name, *_ in rare))
    return Found(
        message=f"very rare among few large categories: {told}{more}",
        consequence="Nothing can be learnt about them, and a split may lack them.",
        remedy="Check for typing errors; otherwise merge them into a category 'other'.",
        severity="info",
        confidence=0.7,
        column=columns[0] if len(columns) == 1 else None,
        subject="rare",
        evidence={"categories": [{"column": n, "value": v[:100], "rows": c} for n, v, c, _ in rare[:100]]},
        count=sum(count for _, _, count, _ in rare),
    )
