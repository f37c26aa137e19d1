"""VAL105 constant-column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

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
    SplitProfile,
    TextStats,
    counted,
    digits,
    quoted,
    training,
)
from datalint_rules.values._tables import need_tables, plain, text_names, training_split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from pydantic import JsonValue

INFO: Severity = "info"

GRID = 49
"""Columns of one scale from which a table looks like pictures or word counts: 7 x 7 pixels."""

_MEDIA = re.compile(r".+\.(jpe?g|png|bmp|tiff?|webp|gif|dcm|wav|mp3|flac|ogg|mp4)", re.IGNORECASE)


class ConstantColumn(Rule):
    """Columns that hold one value in every sample of the training split, or nearly so.

    Judges numbers, texts and times, gaps left aside. In a table of many columns of one scale, as flattened pictures or
    word counts are, columns that rest at the common lowest or highest value are only info, and so are columns of which
    all but very few values are the same.

    ## Why it hurts

    A constant says nothing. Standardising it divides by a deviation of zero, which gives NaN or infinity and then a loss
    of NaN; and where the value changes after deployment the untrained weight starts to act. A column that should vary
    and does not is often a failed join or a dead sensor.

    ## How to fix it

    Find out whether the column should vary and load it again; otherwise drop it.

    ## When it is wrong

    Border pixels and words that do not occur in a part of the data are constant by nature. A flag that is set or left
    empty is reported as info, and so are lists, and what a list of pictures or recordings says of all of them.

    ## Reference

    37 reasons, item 37. Deepchecks (is single value), ydata (constant), scikit-learn's VarianceThreshold. Unlike these
    it judges the training split alone, which is the one that a scaler is fitted on, and counts pictures' borders as info.
    """

    code = "VAL105"
    name = "constant-column"
    severity: ClassVar[Severity] = "warning"
    item = "37"
    follows: ClassVar[tuple[str, ...]] = ("VAL101:error",)
    modalities = frozenset({"table"})
    public = frozenset({"constant_columns", "missing", "same_share"})
    measures = (NumberStats, TextStats, Sample)

    class Params(RuleParams):
        """Cuts."""

        smallest: int = Field(5, ge=3, description="Fewest present values for a column to be called constant.")
        near: float = Field(
            0.995, gt=0.5, le=1, description="Share of one value from which a column is nearly constant."
        )
        gaps: float = Field(0.05, ge=0, le=1, description="Share of gaps from which a constant is a flag: info.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge the training split."""
        need_tables(profile)
        split = training_split(profile)
        if split.samples < self.params.smallest:
            raise Skip(f"fewer than {self.params.smallest} samples")
        roles = {f.name: f.role for f in profile.dataset.fields}
        held = {name: found for name, found in _constants(split).items() if roles.get(name) != "ignored"}
        held = {name: found for name, found in held.items() if name not in profile.optional_names}
        held = {name: found for name, found in held.items() if split.samples - found[1] >= self.params.smallest}
        resting = _resting(split, profile.feature_names)
        hard: list[str] = []
        mild: list[str] = []
        listed = _lists_files(profile, split)
        for name in held:
            # A list is how a sample is built, such as the letters of what may be chosen.
            flag = listed or held[name][0].startswith(("'[", "[")) or held[name][1] >= self.params.gaps * split.samples
            (mild if name in resting or flag else hard).append(name)
        for names, severity in ((hard, self.severity), (mild, INFO)):
            if names:
                yield self._found(split, names, held, severity, resting)
        near = self._nearly(profile, split, set(held)) if not resting else []
        if near:
            yield _near(split, near)

    def _found(
        self,
        split: SplitProfile,
        names: list[str],
        held: Mapping[str, tuple[str, int]],
        severity: Severity,
        resting: set[str],
    ) -> Found:
        evidence: list[JsonValue] = [{"column": n, "value": held[n][0], "missing": held[n][1]} for n in names[:200]]
        if len(names) == 1:
            gaps = f" ({held[names[0]][1]:,} are empty)" if held[names[0]][1] else ""
            message = f"the column {names[0]!r} is {held[names[0]][0]} in all {split.samples:,} samples{gaps}"
        else:
            message = (
                f"{counted(len(names), 'column')} hold one value each in all {split.samples:,} samples: {quoted(names)}"
            )
            if severity == INFO and any(name in resting for name in names):
                message += "; common among pixels and word counts"
        return Found(
            message=message,
            consequence="It carries no information, and standardising it divides by zero.",
            remedy="Drop it, or load it again if it should vary."
            if len(names) == 1
            else "Drop them, or load them again.",
            severity=severity,
            confidence=0.99,
            split=split.name,
            column=names[0] if len(names) == 1 else None,
            evidence={"constant_columns": len(names), "columns": evidence},
            count=split.samples,
        )

    def _nearly(self, profile: Profile, split: SplitProfile, held: set[str]) -> list[tuple[str, float]]:
        """Columns of which all but few values are the same, with the share of that value."""
        rows = split.rows
        if len(rows) < 5 / (1 - self.params.near + 1e-9) or len(profile.feature_names) >= GRID:
            return []
        found = []
        for name in profile.feature_names:
            if name in held or name not in rows.at:
                continue
            values = rows.column(name)
            values = values[~np.isnan(values)]
            with np.errstate(over="ignore", invalid="ignore"):
                middle = np.median(values) if len(values) else 0.0
            # The median is the commonest value where that one holds more than half.
            share = float((values == middle).mean()) if len(values) >= 0.5 * len(rows) else 0.0
            if share >= self.params.near:
                found.append((name, share))
        for name in text_names(profile):
            counts = _values(split, name)
            if name not in held and counts and sum(counts.values()) >= 0.5 * split.samples:
                share = max(counts.values()) / sum(counts.values())
                if share >= self.params.near:
                    found.append((name, share))
        return sorted(found, key=lambda item: (-item[1], item[0]))

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Fill one feature column with its first value."""
        if clean.files:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        cells = {c: table[c].dropna() for c in table.columns if c != clean.label}
        # Lists, such as the turns of a conversation, are no values of which one could be all.
        columns = [
            c for c, held in cells.items() if held.astype(str).nunique() > 1 and not isinstance(held.iloc[0], list)
        ]
        # In a grid of columns a constant is no fault.
        if not columns or len(columns) >= GRID or len(table) < 20 or _all_media(cells):
            return None
        column = columns[int(rng.integers(len(columns)))]
        table[column] = cells[column].iloc[0]
        faulty = Clean(clean.name, {**clean.tables, split: table}, clean.label)
        return Planted(faulty, split=split, column=str(column))


def _constants(split: SplitProfile) -> dict[str, tuple[str, int]]:
    """Columns of one value: that value as text, and how many samples lack it."""
    numbers, texts = split[NumberStats], split[TextStats]
    same = (numbers.count > 0) & (numbers.low == numbers.high) & (numbers.infinite == 0)
    found = {
        numbers.names[j]: (plain(float(numbers.low[j])), int(numbers.missing[j]))
        for j in np.flatnonzero(same)
        # A text among equal numbers is a second value.
        if not numbers.tokens.get(numbers.names[j], {})
    }
    for name, counts in texts.values.items():
        if counts is not None and len(counts) == 1:
            found[name] = (repr(next(iter(counts))[:40]), texts.missing(name))
    return dict(sorted(found.items()))


def _lists_files(profile: Profile, split: SplitProfile) -> bool:
    """Whether the rows are about pictures or recordings, which are what is learnt from."""
    for field in profile.dataset.fields:
        if field.role == "id" and field.name in split.rows.texts:
            names = [name for name in split.rows.texts[field.name][:100].tolist() if name is not None]
            if names and all(_MEDIA.fullmatch(str(name)) for name in names):
                return True
    return False


def _all_media(cells: dict[str, pd.Series]) -> bool:
    return any(len(held) > 0 and all(_MEDIA.fullmatch(str(cell)) for cell in held) for held in cells.values())


def _values(split: SplitProfile, name: str) -> dict[str, int] | None:
    return split[TextStats].values.get(name)


def _resting(split: SplitProfile, names: tuple[str, ...]) -> set[str]:
    """In a table of many columns of one scale: the constant ones that rest at the common lowest or highest value."""
    if len(names) < GRID:
        return set()
    numbers = split[NumberStats]
    wanted = set(names)
    picked = [j for j, name in enumerate(numbers.names) if name in wanted and numbers.count[j]]
    low, high = numbers.low[picked], numbers.high[picked]
    varied = low < high
    if varied.sum() < 2:
        return set()
    floor, top = low.min(), high.max()
    # Most columns start at the same value and none reaches far beyond the others.
    alike = (low[varied] == floor).mean() >= 0.8 and top - floor <= 20 * np.median((high - low)[varied])
    ends = {floor, top}
    return {numbers.names[j] for j in picked if numbers.low[j] == numbers.high[j] in ends} if alike else set()


def _near(split: SplitProfile, near: list[tuple[str, float]]) -> Found:
    name, share = near[0]
    if len(near) == 1:
        message = f"{share:.2%} of the values of {name!r} are the same"
    else:
        message = f"{counted(len(near), 'column')} hold nearly one value, most of all {quoted([n for n, _ in near])}"
    return Found(
        message=message,
        consequence="Standardised, the few other values lie many deviations away; a fold may lack them altogether.",
        remedy="Check that the rare values are meant; otherwise drop the column.",
        severity="info",
        confidence=0.9,
        split=split.name,
        column=name if len(near) == 1 else None,
        subject="near",
        evidence={"columns": [{"column": n, "same_share": digits(s, 4)} for n, s in near[:200]]},
    )
