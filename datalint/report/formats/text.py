"""The report for a terminal: one screen for a person in a hurry."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from datalint.core.severity import at_least
from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.escape import clean, guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.severity import FailOn
    from datalint.report.models import AffectedSample, DatasetReport, Finding, Report, RuleStatus

# A name longer than this says no more at its end; the full one is in the JSON report.
NAME: Final = 160
PATH: Final = 1_000
SENTENCE: Final = 600
SHOWN: Final = 3  # findings of one rule, and samples of one finding
SHOWN_VERBOSE: Final = 20

_INDENT: Final = " " * 11  # two, the longest severity, two
_KINDS: Final = {"split": "", "column": "column ", "class": "class "}
_STYLES: Final = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "found": "33",
    "passed": "32",
    "skipped": "2",
    "failed": "1;31",
    "bold": "1",
    "dim": "2",
}


def render(report: Report, *, color: bool, width: int = 100, verbose: bool = False) -> str:
    """The whole report as text, ending with one line of totals and a line break.

    Args:
        report: what to show.
        color: whether to use ANSI colours; severities are words either way.
        width: columns to wrap at; only a single word longer than that (a path) runs over.
        verbose: all rules with their reasons, and up to 20 findings per rule and samples per finding instead of 3.
    """
    writer = _Writer(color, max(width, 40), SHOWN_VERBOSE if verbose else SHOWN, verbose)
    lines: list[str] = []
    for dataset in report.datasets:
        lines += [*writer.dataset(dataset), ""]
    for note in (wording.inventory(report), wording.data_settings(report)):
        lines += writer.wrap(clean(note, SENTENCE), "", "  ")
    lines += writer.totals(report)
    return "\n".join(lines) + "\n"


def render_reasons(report: Report, fail_on: FailOn, *, width: int = 100) -> str:
    """Why a job that scans must fail: the findings at or above ``fail_on`` and the rules that broke down; no colours.

    The first line sums up. Empty where the job may go on.
    """
    writer = _Writer(False, max(width, 40), SHOWN, verbose=False)
    lines: list[str] = []
    codes: list[str] = []
    for dataset in report.datasets:
        bad = [finding for finding in dataset.leading if at_least(finding.severity, fail_on)]
        broken = [rule for rule in dataset.rules if rule.status == "failed" and fail_on != "never"]
        if bad or broken:
            codes += [clean(f"{finding.code} {finding.rule}", NAME) for finding in wording.ordered(bad)]
            codes += [clean(f"{rule.code} {rule.rule} (broke down)", NAME) for rule in broken]
            lines += [
                *writer.header(dataset),
                *(line for group in wording.by_rule(bad) for line in writer.group(group)),
            ]
            lines += writer.rules(broken)
    if not lines:
        return ""
    return "\n".join([f"not clean: {wording.listing(list(dict.fromkeys(codes)))}", *lines]) + "\n"


class _Writer:
    def __init__(self, color: bool, width: int, shown: int, verbose: bool) -> None:
        self.color = color
        self.width = width
        self.shown = shown
        self.verbose = verbose

    def style(self, name: str, text: str) -> str:
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if self.color else text

    def wrap(self, text: str, indent: str, hang: str | None = None) -> list[str]:
        hang = indent if hang is None else hang
        lines = textwrap.wrap(
            text,
            self.width,
            initial_indent=indent,
            subsequent_indent=hang,
            break_long_words=False,  # a path must stay in one piece to be opened
            break_on_hyphens=False,
        )
        return [guard(line) for line in lines]

    def dataset(self, dataset: DatasetReport) -> Iterator[str]:
        yield from self.header(dataset)
        groups = wording.by_rule(dataset.leading)
        for group in groups:
            yield from self.group(group)
        if not groups:
            passed = sum(rule.status == "passed" for rule in dataset.rules)
            what = "loop" if dataset.modality == "loop" else "data set"
            nothing = "no findings" if passed else f"no rule could judge this {what}"
            yield f"  {self.style('passed' if passed else 'warning', nothing)}"
        failed = [rule for rule in dataset.rules if rule.status == "failed"]
        yield from self.rules(list(dataset.rules) if self.verbose else failed)

    def header(self, dataset: DatasetReport) -> Iterator[str]:
        name = clean(dataset.name, NAME)
        about = f"{clean(dataset.layout, NAME)}, {counted(wording.samples(dataset), 'sample')}"
        splits = [f"{clean(split.name, NAME)} {split.samples:,}" for split in dataset.splits]
        if len(splits) > 1:
            limit = 100 if self.verbose else 6
            more = f", {len(splits) - limit:,} more" if len(splits) > limit else ""
            about += f" ({', '.join(splits[:limit])}{more})"
        first, *rest = self.wrap(f"{name}  {about}", "", "  ") or [""]
        yield self.style("bold", first[: len(name)]) + first[len(name) :]
        yield from rest
        known = dataset.label
        if dataset.modality == "loop":
            yield from self.wrap(clean(dataset.evidence, SENTENCE), "  ", "    ")
        elif known is None:
            yield from self.wrap("no label recognised", "  ")
        else:
            named = f"label {clean(known.name, NAME)}, {known.task}: {clean(known.evidence, SENTENCE)}"
            sure = "certain" if known.confidence == "certain" else f"{known.confidence} confidence"
            yield from self.wrap(f"{named} ({sure})", "  ", "    ")
        if self.verbose:
            for what, why in [
                ("layout", "" if dataset.modality == "loop" else dataset.evidence),
                *((split.name, split.evidence) for split in dataset.splits),
            ]:
                if why:
                    yield from self.wrap(f"{clean(what, NAME)}: {clean(why, SENTENCE)}", "  ", "    ")

    def group(self, group: list[Finding]) -> Iterator[str]:
        shown = group[: self.shown]
        said = ""
        for finding in shown:
            # A remedy that all of a rule's findings share is said once.
            yield from self.finding(finding, with_remedy=finding.remedy != said)
            said = finding.remedy
        if len(group) > len(shown):
            names = [
                clean(name, NAME) for finding in group[len(shown) :][:50] for _, name in wording.place(finding)[-1:]
            ]
            where = f": {wording.listing(list(dict.fromkeys(names)), 5)}" if names and len(group) <= 50 else ""
            yield from self.wrap(f"and {len(group) - len(shown):,} more {clean(group[0].code, NAME)}{where}", _INDENT)

    def finding(self, finding: Finding, *, with_remedy: bool) -> Iterator[str]:
        code = clean(finding.code, NAME)
        where = ", ".join(f"{_KINDS[kind]}{clean(name, NAME)}" for kind, name in wording.place(finding))
        head = f"  {finding.severity:<7}  {code}"
        text = f"{f'{where}: ' if where else ''}{clean(finding.message, SENTENCE)}"
        first, *rest = self.wrap(f"{code}  {text}", f"  {finding.severity:<7}  ", _INDENT)
        rest_of_first = first[len(head) :] if first.startswith(head) else ""
        yield f"  {self.style(finding.severity, f'{finding.severity:<7}')}  {self.style('bold', code)}{rest_of_first}"
        yield from rest
        if with_remedy and finding.remedy:
            yield from self.wrap(f"fix: {clean(finding.remedy, SENTENCE)}", _INDENT, _INDENT + "     ")
        if finding.also:
            yield from self.wrap(
                f"also: {', '.join(finding.also)} (part of the same fault)", _INDENT, _INDENT + "      "
            )
        yield from self.samples(finding)

    def samples(self, finding: Finding) -> Iterator[str]:
        samples = finding.affected.samples[: self.shown]
        if not samples:
            return
        more = max(finding.affected.count, len(finding.affected.samples)) - len(samples)
        about = "" if finding.affected.exact else "about "
        tail = f" and {about}{more:,} more" if more else ""
        if self.verbose:
            for sample in samples:
                yield from self.wrap(f"at {_sample(sample)}", _INDENT, _INDENT + "   ")
            if tail:
                yield f"{_INDENT}{tail.strip()}"
        else:
            joined = "; ".join(_sample(sample) for sample in samples)
            yield from self.wrap(f"at:  {joined}{tail}", _INDENT, _INDENT + "     ")

    def rules(self, rules: list[RuleStatus]) -> Iterator[str]:
        if self.verbose and rules:
            yield f"  {self.style('bold', 'rules')}"
        names = max((len(f"{rule.code} {rule.rule}") for rule in rules), default=0)
        for rule in rules:
            name = clean(f"{rule.code} {rule.rule}", NAME)
            reason = clean(rule.reason or rule.coverage, SENTENCE)
            head = f"  {rule.status:<7}  "
            first, *rest = self.wrap(f"{name.ljust(min(names, 40))}  {reason}", head, _INDENT + "  ")
            yield f"  {self.style(rule.status, f'{rule.status:<7}')}  {first[len(head) :]}"
            yield from rest

    def totals(self, report: Report) -> list[str]:
        worst = next((name for name in ("error", "warning") if getattr(report.summary, name)), "passed")
        first, *rest = self.wrap(wording.totals(report), "")
        found, mark, tail = first.partition(" in ")
        return [self.style(worst, found) + mark + tail, *rest]


def _sample(sample: AffectedSample) -> str:
    details = ", ".join(
        f"{clean(wording.label(key), NAME)} {clean(wording.value(key, item), NAME)}"
        for key, item in wording.told(sample.detail).items()
    )
    return clean(sample.id, PATH) + (f" ({details})" if details else "")
