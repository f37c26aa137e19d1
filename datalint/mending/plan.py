"""What to change in one round, judged from a report: which finding is mended how, and which is left to a person."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.core.dataset import Dataset
    from datalint.mending.stored import Places
    from datalint.report.models import DatasetReport, Finding, Report
    from datalint.rules.base import Repair

SURE = 0.9
"""Confidence below which a rule says itself that what it names may be right, such as copies among coarse values."""


@dataclass
class Change:
    """What was done for one finding."""

    action: str
    code: str
    fingerprint: str
    message: str
    samples: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0

    def record(self) -> dict[str, Any]:
        """For the log."""
        return {
            "action": self.action,
            "code": self.code,
            "finding": self.fingerprint,
            "message": self.message,
            "count": self.count,
            "samples": self.samples,
        }


@dataclass(frozen=True)
class Left:
    """A finding that was not mended, and why."""

    code: str
    fingerprint: str
    message: str
    reason: str


@dataclass
class Plan:
    """The changes of one round; samples are meant by split and position in stored order."""

    drop: dict[str, dict[int, Change]] = field(default_factory=dict)
    relabel: dict[tuple[str, int], tuple[str, Change]] = field(default_factory=dict)
    respell: list[tuple[str, dict[str, str], Change]] = field(default_factory=list)
    turn: dict[tuple[str, int], Change] = field(default_factory=dict)
    shuffle: dict[str, Change] = field(default_factory=dict)
    rewrite: dict[str, Change] = field(default_factory=dict)
    """Files, as the report calls them, that hold what no reader can use."""
    changes: list[Change] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


@dataclass(frozen=True)
class Wishes:
    """How to mend."""

    repairs: Mapping[str, Repair]
    """By code of the rule."""
    relabel: bool = False
    """Whether doubtful labels are replaced; else their samples are dropped."""
    labels: str = ""
    """Why doubtful labels are left as they are now; empty where they are mended."""


def plan(report: Report, dataset: Dataset, where: Places, wishes: Wishes, rewritten: set[str]) -> Plan:
    """Judge every finding of the one data set.

    Args:
        report: what was found.
        dataset: the data set it was found in.
        where: the labels of its samples.
        wishes: how to mend.
        rewritten: files, below the root, that were written anew for this already: doing so again would not help.
    """
    (found,) = report.datasets
    made = Plan()
    sizes = {split.name: split.samples for split in found.splits}
    for finding in found.findings:
        repair = wishes.repairs.get(finding.code)
        if repair is None:
            continue
        change = Change(repair, finding.code, finding.fingerprint, finding.message)
        reason = _Judge(report, found, dataset, where, made, sizes, wishes, rewritten).judge(repair, finding, change)
        if reason is None:
            made.changes.append(change)
        elif reason and finding.part_of is None:
            made.left.append(Left(finding.code, finding.fingerprint, finding.message, reason))
    return made


@dataclass(frozen=True)
class _Judge:
    """Adds what one finding asks for to the plan; says why not where it does not."""

    report: Report
    found: DatasetReport
    dataset: Dataset
    where: Places
    made: Plan
    sizes: Mapping[str, int]
    wishes: Wishes
    rewritten: set[str]

    def judge(self, repair: Repair, finding: Finding, change: Change) -> str | None:
        """None: it is mended; empty: nothing is wrong that could be; else the reason why it is left."""
        mild = finding.severity == "info" and finding.part_of is None
        if (doubt := _doubt(repair, finding, mild)) is not None:
            return doubt
        if repair == "drop":
            return self._drop(change, [(s.split, s.index) for s in self.report.samples(finding)])
        if repair == "drop-copies":
            return self._drop_copies(finding, change)
        if repair == "drop-from-earlier":
            other = str(finding.evidence.get("with"))
            at = [s.detail.get(f"{other}_index") for s in self.report.samples(finding)]
            return self._drop(change, [(other, k) for k in at if isinstance(k, int)])
        if repair == "relabel":
            return self._relabel(finding, change)
        if repair == "shuffle":
            return self._shuffle(finding, change, mild)
        if repair == "turn":
            for sample in self.report.samples(finding):
                self.made.turn[sample.split, sample.index] = change
            return None
        if repair == "respell":
            return self._respell(finding, change)
        return self._leave_out(finding, change)

    def _drop(self, change: Change, samples: list[tuple[str, int]]) -> str | None:
        wanted: dict[str, set[int]] = {}
        for split, index in samples:
            if index >= 0:
                wanted.setdefault(split, set()).add(index)
        if not wanted:
            return "names no samples"
        for split, rows in wanted.items():
            if len(rows | set(self.made.drop.get(split, ()))) >= self.sizes.get(split, 0):
                return f"nothing would be left of {split}"
        change.action = "drop"
        for split, rows in wanted.items():
            known = self.made.drop.setdefault(split, {})
            known.update({row: change for row in sorted(rows) if row not in known})
        return None

    def _drop_copies(self, finding: Finding, change: Change) -> str | None:
        """Only where the copies agree on their label: which of two labels is right is not for us to say."""
        agreed = []
        for sample in self.report.samples(finding):
            first, labels = sample.detail.get("repeats_index"), self.where.splits[sample.split].label
            if not isinstance(first, int) or labels[first] == labels[sample.index]:
                agreed.append((sample.split, sample.index))
        if not agreed:
            return "the duplicates carry different labels: decide which one is right"
        return self._drop(change, agreed)

    def _relabel(self, finding: Finding, change: Change) -> str | None:
        if self.wishes.labels:
            return self.wishes.labels
        samples = self.report.samples(finding)
        if not self.wishes.relabel:
            return self._drop(change, [(s.split, s.index) for s in samples])
        suggested = {(s.split, s.index): s.detail.get("suggested") for s in samples}
        named = {place: str(label) for place, label in suggested.items() if label is not None}
        if not named:
            return "suggests no labels"
        self.made.relabel.update({place: (label, change) for place, label in named.items()})
        return None

    def _shuffle(self, finding: Finding, change: Change, mild: bool) -> str | None:
        if self.dataset.modality == "images":
            return "" if mild else "class folders are always read folder by folder: shuffle when loading"
        timed = [column.name for column in self.dataset.fields if column.role == "time"]
        if timed:
            return f"the column {timed[0]!r} says when each row was recorded, so that its order may mean something"
        if mild:
            return "may well be right as it is"
        splits = [finding.split] if finding.split in self.sizes else list(self.sizes)
        for split in splits:
            self.made.shuffle.setdefault(str(split), change)
        return None

    def _respell(self, finding: Finding, change: Change) -> str | None:
        categories = finding.evidence.get("categories")
        done = False
        for category in categories if isinstance(categories, list) else []:
            shown = category.get("spellings") if isinstance(category, dict) else None
            if not isinstance(category, dict) or not isinstance(shown, dict):
                continue
            spellings = [_spelt(text) for text in shown]
            known = [value.strip() for value in spellings if value is not None]
            if known:
                change.action = "respell"
                self.made.respell.append((str(category["column"]), dict.fromkeys(known, known[0]), change))
                done = True
        return None if done else "may well be right as it is"

    def _leave_out(self, finding: Finding, change: Change) -> str | None:
        if finding.severity == "info":
            return ""  # files that are no part of the data set: they are not copied
        change.action = "leave out"
        names = [sample.id for sample in self.report.samples(finding)]
        change.samples = [{"id": s.id, "problem": s.detail.get("problem")} for s in self.report.samples(finding)]
        change.count = len(names)
        if names and all(any(name.endswith(f"/{file}") for file in self.rewritten) for name in names):
            return "could not be mended by writing the file anew"
        self.made.rewrite.update(dict.fromkeys(names, change))
        return None


def _doubt(repair: Repair, finding: Finding, mild: bool) -> str | None:
    """Why a finding is left whatever it names; empty where that need not be said, None where it may be mended."""
    if repair == "irreversible":
        return f"cannot be undone from the data alone. {finding.remedy}"
    if repair in {"drop", "relabel", "respell"} and mild:
        return "" if repair == "drop" and finding.confidence > SURE else "may well be right as it is"
    if repair in {"drop-copies", "drop-from-earlier"} and finding.confidence < SURE:
        return "may well be right as it is: values this coarse coincide by themselves"
    return None


def _spelt(shown: str) -> str | None:
    """The spelling behind the way it is shown, in quotes and with what cannot be seen written out."""
    try:
        value = ast.literal_eval(shown)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None
