"""What the rules say of one profile, and the report of the data set that follows from it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

from datalint.core import hashing
from datalint.core.dataset import Problem
from datalint.core.errors import DatalintError
from datalint.core.secrets import masked
from datalint.core.severity import SEVERITIES
from datalint.core.vocabulary import WHOLE
from datalint.judge import facts
from datalint.judge.chart_data import views_of
from datalint.judge.fold import fold
from datalint.judge.thumbnails import Thumbnails
from datalint.measures.order import LabelRuns
from datalint.profile.learn.threads import one_thread
from datalint.profile.profile import Profile
from datalint.report.models import (
    LISTED,
    Affected,
    AffectedSample,
    DatasetReport,
    Finding,
    LabelInfo,
    RuleStatus,
    SplitInfo,
    Status,
    listed_columns,
)
from datalint.rules.base import AllWell, Cases, Found, Rule, Skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from datalint.core.dataset import Dataset, Partition
    from datalint.core.severity import Severity
    from datalint.core.silence import Silence
    from datalint.measures.base import Settings

PICTURES_PER_FINDING = 24
PICTURES = 300

MODELS, SEARCHES = 100, 20
"""Time that a rule takes which trains models, and one that compares samples, for each other one: about."""

MANY = 10_000
"""Samples of one finding beyond which they are made one by one, when somebody asks for them."""


@dataclass(frozen=True)
class Scanned:
    """The report of one data set, and what does not go into the file."""

    report: DatasetReport
    affected: dict[str, Sequence[AffectedSample]] = field(default_factory=dict)
    """All affected samples by the finding's fingerprint."""
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    lasting: bool = True
    """Whether the same data would give the same again; not where reading it broke down."""
    spared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By code of a rule, the columns that it did not look at, since findings about them are not wanted."""

    @property
    def part(self) -> str:
        """What the fingerprints of its findings have in common."""
        return dataset_part(self.report.name)


def judge(
    profile: Profile,
    rules: Sequence[Rule],
    severities: Mapping[str, Severity] = MappingProxyType({}),
    tell: Callable[[str, float], None] = lambda _stage, _share: None,
    unwanted: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({}),
) -> Scanned:
    """The report of a data set.

    Args:
        profile: what was measured.
        rules: to let judge.
        severities: that the user set, by code.
        tell: hears which rule judges, and the share of the judging that is done.
        unwanted: by code of a rule, entries of globs of columns: a finding about several columns is made without these.
    """
    weights = [
        MODELS if rule.trains else SEARCHES if profile.dataset.modality in rule.searches else 1 for rule in rules
    ]
    todo, total = dict(zip(rules, weights, strict=True)), sum(weights)
    # Where nothing is trained or searched, loading the means to do so would take longer than it does.
    heavy = any(rule.trains or rule.searches for rule in rules)
    with one_thread(models=False) if heavy else nullcontext(), Thumbnails(profile.threads) as thumbnails:
        judged = _Judged(profile, severities, thumbnails, unwanted)
        # What takes longest comes last: the pictures that the others ask for are made meanwhile.
        for rule in sorted(rules, key=lambda rule: rule.trains or bool(rule.searches)):
            tell(f"judging: {rule.code} {rule.name}", 1 - sum(todo.values()) / total)
            judged.run(rule)
            del todo[rule]
        tell("judging: thumbnails and pictures of the report", 1.0)
        return judged.scanned()


def broken_down(
    dataset: Dataset, why: str, rules: Sequence[Rule], settings: Settings, severities: Mapping[str, Severity]
) -> Scanned:
    """The report of a data set whose scan broke down: a finding that says so, and no rule that passes."""
    broken = replace(dataset, problems=[*dataset.problems, Problem("failed", dataset.path, why)])
    judged = _Judged(Profile(broken, (), settings, lasting=False), severities, Thumbnails())
    for rule in rules:
        if rule.tells_damage:
            judged.run(rule)
    for rule in rules:
        if not rule.tells_damage:
            # Where no finding stands for them, their failure decides the exit status.
            judged.state(rule, "skipped" if judged.findings else "failed", why)
    return judged.scanned()


def audit(
    scanned: Scanned,
    dataset: Dataset,
    rules: Sequence[Rule],
    settings: Settings,
    silences: tuple[Silence, ...],
    severities: Mapping[str, Severity],
) -> Scanned:
    """Let the rules that judge what was silenced add to the report of a data set."""
    judged = _Judged(Profile(dataset, (), settings, silences=silences), severities, Thumbnails())
    for rule in rules:
        judged.run(rule)
    report = scanned.report
    update = {
        "findings": _in_order([*report.findings, *judged.findings]),
        "rules": tuple(sorted([*report.rules, *judged.statuses], key=lambda status: status.code)),
    }
    return Scanned(report.model_copy(update=update), scanned.affected | judged.affected, scanned.thumbnails)


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.code, f.split or "")))


def fingerprint(code: str, dataset: str, *place: str) -> str:
    """What stays the same of a finding while the data set is reordered, cut otherwise, added to, moved or renamed.

    The first 12 digits tell the finding, the other 8 its data set, so that a finding is known again where all that
    has changed is the data set's name.
    """
    finding = hashlib.sha256("\x1f".join(["v1", code, *place]).encode("utf-8", "surrogatepass")).hexdigest()
    return finding[:12] + dataset_part(dataset)


def dataset_part(name: str) -> str:
    """The part of a fingerprint that tells the data set."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _file(path: str, what: str) -> AffectedSample:
    """A file that is no sample, or of which no sample could be read."""
    fingerprint = hashing.hex_hash(hashing.bytes_hash(path.encode("utf-8", "surrogatepass")))
    return AffectedSample(id=path, index=-1, split="", fingerprint=fingerprint, detail={"problem": what})


class _Samples(Sequence[AffectedSample]):
    """The samples of a finding, each made when it is asked for: a million records take more than a gigabyte."""

    def __init__(self, cases: Cases, partitions: Sequence[Partition]) -> None:
        self._cases, self._partitions = cases, partitions

    def __len__(self) -> int:
        return len(self._cases.places)

    @overload
    def __getitem__(self, k: int) -> AffectedSample: ...

    @overload
    def __getitem__(self, k: slice) -> list[AffectedSample]: ...

    def __getitem__(self, k: int | slice) -> AffectedSample | list[AffectedSample]:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        places, split = self._cases.places, self._cases.split
        return AffectedSample(
            id=self._partitions[int(places.part[k])].sample_id(int(places.line[k])),
            index=int(places.row[k]),
            split=split if isinstance(split, str) else split[k],
            fingerprint=hashing.hex_hash(int(places.content[k])),
            detail={name: values[k] for name, values in self._cases.details.items()},
        )

    def __reduce__(self) -> tuple[type[list[AffectedSample]], tuple[list[AffectedSample]]]:
        return list, (list(self),)


class _Judged:
    """What the rules said of one profile."""

    def __init__(
        self,
        profile: Profile,
        severities: Mapping[str, Severity],
        thumbnails: Thumbnails,
        unwanted: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({}),
    ) -> None:
        self.profile = profile
        self.unwanted = unwanted
        self.spared: dict[str, frozenset[str]] = {}
        self.severities = severities
        self.dataset = profile.dataset
        self.findings: list[Finding] = []
        self.statuses: list[RuleStatus] = []
        self.affected: dict[str, Sequence[AffectedSample]] = {}
        self.thumbnails = thumbnails
        self.follows: dict[str, tuple[str, ...]] = {}
        """By code of a rule, the codes of the rules that explain it."""
        self.briefs: dict[str, str] = {}
        """By fingerprint, what the finding that leads says of it."""
        self.met: dict[str, int] = {}
        """How often each fingerprint occurred."""
        self.modelled = False
        """Whether a rule judged by the shared models."""

    def run(self, rule: Rule) -> None:
        """Let one rule judge; whatever it does, it ends as found, passed, skipped or failed."""
        import numpy as np

        self.follows[rule.code] = rule.follows
        profile = self._seen_by(rule)
        try:
            self._see_fit(rule, profile)
        except Skip as skip:
            self.state(rule, "skipped", str(skip), applies=skip.applies)
            return
        reason: str | None = None
        applies = True
        found: list[tuple[Finding, Cases | None, Sequence[AffectedSample]]] = []
        status: Status = "passed"
        coverage = "in part"
        try:
            try:
                # What overflows becomes infinite or no number: nothing to warn of.
                with np.errstate(over="ignore", invalid="ignore"):
                    for item in self._check(rule, profile):
                        found.append(self._finding(rule, item))  # noqa: PERF401 - what came before a Skip is kept
            except Skip as skip:
                status, reason, applies = "skipped", str(skip), skip.applies or bool(found)
            except AllWell as good:
                reason = str(good)
            if status != "skipped":
                coverage = rule.coverage(profile)
        except DatalintError:
            raise
        except Exception as error:  # a broken rule must not take the others with it
            self.state(rule, "failed", f"{type(error).__name__}: {error}")
            return
        self.modelled |= rule.shares_models
        for finding, cases, samples in found:
            self.findings.append(finding)
            self.affected[finding.fingerprint] = samples
            self._picture(cases, samples)
        coverage = coverage if found or status == "passed" else "none"
        self.state(rule, "found" if found else status, reason, coverage, applies=applies)

    def _check(self, rule: Rule, profile: Profile) -> Iterator[Found]:
        """What a rule finds; again without the columns that nobody wants to hear of, where it speaks of them and others."""
        entries = self.unwanted.get(rule.code, ())
        if not entries or rule.trains or rule.shares_models:
            yield from rule.check(profile)
            return
        every = [
            {f.name for f in self.dataset.fields if any(fnmatchcase(f.name, p) for p in entry)} for entry in entries
        ]
        names = set().union(*every)
        found = list(rule.check(profile))
        told = [set(listed_columns(item.evidence)) if item.column is None else {item.column} for item in found]
        # What one entry alone speaks of is silenced, and counted, as any finding is.
        whole = [bool(columns) and any(columns <= own for own in every) for columns in told]
        if not any(columns & names and not alone for columns, alone in zip(told, whole, strict=True)):
            yield from found
            return
        self.spared[rule.code] = frozenset(names)
        yield from (item for item, alone in zip(found, whole, strict=True) if alone)
        fields = tuple(replace(f, role="ignored") if f.name in names else f for f in self.dataset.fields)
        yield from rule.check(replace(profile, dataset=replace(profile.dataset, fields=fields)))

    def state(
        self, rule: Rule, status: Status, reason: str | None, coverage: str = "none", *, applies: bool = True
    ) -> None:
        """Say what became of a rule."""
        self.statuses.append(
            RuleStatus(code=rule.code, rule=rule.name, status=status, reason=reason, coverage=coverage, applies=applies)
        )

    def _seen_by(self, rule: Rule) -> Profile:
        """The profile, or that of pictures labelled by what is drawn in them."""
        if not rule.judges_by_objects(self.dataset) or not self.profile.splits:
            return self.profile
        return self.profile.by_objects if "multi-label" in rule.tasks else self.profile.by_most_objects

    def _see_fit(self, rule: Rule, profile: Profile) -> None:
        """Skip a rule that such data has nothing for."""
        if self.dataset.modality not in rule.modalities:
            told = {"table": "tables", "images": "images", "audio": "recordings"}
            said = " and ".join(told[m] for m in told if m in rule.modalities)
            raise Skip(f"applies to {said} only", applies=False)
        if rule.wants == "nothing":
            return
        if rule.wants in {"annotations", "objects", "masks"}:
            reason = self._why_no_annotations(rule)
            if reason is not None:
                raise Skip(reason, applies=False)
            return
        label = profile.dataset.label
        if label is None:
            # Where something else is predicted, no label is missing.
            raise Skip(self.dataset.skipped_label, applies=self.dataset.task is None)
        task = profile.task
        if task == "multi-label" and task not in rule.tasks:
            raise Skip("a sample may have several labels, and the rule judges one per sample", applies=False)
        if task != "multi-label" and rule.tasks == {"multi-label"}:
            raise Skip("each sample has one label, and the rule judges several per sample", applies=False)
        if rule.wants == "classes" and task == "regression":
            raise Skip(f"the label {label.name!r} is a number to be predicted, not a class", applies=False)
        if not any(split[LabelRuns].samples for split in profile.splits):
            raise Skip("no sample has a label")

    def _why_no_annotations(self, rule: Rule) -> str | None:
        masks = self.dataset.task == "segmentation"
        if rule.wants == "masks":
            return None if masks else "the pictures have no masks"
        if self.dataset.annotations is None:
            return "no objects are drawn in the pictures"
        return "the pictures have masks, and no boxes" if rule.wants == "objects" and masks else None

    def _finding(self, rule: Rule, found: Found) -> tuple[Finding, Cases | None, Sequence[AffectedSample]]:
        severity = self.severities.get(rule.code) or found.severity or rule.severity
        label = self.dataset.label
        guessed = rule.wants != "nothing" and label is not None and label.confidence == "low"
        remedy = found.remedy
        if guessed and label is not None and severity != "info" and not found.whatever_label:
            # A guess by position is no ground for failing somebody's build.
            severity = "info"
            remedy += (
                f" (The label column {label.name!r} was guessed; --label {shlex.quote(label.name)} makes it certain.)"
            )
        place = (found.split or "", found.column or "", found.class_ or "", found.subject)
        name = fingerprint(rule.code, self.dataset.name, *place)
        self.met[name] = self.met.get(name, 0) + 1
        if self.met[name] > 1:
            name += f":{self.met[name]}"
        samples: Sequence[AffectedSample] = [_file(*file) for file in found.files]
        if found.cases is not None:
            samples = _Samples(found.cases, self.dataset.partitions)
            samples = samples if len(samples) > MANY else list(samples)
        count = len(samples) if found.count is None else found.count
        finding = Finding(
            code=rule.code,
            rule=rule.name,
            severity=severity,
            confidence=round(found.confidence, 4),
            message=masked(found.message),
            consequence=found.consequence,
            remedy=remedy,
            split=None if len(self.profile.splits) == 1 and found.split == WHOLE else found.split,
            against=found.against,
            column=found.column,
            class_=found.class_,
            evidence=found.evidence,
            affected=Affected(
                count=count,
                exact=found.exact,
                samples=tuple(samples[:LISTED]),
                truncated=count > min(len(samples), LISTED),
            ),
            fingerprint=name,
        )
        self.briefs[name] = found.brief
        return finding, found.cases, samples

    def _picture(self, cases: Cases | None, samples: Sequence[AffectedSample]) -> None:
        if cases is None or self.dataset.modality == "table":
            return
        for k, sample in enumerate(samples[:PICTURES_PER_FINDING]):
            if len(self.thumbnails) < PICTURES:
                partition = self.dataset.partitions[int(cases.places.part[k])]
                self.thumbnails.want(sample.id, partition, int(cases.places.line[k]))

    def scanned(self) -> Scanned:
        """The report of the data set."""
        profile, dataset, label = self.profile, self.dataset, self.dataset.label
        task = profile.task
        info = None
        if label is not None and task is not None:
            info = LabelInfo(name=label.name, evidence=label.evidence, confidence=label.confidence, task=task)
        report = DatasetReport(
            name=dataset.name,
            path=dataset.path,
            layout=dataset.layout,
            storage=dataset.storage,
            modality=dataset.modality,
            evidence=dataset.evidence,
            label=info,
            splits=tuple(
                SplitInfo(
                    name=split.name,
                    samples=split.samples,
                    classes=split.counts if task in {"classification", "multi-label"} else None,
                    evidence=split.info.evidence,
                )
                for split in profile.splits
            ),
            facts=facts.facts_of(profile, self.modelled),
            views=views_of(profile, self.thumbnails),
            findings=_in_order(fold(self.findings, self.follows, self.briefs, self.affected)),
            rules=tuple(sorted(self.statuses, key=lambda status: status.code)),
        )
        return Scanned(report, self.affected, self.thumbnails.made(), profile.lasting, self.spared)
