"""What the HTML page shows of a report, cut to size: plain records that the templates only have to lay out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core.severity import SEVERITIES
from datalint.core.wording import counted
from datalint.report import wording
from datalint.report.html import svg
from datalint.report.html.batches import batches_picture
from datalint.report.html.cards import Album, Card, CardMaker
from datalint.report.html.charts import scale_chart
from datalint.report.html.columns import column_table, says_something, spoken_of
from datalint.report.html.facts import Facts
from datalint.report.html.matrices import overlap_matrix
from datalint.report.html.scatter import scatter
from datalint.report.html.tables import Table, of_facts

if TYPE_CHECKING:
    from datalint.core.severity import Severity
    from datalint.report.html.batches import BatchesPicture
    from datalint.report.html.charts import ScaleChart
    from datalint.report.html.columns import ColumnTable
    from datalint.report.html.limits import Limits
    from datalint.report.html.matrices import Matrix
    from datalint.report.html.scatter import Scatter
    from datalint.report.html.tables import ClassRow, SplitRow
    from datalint.report.models import DatasetReport, Finding, Report, RuleStatus


_OUTCOMES = ("failed", "found", "skipped", "passed", "idle")
"""The rules as the table of them lists them: what says most comes first."""


@dataclass(frozen=True)
class Group:
    """All findings of one rule and severity in one data set, as the overview lists them."""

    severity: Severity
    code: str
    title: str
    findings: int
    samples: str
    anchor: str
    dataset: str


@dataclass(frozen=True)
class DatasetView:
    """One data set's part of the page."""

    anchor: str
    dataset: DatasetReport
    samples: str
    ran: str
    """How many rules ran, found something, passed and were skipped, and why."""
    coverage: str
    counts: tuple[tuple[str, str], ...]
    splits: tuple[SplitRow, ...]
    hidden_splits: int
    strips: tuple[svg.StripPicture, ...]
    hidden_strips: int
    strip_note: str
    class_splits: tuple[str, ...]
    classes: tuple[ClassRow, ...]
    hidden_classes: int
    first: BatchesPicture | None
    overlap: Matrix | None
    scales: ScaleChart | None
    columns: ColumnTable | None
    sizes: Scatter | None
    facts: tuple[Table, ...]
    unjudged: tuple[str, ...]
    no_label: bool
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    judged: bool
    rules: tuple[RuleStatus, ...]
    hidden_rules: int


@dataclass(frozen=True)
class Page:
    """Everything above the run footer."""

    title: str
    description: str
    verdict: str
    notes: tuple[str, ...]
    """What was not read, and what the data's own settings change."""
    worst: str
    tiles: tuple[tuple[str, str, str], ...]
    cards: tuple[Card, ...]
    """Of all data sets, worst first."""
    datasets: tuple[DatasetView, ...]
    hidden_datasets: int
    groups: tuple[Group, ...]
    hidden_groups: int
    codes: tuple[str, ...]
    splits: tuple[str, ...]


def build(report: Report, limits: Limits) -> Page:
    """The page for ``report`` within ``limits``; what is left out is counted, and said on the page.

    Raises:
        TooLargeError: the cards hold more characters than ``limits`` allow.
    """
    shown = _worst_datasets(report, limits.datasets)
    quotas = _quotas(shown, limits)
    maker = CardMaker(limits, report.thumbnails)
    # In addition to the affected samples' own, so that neither crowds out the other.
    album = Album(report.thumbnails, limits.pictures, limits.picture_bytes // 2)
    several = len(report.datasets) > 1
    made = [_dataset(number, dataset, quotas, maker, album, limits, several) for number, dataset in enumerate(shown)]
    views = tuple(view for view, _ in made)
    cards = sorted((card for _, own in made for card in own), key=lambda c: SEVERITIES.index(c.finding.severity))
    groups = sorted((g for view in views for g in view.groups), key=lambda g: SEVERITIES.index(g.severity))
    most_groups = limits.rows * 2
    notes = (wording.inventory(report), wording.data_settings(report))
    return Page(
        title=report.title,
        description=report.description,
        verdict=wording.verdict(report),
        notes=tuple(note[:1].upper() + note[1:] for note in notes if note),
        worst=_worst(report),
        tiles=_tiles(report),
        cards=tuple(cards),
        datasets=views,
        hidden_datasets=len(report.datasets) - len(shown),
        groups=tuple(groups[:most_groups]),
        hidden_groups=max(len(groups) - most_groups, 0),
        codes=tuple(sorted({card.finding.code for card in cards})),
        splits=tuple(dict.fromkeys(card.finding.split for card in cards if card.finding.split is not None)),
    )


def _worst(report: Report) -> str:
    summary = report.summary
    if summary.error or summary.warning:
        return "error" if summary.error else "warning"
    # Nothing was judged: no reason for a green page.
    return "passed" if wording.statuses(report)["passed"] else "skipped"


def _tiles(report: Report) -> tuple[tuple[str, str, str], ...]:
    summary, ran = report.summary, wording.statuses(report)
    noun = "Rule" if len(report.datasets) <= 1 else "Check"
    tiles = [
        ("error", summary.error, "Error" if summary.error == 1 else "Errors"),
        ("warning", summary.warning, "Warning" if summary.warning == 1 else "Warnings"),
        ("info", summary.info, "Info" if summary.info == 1 else "Infos"),
        ("passed", ran["passed"], f"{noun} passed" if ran["passed"] == 1 else f"{noun}s passed"),
        ("skipped", ran["skipped"], "Not judged"),
    ]
    if ran["failed"]:
        tiles.append(("failed", ran["failed"], "Failed"))
    suppressed = sum(dataset.suppressed for dataset in report.datasets)
    if suppressed:
        tiles.append(("skipped", suppressed, "Suppressed"))
    return tuple((kind, f"{amount:,}", word) for kind, amount, word in tiles)


def _worst_datasets(report: Report, limit: int) -> list[DatasetReport]:
    """At most ``limit`` data sets in the report's order; those with the worst findings if there are more."""

    def rank(position: int) -> tuple[int, int]:
        found = report.datasets[position].leading
        return min((SEVERITIES.index(finding.severity) for finding in found), default=len(SEVERITIES)), position

    return [report.datasets[position] for position in sorted(sorted(range(len(report.datasets)), key=rank)[:limit])]


def _quotas(datasets: list[DatasetReport], limits: Limits) -> Counter[tuple[int, Severity, str]]:
    """How many findings of a data set, severity and rule get a card; the worst have the first claim."""
    every = [(n, finding.severity, finding.code) for n, data in enumerate(datasets) for finding in data.leading]
    left = limits.cards
    per_rule: Counter[str] = Counter()
    quotas: Counter[tuple[int, Severity, str]] = Counter()
    for number, severity, code in sorted(every, key=lambda key: SEVERITIES.index(key[1])):
        if left == 0:
            break
        if per_rule[code] < limits.cards_per_rule:
            left -= 1
            per_rule[code] += 1
            quotas[number, severity, code] += 1
    return quotas


def wanted_cards(report: Report, per_rule: int) -> int:
    """How many cards ``per_rule`` findings of each rule would make."""
    found = Counter(finding.code for dataset in report.datasets for finding in dataset.leading)
    return sum(min(amount, per_rule) for amount in found.values())


def _dataset(
    number: int,
    dataset: DatasetReport,
    quotas: Counter[tuple[int, Severity, str]],
    maker: CardMaker,
    album: Album,
    limits: Limits,
    several: bool,
) -> tuple[DatasetView, list[Card]]:
    facts = Facts(dataset)
    cards: list[Card] = []
    groups: list[Group] = []
    notes: list[str] = []
    for group in wording.by_rule(dataset.leading):
        shown = [
            maker.card(finding, dataset, several=several)
            for finding in group[: quotas[number, group[0].severity, group[0].code]]
        ]
        cards += shown
        groups.append(_group(group, shown[0].anchor if shown else "", dataset.name if several else ""))
        if len(shown) < len(group):
            notes.append(f"{group[0].code}: showing {len(shown):,} of {len(group):,} findings.")
    if len(notes) > limits.rows:
        notes = [*notes[: limits.rows], f"{len(notes) - limits.rows:,} more rules: showing some or none."]
    strips = svg.pictures(facts.strips, limits.bins, limits.strips)
    tables = of_facts(dataset, facts, limits.rows)
    views, label = dataset.views, dataset.label.name if dataset.label is not None else ""
    flags = spoken_of((card.finding, card.anchor) for card in cards)
    severities = Counter(finding.severity for finding in dataset.leading)
    view = DatasetView(
        anchor=f"dataset-{number + 1}",
        dataset=dataset,
        samples=counted(wording.samples(dataset), "sample"),
        ran=wording.ran(dataset.rules),
        coverage=wording.coverage(dataset.rules),
        counts=tuple((s, counted(severities[s], s)) for s in ("error", "warning", "info") if severities[s]),
        splits=tables.splits,
        hidden_splits=len(dataset.splits) - len(tables.splits),
        strips=tuple(strips),
        hidden_strips=max(len(facts.strips) - limits.strips, 0),
        strip_note=svg.legend_note(strips),
        class_splits=tables.class_splits,
        classes=tables.classes,
        hidden_classes=tables.hidden_classes,
        first=None
        if views.first_batches is None
        else batches_picture(views.first_batches, svg.colours_of(facts.strips), album, label, limits.rows),
        overlap=None if views.overlap is None else overlap_matrix(views.overlap),
        scales=None if views.scales is None else scale_chart(views.scales, min(limits.rows, 20)),
        columns=None
        if views.columns is None or not says_something(views.columns)
        else column_table(views.columns, flags, min(limits.rows, 40)),
        # Two points are no picture: the finding about them says it all.
        sizes=None if views.sizes is None or views.sizes.distinct < 3 else scatter(views.sizes, limits.rows),
        facts=tables.others,
        unjudged=tuple(wording.not_judged(dataset)[: limits.rows]),
        no_label=wording.has_no_label(dataset),
        groups=tuple(groups),
        notes=tuple(notes),
        judged=any(rule.status in ("passed", "found") for rule in dataset.rules),
        rules=tuple(sorted(dataset.rules, key=lambda rule: _OUTCOMES.index(wording.outcome(rule))))[: limits.rows * 4],
        hidden_rules=max(len(dataset.rules) - limits.rows * 4, 0),
    )
    return view, cards


def _group(group: list[Finding], anchor: str, dataset: str) -> Group:
    total = sum(finding.affected.count for finding in group)
    exact = all(finding.affected.exact for finding in group)
    first = group[0]
    return Group(
        severity=first.severity,
        code=first.code,
        title=wording.title(first.rule),
        findings=len(group),
        samples=("" if exact else "about ") + f"{total:,}" if total else "",
        anchor=anchor,
        dataset=dataset,
    )
