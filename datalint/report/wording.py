"""Words and numbers that all writers share, so that the terminal and the page say the same thing."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from datalint.core.severity import SEVERITIES
from datalint.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

    from datalint.report.models import DatasetReport, Finding, Report, RuleStatus

LONGEST = 4_000
"""Characters of one value as text; the writers cut further."""

_REASONS = 3
"""Reasons and coverages shown in a summary; the table of rules has them all."""

_SHARES = ("_share", "_rate", "accuracy")


def number(value: float, *, share: bool = False) -> str:
    """``value`` as people write it: integers exact with thousands separators, others with three significant digits.

    With ``share``, a fraction of one is written as a percentage, and one that is not quite all never as 100%.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and not share:
        # Python refuses to print integers of thousands of digits.
        return f"{value:,}" if value.bit_length() <= 128 else f"about 10^{int(value.bit_length() * math.log10(2))}"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("-" if value < 0 else "") + "infinity"
    if share:
        if 0 < abs(value) < 5e-5:
            return "<0.01%" if value > 0 else ">-0.01%"
        text = number(100.0 * value)
        return (text if text != "100" or value == 1 else ">99.9" if 100.0 * value < 100 else ">100") + "%"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e15 or size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    if size >= 100:
        return f"{value:,.0f}"
    text = f"{value:.{2 - math.floor(math.log10(size))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """A fraction of one for a column of them: one decimal each, so that they align."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{min(100 * share, 99.9) if share < 1 else 100 * share:.1f}%"


def is_share(key: str) -> bool:
    """Whether the number of that name is a fraction of one, to be shown as a percentage."""
    return key.endswith(_SHARES)


def value(key: str, item: JsonValue, limit: int = 12) -> str:
    """One evidence value as text of at most :data:`LONGEST` characters.

    A list or mapping shows at most ``limit`` items and says how many more there are.
    """
    if item is None:
        return "none"
    if isinstance(item, str):
        return item[:LONGEST]
    if isinstance(item, int | float):
        return number(item, share=is_share(key) and not isinstance(item, bool))
    if isinstance(item, list):
        return _joined([value(key, part, limit) for part in item[:limit]], len(item))
    pairs = [f"{label(name)} {value(name, part, limit)}" for name, part in list(item.items())[:limit]]
    return _joined(pairs, len(item))


def _joined(parts: list[str], total: int) -> str:
    more = f" and {total - len(parts):,} more" if total > len(parts) else ""
    return ", ".join(parts)[:LONGEST] + more


def told(detail: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What a person wants to know of a sample: not the index of another one that is named as well."""
    return {key: item for key, item in detail.items() if key.removesuffix("_index") not in detail.keys() - {key}}


def label(key: str) -> str:
    """A key of the evidence as words: ``median_run_length`` becomes ``median run length``."""
    return key[:LONGEST].replace("_", " ").strip()


def title(rule: str) -> str:
    """A rule's name as words: ``sorted-by-label`` becomes ``sorted by label``."""
    return rule.replace("-", " ")


def listing(parts: list[str], limit: int = 4) -> str:
    """``a``, ``a and b``, ``a, b and 3 more``."""
    if len(parts) > limit:
        parts = [*parts[: limit - 1], f"{len(parts) - limit + 1:,} more"]
    return " and ".join(part for part in [", ".join(parts[:-1]), *parts[-1:]] if part)


def place(finding: Finding) -> list[tuple[str, str]]:
    """Where in the data set a finding is: pairs like ``("column", "age")``; empty for the whole set."""
    pairs = [("split", finding.split), ("column", finding.column), ("class", finding.class_)]
    return [(kind, name) for kind, name in pairs if name is not None]


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Worst severity first, else in the order given; the order of every writer."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def leading(report: Report) -> list[Finding]:
    """The findings of all data sets without those that follow from another."""
    return ordered(finding for dataset in report.datasets for finding in dataset.leading)


def by_rule(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings in groups of one severity and rule, worst severity first, else by first appearance."""
    worst_first = ordered(findings)
    first: dict[tuple[str, str], int] = {}
    for position, finding in enumerate(worst_first):
        first.setdefault((finding.severity, finding.code), position)

    def rank(finding: Finding) -> int:
        return first[finding.severity, finding.code]

    return [list(group) for _, group in groupby(sorted(worst_first, key=rank), key=rank)]


def outcome(rule: RuleStatus) -> str:
    """The status of a rule, where ``idle`` is one that has nothing to judge in such data, and ``skipped`` one that could not."""
    return rule.status if rule.applies or rule.status != "skipped" else "idle"


def statuses(report: Report) -> Counter[str]:
    """How many rules found something, passed, were skipped or idle, or failed, over all data sets."""
    return Counter(outcome(rule) for dataset in report.datasets for rule in dataset.rules)


def unjudged(rules: Iterable[RuleStatus]) -> list[tuple[str, list[RuleStatus]]]:
    """Why rules that such data has something for could not judge it, and which these are; most rules first."""
    why: dict[str, list[RuleStatus]] = {}
    for rule in rules:
        if outcome(rule) == "skipped":
            why.setdefault(rule.reason or "no reason given", []).append(rule)
    return sorted(why.items(), key=lambda item: -len(item[1]))


def not_judged(dataset: DatasetReport) -> list[str]:
    """``LBL102 noisy-labels: the models are too weak``, a line per reason."""
    return [
        f"{listing([f'{rule.code} {rule.rule}' for rule in rules])}: {reason}"
        for reason, rules in unjudged(dataset.rules)
    ]


def _severities(report: Report) -> list[str]:
    summary = report.summary
    counts = [(summary.error, "error"), (summary.warning, "warning"), (summary.info, "info")]
    return [counted(amount, noun) for amount, noun in counts if amount]


def _rules_noun(report: Report) -> str:
    # Over several data sets one rule is counted once for each.
    return "rule" if len(report.datasets) <= 1 else "check"


def data_settings(report: Report) -> str:
    """``settings from data/datalint.toml: fail-on never, 2 ignores``; empty where the data sets nothing itself."""
    own = report.data_settings
    if own is None or not (own.changes or own.not_obeyed):
        return ""
    parts = [", ".join(own.changes)] if own.changes else []
    if own.not_obeyed:
        parts.append(f"not obeyed from inside the data: {', '.join(own.not_obeyed)}")
    return f"settings from {own.file}: {'; '.join(parts)}"


def inventory(report: Report) -> str:
    """``not read: 100 .xml (annotations), 2 .h5 (HDF5: h5py reads it)``; empty where everything that may be data was read."""
    idle = [kind for kind in report.inventory.kinds if kind.data]
    named = [
        f"{kind.files - kind.read:,} {kind.suffix or 'without suffix'}{f' ({kind.what})' if kind.what else ''}"
        for kind in idle
    ]
    return "; ".join([*([f"not read: {listing(named)}"] if named else []), *report.inventory.layouts_failed])


def things(report: Report) -> str:
    """What was judged: ``data set``, or ``training loop`` where nothing else was."""
    loops = bool(report.datasets) and all(dataset.modality == "loop" for dataset in report.datasets)
    return "training loop" if loops else "data set"


def verdict(report: Report) -> str:
    """The result in one sentence (two where rules failed)."""
    sets = counted(report.summary.datasets, things(report))
    ran = statuses(report)
    failed = f" {counted(ran['failed'], _rules_noun(report))} failed and could not judge." if ran["failed"] else ""
    if not report.summary.datasets:
        return "No data set was scanned."
    if report.summary.error or report.summary.warning:
        names = dict.fromkeys(title(f.rule) for f in leading(report) if f.severity != "info")
        why = f": {listing(list(names))}" if names else ""
        return f"{listing(_severities(report))} in {sets}{why}.{failed}"
    left = (
        f" {counted(ran['skipped'], _rules_noun(report))} could not judge{_unseen(report)}." if ran["skipped"] else ""
    )
    if report.summary.info:
        names = dict.fromkeys(title(f.rule) for f in leading(report))
        what = f": {listing(list(names))}" if names else ""
        worth = "1 thing is" if report.summary.info == 1 else f"{report.summary.info:,} things are"
        return f"No errors or warnings; {worth} worth knowing{what}.{left}{failed}"
    if not ran["passed"]:
        return f"No rule could judge {'this' if report.summary.datasets == 1 else 'these'} {sets[2:]}.{failed}"
    return f"Nothing found by the {counted(ran['passed'], _rules_noun(report))} that could judge.{left}{failed}"


def _unseen(report: Report) -> str:
    """``: noisy labels and weak group``."""
    names = dict.fromkeys(
        title(rule.rule) for dataset in report.datasets for rule in dataset.rules if outcome(rule) == "skipped"
    )
    return f": {listing(list(names))}"


def totals(report: Report) -> str:
    """``2 errors, 1 warning, 3 infos in 1 data set; 9 rules passed, 1 could not judge, 30 do not apply``."""
    ran = statuses(report)
    parts = [f"{counted(ran['passed'], _rules_noun(report))} passed"]
    parts += [f"{ran['skipped']:,} could not judge"] if ran["skipped"] else []
    parts += [f"{ran['idle']:,} {'does' if ran['idle'] == 1 else 'do'} not apply"] if ran["idle"] else []
    parts += [f"{ran['failed']:,} failed"] if ran["failed"] else []
    suppressed = sum(dataset.suppressed for dataset in report.datasets)
    tail = f"; {counted(suppressed, 'finding')} suppressed" if suppressed else ""
    return f"{found(report)} in {counted(report.summary.datasets, things(report))}; {', '.join(parts)}{tail}"


def found(report: Report) -> str:
    """``2 errors, 1 warning, 3 infos``."""
    return ", ".join(_severities(report)) or "no findings"


def ran(rules: Iterable[RuleStatus]) -> str:
    """``61 ran: 4 found something, 57 passed; 2 could not judge; 18 do not apply``."""
    ended = Counter(outcome(rule) for rule in rules)
    parts = [
        f"{ended['found'] + ended['passed']:,} ran: {ended['found']:,} found something, {ended['passed']:,} passed"
    ]
    parts += [f"{ended['skipped']:,} could not judge"] if ended["skipped"] else []
    parts += [f"{ended['idle']:,} {'does' if ended['idle'] == 1 else 'do'} not apply"] if ended["idle"] else []
    parts += [f"{ended['failed']:,} failed and could not judge"] if ended["failed"] else []
    return "; ".join(parts)


def coverage(rules: Iterable[RuleStatus]) -> str:
    """``all samples (57 rules), neighbours among up to 3,000 samples of each split (2 rules)``."""
    rests = Counter(rule.coverage or "unknown" for rule in rules if rule.status in ("found", "passed"))
    listed = [f"{what} ({counted(amount, 'rule')})" for what, amount in rests.most_common(_REASONS)]
    rest = sum(rests.values()) - sum(amount for _, amount in rests.most_common(_REASONS))
    return ", ".join(listed) + (f", others ({rest:,})" if rest else "")


def affected(finding: Finding) -> str:
    """``about 1,200 samples``; empty where a finding is not about samples."""
    if not finding.affected.count:
        return ""
    return ("" if finding.affected.exact else "about ") + counted(finding.affected.count, "sample")


def relative(text: str, dataset: DatasetReport) -> str:
    """A sample's name, or a sentence, with files of the data set named from its folder on."""
    folder = dataset.path.rstrip("/")
    if text.startswith(folder + "/"):
        return text.replace(folder + "/", "")
    # A single file lies in the folder that people think of.
    parent = folder.rpartition("/")[0]
    return text.replace(parent + "/", "") if parent and text.startswith(folder) else text


def has_no_label(dataset: DatasetReport) -> bool:
    """Whether its samples have no label by their nature: answers, objects or masks are to be predicted."""
    return dataset.label is None and any(rule.code == "LBL104" and not rule.applies for rule in dataset.rules)


def samples(dataset: DatasetReport) -> int:
    """Samples of all splits."""
    return sum(split.samples for split in dataset.splits)
