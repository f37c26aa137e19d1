"""What changed from one report to a later one: findings by their fingerprints, and the numbers of the data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, JsonValue, ValidationError

from datalint.core.errors import DatalintError
from datalint.core.severity import SEVERITIES, FailOn, Severity, at_least
from datalint.core.wording import plural
from datalint.report import wording
from datalint.report.escape import clean, guard, guard_json
from datalint.report.models import DatasetReport, Finding, Record, Report
from datalint.report.worse import Extent, worse

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA: Final = "datalint-diff/1"
STRIPS: Final = frozenset({"label_strip"})
"""Facts that are pictures: they have hundreds of numbers that say nothing one by one."""

NAME, SENTENCE = 100, 600
MOST_MOVED: Final = 60
"""Numbers shown per data set; the JSON has them all."""


class Change(Record):
    """One finding, and the data set that it is about."""

    dataset: str
    finding: Finding
    was: Severity | None = Field(default=None, description="Its severity before, where that was another one.")
    worse: str | None = Field(default=None, description="What it was before, in words, where it has become worse.")


class Moved(Record):
    """One number that is not what it was."""

    dataset: str
    what: str = Field(description="Such as 'samples of train' or 'class cat of train'.")
    old: float | None = Field(description="null where there was no such number.")
    new: float | None = Field(description="null where there is no such number any more.")


class Diff(Record):
    """What changed from one report to another."""

    schema_: Literal["datalint-diff/1"] = Field(default=SCHEMA, alias="schema")
    new: tuple[Change, ...]
    fixed: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    facts: tuple[Moved, ...]
    added: tuple[str, ...] = Field(default=(), description="Data sets that only the later report has.")
    removed: tuple[str, ...] = Field(default=(), description="Data sets that only the earlier report has.")

    def ok(self, fail_on: FailOn = "error") -> bool:
        """Whether no finding at or above ``fail_on`` is new or has become worse."""
        told = [*self.new, *(change for change in self.unchanged if change.worse)]
        return not any(at_least(change.finding.severity, fail_on) for change in told)

    def to_json(self) -> str:
        """The same as JSON text."""
        return guard_json(self.model_dump_json(indent=1, by_alias=True)) + "\n"

    def __str__(self) -> str:
        """The same for a terminal, without the numbers that moved."""
        return self.to_text()

    def to_text(self, *, numbers: bool = False) -> str:
        """The same for a terminal; with ``numbers``, how the counts and measurements moved as well."""
        return "".join(guard(line) + "\n" for line in _lines(self, numbers=numbers))


def diff(old: str | Path | Report, new: str | Path | Report) -> Diff:
    """Compare two reports, or the JSON files of two.

    Args:
        old: the earlier one.
        new: the later one.

    Raises:
        DatalintError: a file cannot be read, or is no report of this version; the message names it.
    """
    before, after = read(old), read(new)
    pairs, removed, added = _paired(before, after)
    fresh: list[Change] = []
    gone: list[Change] = []
    kept: list[Change] = []
    moved: list[Moved] = []
    for a, b in pairs:
        # A finding that is now part of another one is not mended, and one that was is not new.
        had = {f.fingerprint: f for f in a.findings}
        # What was silenced is still there, and what no longer is was there before.
        have = {f.fingerprint for f in b.findings} | set(b.silenced)
        gone += [Change(dataset=a.name, finding=f) for f in a.leading if f.fingerprint not in have]
        for finding in b.leading:
            known = had.get(finding.fingerprint)
            if known is None and finding.fingerprint in a.silenced:
                kept.append(Change(dataset=b.name, finding=finding))
            elif known is None:
                fresh.append(Change(dataset=b.name, finding=finding))
            else:
                was = known.severity if known.severity != finding.severity and known.part_of is None else None
                grown = worse(Extent.of(known, a), Extent.of(finding, b))
                kept.append(Change(dataset=b.name, finding=finding, was=was, worse=grown and grown[0]))
        moved += _moved(a, b)
    fresh += [Change(dataset=d.name, finding=f) for d in added for f in d.leading]
    gone += [Change(dataset=d.name, finding=f) for d in removed for f in d.leading]
    return Diff(
        new=_ordered(fresh),
        fixed=_ordered(gone),
        unchanged=_ordered(kept),
        facts=tuple(moved),
        added=tuple(d.name for d in added),
        removed=tuple(d.name for d in removed),
    )


def read(source: str | Path | Report) -> Report:
    """A report, read from its JSON file if it is none yet.

    Raises:
        DatalintError: the file cannot be read or holds something else.
    """
    if isinstance(source, Report):
        return source
    path = Path(source)
    hint = "give the report.json of a scan"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = "not a text file" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        raise DatalintError(f"cannot read {path}: {why}; {hint}") from error
    try:
        return Report.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise DatalintError(f"{path} is no datalint report: {_why(text, error)}; {hint}") from error


def _why(text: str, error: Exception) -> str:
    import json

    try:
        content = json.loads(text)
    except ValueError as problem:
        return f"it is not JSON ({problem})"
    except RecursionError:
        return "it is nested too deeply"
    found = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(found, str):
        return "it is JSON without a schema of ours"
    if found != "datalint-report/1":
        return f"its schema is {found[:NAME]!r}, and this version reads 'datalint-report/1'"
    first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
    return f"at {'.'.join(map(str, first['loc']))[:NAME] or 'its top'}: {str(first['msg'])[:SENTENCE]}"


def _paired(
    before: Report, after: Report
) -> tuple[list[tuple[DatasetReport, DatasetReport]], list[DatasetReport], list[DatasetReport]]:
    """Data sets of the same name, and what is only in the one or the other; single ones belong together anyway."""
    left = list(before.datasets)
    pairs, added = [], []
    for dataset in after.datasets:
        match = next((other for other in left if other.name == dataset.name), None)
        if match is None:
            added.append(dataset)
        else:
            left.remove(match)
            pairs.append((match, dataset))
    if not pairs and len(left) == len(added) == 1:
        return [(left[0], added[0])], [], []
    return pairs, left, added


def _ordered(changes: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: SEVERITIES.index(change.finding.severity)))


def _moved(a: DatasetReport, b: DatasetReport) -> list[Moved]:
    old, new = dict(_numbers(a)), dict(_numbers(b))
    return [
        Moved(dataset=b.name, what=what, old=old.get(what), new=new.get(what))
        for what in dict.fromkeys([*old, *new])
        if old.get(what) != new.get(what)
    ]


def _numbers(dataset: DatasetReport) -> Iterator[tuple[str, float]]:
    """What can be counted or measured of a data set, by a name that a person understands."""
    for split in dataset.splits:
        yield f"samples of {split.name}", split.samples
        for name, count in (split.classes or {}).items():
            yield f"class {name} of {split.name}", count
    for name, fact in dataset.facts.items():
        if name == "class_balance" and isinstance(fact, dict):
            for split_name, balance in fact.items():
                if isinstance(balance, dict):  # the counts are shown with the splits
                    kept = {key: item for key, item in balance.items() if key not in {"counts", "weights"}}
                    yield from _leaves(kept, f"{wording.label(name)} of {split_name}")
        elif name not in STRIPS:
            yield from _leaves(fact, wording.label(name))
    for finding in dataset.leading:
        where = " ".join(name for _, name in wording.place(finding))
        yield f"{finding.code} samples affected{f' ({where})' if where else ''}", finding.affected.count
        rate = finding.evidence.get("estimated_noise_rate")
        if isinstance(rate, int | float):
            yield f"{finding.code} estimated noise rate", float(rate)


def _leaves(value: JsonValue, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}, {wording.label(key)}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, value


def _lines(changes: Diff, *, numbers: bool) -> Iterator[str]:
    several = len({c.dataset for c in [*changes.new, *changes.fixed, *changes.unchanged]}) > 1
    for title, picked in (("new", changes.new), ("fixed", changes.fixed)):
        if picked:
            yield f"{title}:"
            yield from (_line(change, several) for change in picked)
    grown = [change for change in changes.unchanged if change.worse]
    if grown:
        yield "worse:"
        yield from (f"{_line(change, several)} (was {change.worse})" for change in grown)
    other = [change for change in changes.unchanged if change.was and not change.worse]
    if other:
        yield "less severe:"
        yield from (f"{_line(change, several)} (was {change.was})" for change in other)
    for kind, names in (("only in the later report", changes.added), ("only in the earlier report", changes.removed)):
        if names:
            yield f"{kind}: {wording.listing([clean(name, NAME) for name in names], 8)}"
    sets = list(dict.fromkeys(moved.dataset for moved in changes.facts if numbers))
    for name in sets:
        mine = [moved for moved in changes.facts if moved.dataset == name]
        yield f"numbers that moved{f' in {clean(name, NAME)}' if len(sets) > 1 else ''}:"
        yield from (f"  {clean(m.what, NAME)}: {_shown(m, m.old)} -> {_shown(m, m.new)}" for m in mine[:MOST_MOVED])
        if len(mine) > MOST_MOVED:
            yield f"  and {len(mine) - MOST_MOVED:,} more"
    counts = f"{len(changes.new):,} new, {len(changes.fixed):,} fixed, {len(changes.unchanged):,} unchanged"
    yield f"{counts} {plural('finding', len(changes.unchanged))}"


def _line(change: Change, several: bool) -> str:
    finding = change.finding
    places = [clean(change.dataset, NAME)] if several else []
    places += [clean(name, NAME) for _, name in wording.place(finding)]
    where = f"{', '.join(places)}: " if places else ""
    return f"  {finding.severity:<7}  {clean(finding.code, NAME)}  {where}{clean(finding.message, SENTENCE)}"


def short(word: str, change: Change) -> str:
    """One line for one change, such as ``new: warning  ORD101  ...``."""
    return guard(f"{word}: {_line(change, several=True).strip()}")


def _shown(moved: Moved, value: float | None) -> str:
    if value is None:
        return "none"
    share = wording.is_share(moved.what.rpartition(", ")[2].replace(" ", "_")) and abs(value) <= 1
    return wording.number(int(value) if value == int(value) and not share else value, share=share)
