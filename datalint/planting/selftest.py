"""What datalint would have caught in a user's own data: every rule's fault is planted into a copy in memory, and looked for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint import api
from datalint.core.errors import DatalintError
from datalint.planting.load import load
from datalint.report.escape import guard_json
from datalint.rules.registry import select_rules
from datalint.testing import alarms, named_samples, names_place, plant, scan, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from datalint.core.clean import Clean, Planted
    from datalint.planting.load import Loaded
    from datalint.report.models import Report
    from datalint.rules.base import Rule

ROWS, FILES = 5_000, 600
"""Samples of a table and of a folder of images that are taken: enough for every rule, and quick."""

NO_PLACE = "this data has no place for the fault"

Outcome = Literal["caught", "mild", "already", "missed"]
"""``mild``: found, but as info only; ``already``: the unplanted data has that finding at that place."""

State = Literal["caught", "in part", "missed", "already", "inapplicable", "failed"]


@dataclass(frozen=True)
class Trial:
    """What became of one rule's fault."""

    code: str
    rule: str
    reason: str | None = None
    """Why it was not planted."""
    broken: bool = False
    """Whether planting or judging broke down."""
    outcomes: Mapping[float, Sequence[Outcome]] = field(default_factory=dict)
    """By strength, one per seed in which the fault could be planted."""

    @property
    def state(self) -> State:
        """All of it in one word."""
        if self.broken:
            return "failed"
        told = {outcome for outcomes in self.outcomes.values() for outcome in outcomes}
        if not told:
            return "inapplicable"
        if told == {"already"}:
            return "already"
        if self.caught_from is not None:
            return "caught"
        return "in part" if "caught" in told else "missed"

    @property
    def caught_from(self) -> float | None:
        """The strength from which every planted fault was caught; None if that is none."""
        least = None
        for strength in sorted(self.outcomes, reverse=True):
            told = [outcome for outcome in self.outcomes[strength] if outcome != "already"]
            if any(outcome != "caught" for outcome in told):
                break
            least = strength if told else least
        return least

    def count(self, strength: float) -> Counter[Outcome]:
        """How often each outcome came at one strength."""
        return Counter(self.outcomes.get(strength, ()))


@dataclass(frozen=True)
class SelfTest:
    """What would have been caught in one data set."""

    name: str
    path: str
    modality: str
    taken: int
    """Samples into which faults were planted."""
    total: int | None
    """Samples of the data set; None where it was too large to be read whole."""
    strengths: tuple[float, ...]
    seeds: int
    rules: tuple[Trial, ...]

    @property
    def missed(self) -> list[Trial]:
        """Rules that did not catch every one of their blatant faults."""
        return [tested for tested in self.rules if tested.state in {"missed", "in part", "failed"}]

    def to_json(self) -> str:
        """All of it."""
        record = {"schema": "datalint-selftest/1", **self._record()}
        return guard_json(json.dumps(record, indent=1, ensure_ascii=False)) + "\n"

    def _record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": self.path,
            "modality": self.modality,
            "samples": {"taken": self.taken, "of": self.total},
            "strengths": list(self.strengths),
            "seeds": self.seeds,
            "rules": [
                {
                    "code": tested.code,
                    "rule": tested.rule,
                    "state": tested.state,
                    "caught_from": tested.caught_from,
                    "reason": tested.reason,
                    "outcomes": {f"{strength:g}": dict(tested.count(strength)) for strength in tested.outcomes},
                }
                for tested in self.rules
            ],
        }

    def to_text(self) -> str:
        """For a terminal."""
        of = "more than it was sensible to read" if self.total is None else f"{self.total:,}"
        strengths = ", ".join(f"{strength:g}" for strength in self.strengths)
        lines = [
            f"self-test of {self.path}: every rule's fault planted into {self.taken:,} of {of} "
            f"{'images' if self.modality == 'images' else 'rows'}, in memory",
            f"at the strengths {strengths} (0 = barely there, 1 = blatant), {_times(self.seeds)}; your files are unchanged",
        ]
        groups: list[tuple[str, list[str]]] = []
        for strength in self.strengths:
            caught = [t for t in self.rules if t.state == "caught" and t.caught_from == strength]
            groups.append((f"would have been caught from strength {strength:g}", [_named(t) for t in caught]))
        bad = [t for t in self.rules if t.state in {"missed", "in part"}]
        groups += [
            ("would not have been caught, or not each time", [f"{_named(t)}: {self._share(t)}" for t in bad]),
            (
                "cannot be told: your data has that finding already",
                [_named(t) for t in self.rules if t.state == "already"],
            ),
            ("broke down", [f"{_named(t)}: {t.reason}" for t in self.rules if t.state == "failed"]),
        ]
        for head, items in groups:
            if items:
                lines += ["", f"{head} ({len(items)})", *(f"  {item}" for item in items)]
        reasons: dict[str, list[str]] = {}
        for tested in self.rules:
            if tested.state == "inapplicable":
                # What exactly each would have planted is for the JSON, and for `datalint plant`.
                short = NO_PLACE if (tested.reason or "").startswith(NO_PLACE) else tested.reason or ""
                reasons.setdefault(short, []).append(tested.code)
        if reasons:
            lines += ["", f"do not apply to this data ({sum(map(len, reasons.values()))})"]
            lines += [f"  {', '.join(codes)}: {reason}" for reason, codes in reasons.items()]
        return "\n".join(lines) + "\n"

    def _share(self, tested: Trial) -> str:
        said = []
        for strength in self.strengths:
            counts = tested.count(strength)
            mild = f" ({counts['mild']} more as info only)" if counts["mild"] else ""
            told = counts.total() - counts["already"]
            if told:
                said.append(f"{counts['caught']} of {told} at strength {strength:g}{mild}")
        return ", ".join(said)


def _named(tested: Trial) -> str:
    return f"{tested.code} {tested.rule}"


def _times(seeds: int) -> str:
    return "once each" if seeds == 1 else f"up to {seeds} times each"


def selftest(
    source: Any,
    *,
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    select: str | Sequence[str] = (),
    strengths: Sequence[float] = (0.0, 0.5, 1.0),
    seeds: int = 1,
    progress: Callable[[str, float], None] | None = None,
) -> SelfTest:
    """Plant every rule's fault into a copy of a data set, and say which of them a scan finds.

    At most 5,000 rows or 600 images are taken, evenly; nothing is written. What the unplanted data is found to have already
    does not count as caught.

    Args:
        source: as for :func:`datalint.scan`; one data set.
        label: the label column; recognised if not given.
        splits: as for :func:`datalint.scan`.
        select: codes, names or beginnings of codes of the rules to try; all if empty.
        strengths: of the planted faults, 0 (barely there) to 1 (blatant).
        seeds: how often each fault is planted, each time elsewhere; rules that train a model get one.
        progress: told the rule that comes next, and the share of the work that is done.

    Raises:
        DatalintError: there is no such data set or rule, or there are several data sets.
    """
    rules = select_rules(select)
    if not strengths or any(not 0 <= strength <= 1 for strength in strengths):
        raise DatalintError("strengths lie between 0 (barely there) and 1 (blatant)")
    if seeds < 1:
        raise DatalintError(f"{seeds} seeds: it must be at least 1")
    loaded, path = take(source, label=label, splits=splits, thin=True)
    strengths = tuple(sorted(set(map(float, strengths))))
    before = scan(loaded.clean, *rules, cache=False, jobs=1)
    tested = []
    for k, rule in enumerate(rules):
        if progress is not None:
            progress(rule.code, k / len(rules))
        often = 1 if rule.trains else seeds
        tested.append(_try(rule, loaded.clean, before, strengths, often))
    return SelfTest(
        name=loaded.clean.name,
        path=path,
        modality=loaded.clean.modality,
        taken=loaded.taken,
        total=loaded.total,
        strengths=strengths,
        seeds=seeds,
        rules=tuple(tested),
    )


def take(
    source: Any, *, label: str | None = None, splits: Mapping[str, Any] | None = None, thin: bool = False
) -> tuple[Loaded, str]:
    """The one data set of a source, in memory, and where it lies.

    Raises:
        DatalintError: there is none, or several, or it cannot be taken.
    """
    datasets = api.detect(source, label=label, splits=splits)
    if len(datasets) > 1:
        paths = ", ".join(dataset.path for dataset in datasets[:3])
        more = ", ..." if len(datasets) > 3 else ""
        raise DatalintError(f"there are {len(datasets)} data sets ({paths}{more}): give one of them")
    (dataset,) = datasets
    return load(dataset, samples=(FILES if dataset.modality == "images" else ROWS) if thin else None), dataset.path


def _try(rule: type[Rule], clean: Clean, before: Report, strengths: Sequence[float], seeds: int) -> Trial:
    state = status(before, rule)
    if state.status in {"skipped", "failed"}:
        broken = state.status == "failed"
        return Trial(rule.code, rule.name, state.reason or "", broken)
    outcomes: dict[float, list[Outcome]] = {}
    reason: str | None = None
    for strength in strengths:
        for seed in range(seeds):
            # Plants are made for clean data; what they cannot bear in other people's is told, not raised.
            try:
                fault = planted(rule, clean, strength, seed)
            except DatalintError as error:
                reason = str(error)
                continue
            report = scan(fault.data, rule, cache=False, jobs=1)
            if status(report, rule).status == "failed":
                return Trial(rule.code, rule.name, status(report, rule).reason, True)
            outcomes.setdefault(strength, []).append(outcome(rule, fault, report, before))
    return Trial(rule.code, rule.name, None if outcomes else reason, False, outcomes)


def planted(rule: type[Rule], clean: Clean, strength: float, seed: int) -> Planted:
    """The rule's fault in any data, clean or not.

    Raises:
        DatalintError: it cannot be planted there; the message says why.
    """
    if clean.modality not in rule.modalities:
        raise DatalintError(f"applies to {' and '.join(sorted(rule.modalities))} only")
    try:
        with np.errstate(all="ignore"):
            fault = plant(rule, clean, strength, seed)
    except Exception as error:  # rules of others, and data of any kind
        raise DatalintError(f"the fault cannot be made in this data ({type(error).__name__}: {error})") from error
    if fault is None:
        raise DatalintError(f"{NO_PLACE} ({fault_of(rule)})")
    return fault


def fault_of(rule: type[Rule]) -> str:
    """What a rule plants, as a clause."""
    how = " ".join((rule.plant.__doc__ or "").strip().split("\n\n")[0].split()).rstrip(".")
    return f"{how[:1].lower()}{how[1:]}"


def outcome(rule: type[Rule], fault: Planted, report: Report, before: Report) -> Outcome:
    """Whether a planted fault was found, and was not there before.

    Args:
        rule: the rule whose fault it is.
        fault: what was planted.
        report: a scan of it.
        before: a scan of the same data without it.
    """
    here = [finding for finding in report.findings if finding.code == rule.code and names_place(finding, fault)]
    loud = [finding for finding in alarms(report, rule) if names_place(finding, fault)]
    old = [finding for finding in alarms(before, rule) if names_place(finding, fault)]
    if not here:
        return "missed"
    if fault.rows or fault.files:
        # Samples may be told one by one: that others were faulty before is no reason to miss these.
        named, faulty = named_samples(rule, fault, report, here)
        known, _ = named_samples(rule, fault, before, old)
        if old and not (named & faulty) - known:
            return "already"
    elif old:
        return "already"
    return "caught" if loud else "mild"
