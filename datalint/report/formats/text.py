"""The report for a terminal: one screen for a person in a hurry, the worst at its end, where one looks first."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from datalint.core.severity import SEVERITIES, at_least
from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.escape import clean, guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datalint.core.severity import FailOn
    from datalint.report.models import AffectedSample, DatasetReport, Finding, Report, RuleStatus

_T = TypeVar("_T")

# A name longer than this says no more at its end; the full one is in the JSON report.
NAME: Final = 160
PATH: Final = 1_000
SENTENCE: Final = 600
SHOWN: Final = 3  # findings of one rule, samples of one finding, reasons of rules that could not judge
SHOWN_VERBOSE: Final = 20
SETS, SETS_VERBOSE = 20, 200
"""Rows of the table of data sets."""

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

    What was scanned comes first (of several data sets a table), then the findings of all of them, the worst last, then
    what could not be judged.

    Args:
        report: what to show.
        color: whether to use ANSI colours; severities are words either way.
        width: columns to wrap at; only a single word longer than that (a path) runs over.
        verbose: all rules with their reasons, and up to 20 findings per rule and samples per finding instead of 3.
    """
    writer = _Writer(color, max(width, 40), verbose=verbose, several=len(report.datasets) > 1)
    lines = list(writer.scanned(report.datasets))
    lines += [""] if report.findings else []
    found = [_Placed(dataset, finding) for dataset in report.datasets for finding in dataset.leading]
    for group in _mildest_first(found):
        lines += writer.group(group)
    ended = [*writer.broken(report.datasets), *writer.unjudged(report.datasets)]
    for note in (wording.inventory(report), wording.data_settings(report)):
        ended += writer.wrap(clean(note, SENTENCE), "", "  ")
    lines += [*([""] if lines else []), *ended, *writer.totals(report)]
    return "\n".join(lines) + "\n"


def render_reasons(report: Report, fail_on: FailOn, *, width: int = 100) -> str:
    """Why a job that scans must fail: the findings at or above ``fail_on`` and the rules that broke down; no colours.

    The first line sums up. Empty where the job may go on.
    """
    writer = _Writer(False, max(width, 40), verbose=False, several=False)
    lines: list[str] = []
    codes: list[str] = []
    for dataset in report.datasets:
        bad = [finding for finding in dataset.leading if at_least(finding.severity, fail_on)]
        broken = [rule for rule in dataset.rules if rule.status == "failed" and fail_on != "never"]
        if bad or broken:
            codes += [clean(f"{finding.code} {finding.rule}", NAME) for finding in wording.ordered(bad)]
            codes += [clean(f"{rule.code} {rule.rule} (broke down)", NAME) for rule in broken]
            lines += writer.header(dataset)
            for group in wording.by_rule(bad):
                lines += writer.group([_Placed(dataset, finding) for finding in group])
            lines += writer.rules(broken)
    if not lines:
        return ""
    return "\n".join([f"not clean: {wording.listing(list(dict.fromkeys(codes)))}", *lines]) + "\n"


@dataclass(frozen=True)
class _Placed:
    """A finding and the data set that it is of."""

    dataset: DatasetReport
    finding: Finding


def _mildest_first(found: Iterable[_Placed]) -> list[list[_Placed]]:
    """In groups of one severity and rule, over all data sets; the worst come last."""
    groups: dict[tuple[int, str], list[_Placed]] = {}
    for placed in found:
        key = (-SEVERITIES.index(placed.finding.severity), placed.finding.code)
        groups.setdefault(key, []).append(placed)
    return [groups[key] for key in sorted(groups, key=lambda key: key[0])]


def _few(items: Sequence[_T], limit: int) -> Sequence[_T]:
    """The first ones; all where a line that counts the rest would take the place of the only one."""
    return items if len(items) <= limit + 1 else items[:limit]


class _Writer:
    def __init__(self, color: bool, width: int, *, verbose: bool, several: bool) -> None:
        self.color = color
        self.width = width
        self.shown = SHOWN_VERBOSE if verbose else SHOWN
        self.verbose = verbose
        self.several = several

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

    def scanned(self, datasets: Sequence[DatasetReport]) -> Iterator[str]:
        """What was scanned."""
        if self.several:
            yield from self.table(datasets)
        for dataset in datasets if self.verbose or not self.several else ():
            yield from self.header(dataset)
            if not dataset.leading and not self.several:
                judged = _judged(dataset)
                what = "loop" if dataset.modality == "loop" else "data set"
                nothing = "no findings" if judged else f"no rule could judge this {what}"
                yield f"  {self.style('passed' if judged else 'warning', nothing)}"
            if self.verbose:
                yield from self.rules(dataset.rules)

    def table(self, datasets: Sequence[DatasetReport]) -> Iterator[str]:
        """A line for each of several data sets, those with the worst findings first."""
        ranked = sorted(datasets, key=lambda d: [-_count(d, severity) for severity in SEVERITIES])
        shown = _few(ranked, SETS_VERBOSE if self.verbose else SETS)
        rows = [("", "samples", "label", "findings"), *map(_row, shown)]
        most = max(12, self.width * 2 // 5)
        widths = [min(most, max(len(row[k]) for row in rows)) for k in range(3)]
        yield self.style("bold", counted(len(datasets), "data set"))
        for name, samples, label, findings in rows:
            cells = [clean(name, widths[0]).ljust(widths[0]), samples.rjust(widths[1]), clean(label, 24)]
            cells[2] = cells[2].ljust(min(widths[2], 24))
            yield from self.wrap(f"{'  '.join(cells)}  {findings}", "  ", "      ")
        if len(shown) < len(ranked):
            rest = ranked[len(shown) :]
            worst = next((severity for severity in SEVERITIES if any(_count(d, severity) for d in rest)), None)
            yield f"  and {len(rest):,} more {f'with {worst}s at most' if worst else 'without findings'}"

    def header(self, dataset: DatasetReport) -> Iterator[str]:
        name = clean(dataset.name, NAME)
        about = f"{clean(dataset.layout, NAME)}, {counted(wording.samples(dataset), 'sample')}"
        splits = [f"{clean(split.name, NAME)} {split.samples:,}" for split in dataset.splits]
        if len(splits) > 1:
            shown = _few(splits, 100 if self.verbose else 6)
            more = f", {len(splits) - len(shown):,} more" if len(splits) > len(shown) else ""
            about += f" ({', '.join(shown)}{more})"
        first, *rest = self.wrap(f"{name}  {about}", "", "  ") or [""]
        yield self.style("bold", first[: len(name)]) + first[len(name) :]
        yield from rest
        known = dataset.label
        if dataset.modality == "loop" or wording.has_no_label(dataset):
            yield from self.wrap(clean(dataset.evidence, SENTENCE), "  ", "    ")
        elif known is None:
            yield from self.wrap("no label recognised", "  ")
        else:
            named = f"label {clean(known.name, NAME)}, {known.task}: {clean(known.evidence, SENTENCE)}"
            sure = "certain" if known.confidence == "certain" else f"{known.confidence} confidence"
            yield from self.wrap(f"{named} ({sure})", "  ", "    ")
        if self.verbose:
            for what, why in [
                ("path", "" if dataset.modality == "loop" else dataset.path),
                ("layout", "" if dataset.modality == "loop" else dataset.evidence),
                *((split.name, split.evidence) for split in dataset.splits),
            ]:
                if why:
                    yield from self.wrap(f"{clean(what, NAME)}: {clean(why, SENTENCE)}", "  ", "    ")

    def group(self, group: Sequence[_Placed]) -> Iterator[str]:
        """The findings of one rule and severity; infos on several data sets in one line."""
        if self.several and not self.verbose and group[0].finding.severity == "info":
            yield from self.brief(group)
            return
        shown = _few(group, self.shown)
        fixes = {placed.finding.remedy for placed in shown}
        for number, placed in enumerate(shown):
            # A remedy that all of a rule's findings share is said once, below the last of them.
            yield from self.finding(placed, with_remedy=len(fixes) > 1 or number == len(shown) - 1)
        if len(group) > len(shown):
            rest = group[len(shown) :]
            names = [clean(name, NAME) for placed in rest[:50] for name in self._places(placed)[-1:]]
            where = f": {wording.listing(list(dict.fromkeys(names)), 5)}" if names and len(group) <= 50 else ""
            code = clean(group[0].finding.code, NAME)
            yield from self.wrap(f"and {len(rest):,} more {code}{where}", _INDENT, _INDENT + "  ")

    def brief(self, group: Sequence[_Placed]) -> Iterator[str]:
        """Where a rule found something."""
        names = dict.fromkeys(clean(placed.dataset.name, NAME) for placed in group)
        yield from self._headed(group[0].finding, f"in {wording.listing(list(names), 5)}")

    def _headed(self, finding: Finding, text: str) -> Iterator[str]:
        name = clean(f"{finding.code} {finding.rule}", NAME)
        head = f"  {finding.severity:<7}  "
        first, *rest = self.wrap(f"{name}  {text}", head, _INDENT)
        if self.color and first.startswith(head + name):
            severity = self.style(finding.severity, f"{finding.severity:<7}")
            first = f"  {severity}  {self.style('bold', name)}{first[len(head + name) :]}"
        yield first
        yield from rest

    def _places(self, placed: _Placed) -> list[str]:
        places = [f"{_KINDS[kind]}{clean(name, NAME)}" for kind, name in wording.place(placed.finding)]
        return [clean(placed.dataset.name, NAME), *places] if self.several else places

    def finding(self, placed: _Placed, *, with_remedy: bool) -> Iterator[str]:
        finding = placed.finding
        where = ", ".join(self._places(placed))
        message = clean(wording.relative(finding.message, placed.dataset), SENTENCE)
        yield from self._headed(finding, f"{where}: {message}" if where else message)
        yield from self.samples(placed)
        if with_remedy and finding.remedy:
            yield from self.wrap(f"fix: {clean(finding.remedy, SENTENCE)}", _INDENT, _INDENT + "     ")
        if finding.also:
            yield from self.wrap(
                f"also: {', '.join(finding.also)} (part of the same fault)", _INDENT, _INDENT + "      "
            )

    def samples(self, placed: _Placed) -> Iterator[str]:
        """One a line; of an info the first alone."""
        known = placed.finding.affected
        limit = 1 if placed.finding.severity == "info" and not self.verbose else self.shown
        samples = known.samples[:limit]
        if not samples:
            return
        total = max(known.count, len(known.samples))
        if limit > 1 and total == limit + 1 == len(known.samples):
            samples = known.samples  # no line would be saved
        texts = [_sample(sample, placed.dataset) for sample in samples]
        if total > len(samples):
            texts[-1] += f" and {'' if known.exact else 'about '}{total - len(samples):,} more"
        for number, text in enumerate(texts):
            yield from self.wrap(text, f"{_INDENT}{'at:' if number == 0 else '   '}  ", _INDENT + "       ")

    def rules(self, rules: Sequence[RuleStatus]) -> Iterator[str]:
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

    def broken(self, datasets: Sequence[DatasetReport]) -> Iterator[str]:
        """The rules that broke down."""
        for dataset in () if self.verbose else datasets:
            failed = [rule for rule in dataset.rules if rule.status == "failed"]
            if failed and self.several:
                yield from self.wrap(clean(dataset.name, NAME), "  ")
            yield from self.rules(failed)

    def unjudged(self, datasets: Sequence[DatasetReport]) -> Iterator[str]:
        """What rules could not judge, and why."""
        if self.verbose:
            return  # the list of rules says it
        sets: dict[str, list[str]] = {}
        for dataset in datasets:
            for line in wording.not_judged(dataset):
                sets.setdefault(line, []).append(clean(dataset.name, NAME))
        lines = [(line, f"{wording.listing(names)}: " if self.several else "") for line, names in sets.items()]
        shown = _few(lines, self.shown)
        for line, where in shown:
            yield from self.wrap(f"not judged: {where}{clean(line, SENTENCE)}", "", "  ")
        if len(lines) > len(shown):
            yield f"not judged: {len(lines) - len(shown):,} more, which --verbose lists"

    def totals(self, report: Report) -> list[str]:
        worst = next((name for name in ("error", "warning") if getattr(report.summary, name)), "passed")
        first, *rest = self.wrap(wording.totals(report), "", "  ")
        found, mark, tail = first.partition(" in ")
        return [self.style(worst, found) + mark + tail, *rest]


def _judged(dataset: DatasetReport) -> bool:
    return any(rule.status in ("passed", "found") for rule in dataset.rules)


def _count(dataset: DatasetReport, severity: str) -> int:
    return sum(finding.severity == severity for finding in dataset.leading)


def _row(dataset: DatasetReport) -> tuple[str, str, str, str]:
    counts = [counted(amount, severity) for severity in SEVERITIES if (amount := _count(dataset, severity))]
    label = "" if dataset.label is None else clean(dataset.label.name, NAME)
    guess = " (a guess)" if dataset.label is not None and dataset.label.confidence == "low" else ""
    nothing = "none" if _judged(dataset) else "could not be judged"
    return clean(dataset.name, NAME), f"{wording.samples(dataset):,}", label + guess, ", ".join(counts) or nothing


def _sample(sample: AffectedSample, dataset: DatasetReport) -> str:
    details = ", ".join(
        f"{clean(wording.label(key), NAME)} {clean(wording.value(key, item), NAME)}"
        for key, item in wording.told(sample.detail).items()
    )
    return clean(wording.relative(sample.id, dataset), PATH) + (f" ({details})" if details else "")
