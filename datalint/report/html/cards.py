"""Finding cards of the HTML page: one finding each, with evidence, samples and pictures."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from datalint.report import wording
from datalint.report.html.charts import PooledChart, pooled_chart
from datalint.report.html.matrices import Matrix, confusion
from datalint.report.html.repairs import Repairs
from datalint.report.html.tables import Table, of_evidence
from datalint.rules.detection_figures import all_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

    from datalint.report.html.limits import Limits
    from datalint.report.models import AffectedSample, DatasetReport, Finding

# What lies open on a card; the rest folds away behind one line.
_VISIBLE_SAMPLES = 10
_VISIBLE_PICTURES = 18


class TooLargeError(Exception):
    """The page would pass ``Limits.characters``."""


@dataclass(frozen=True)
class Picture:
    """One affected sample with its thumbnail."""

    id: str
    index: int
    split: str
    source: Markup
    given: str
    suggested: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One finding."""

    anchor: str
    finding: Finding
    place: tuple[tuple[str, str], ...]
    message: str
    confidence: str
    affected: str
    numbers: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    folded: tuple[Table, ...]
    """The numbers of the pictures."""
    pictures: tuple[Picture, ...]
    more_pictures: tuple[Picture, ...]
    samples: Table | None
    more_samples: Table | None
    note: str
    figures: str
    """How often the rule was right when it was measured."""
    command: str
    """What mends it; empty where nothing does."""
    confusion: Matrix | None
    pooled: PooledChart | None
    open: bool
    """Whether all of it is seen at once."""


class CardMaker:
    """Makes the cards of one page, which share its thumbnails and its size."""

    def __init__(self, limits: Limits, thumbnails: Mapping[str, bytes]) -> None:
        """Nothing is used up yet."""
        self._limits = limits
        self._album = Album(thumbnails, limits.pictures, limits.picture_bytes)
        self._figures = all_figures()
        self._repairs = Repairs()
        self._cards = 0
        self._characters = 0

    def card(self, finding: Finding, dataset: DatasetReport, *, several: bool) -> Card:
        """The next card, of a finding in ``dataset``, which is named if it is one of ``several``.

        Raises:
            TooLargeError: all cards together hold more characters than the limits allow.
        """
        limits = self._limits
        self._cards += 1
        confused = confusion(_records(finding, "confusion"), limits.rows)
        pooled = pooled_chart(_records(finding, "columns"), limits.rows)
        drawn = {"confusion"} if confused is not None else {"columns"} if pooled is not None else set()
        numbers, tables = of_evidence({k: v for k, v in finding.evidence.items() if k not in drawn}, limits.rows)
        _, folded = of_evidence({k: v for k, v in finding.evidence.items() if k in drawn}, limits.rows)
        samples = finding.affected.samples[: limits.samples]
        pictures, others = self._album.take(samples)
        caption = "Samples without a picture" if pictures else "Affected samples"
        first, more = others[:_VISIBLE_SAMPLES], others[_VISIBLE_SAMPLES:]
        card = Card(
            anchor=f"finding-{self._cards}",
            finding=finding,
            place=(*([("data set", dataset.name)] if several else []), *wording.place(finding)),
            message=wording.relative(finding.message, dataset),
            confidence=wording.number(finding.confidence, share=True),
            affected=wording.affected(finding),
            numbers=numbers,
            tables=tables,
            folded=folded,
            pictures=tuple(pictures[:_VISIBLE_PICTURES]),
            more_pictures=tuple(pictures[_VISIBLE_PICTURES:]),
            samples=_samples(first, caption) if first else None,
            more_samples=_samples(more, "More affected samples") if more else None,
            note=_note(finding, len(samples)),
            figures=measured.short() if (measured := self._figures.get(finding.code)) is not None else "",
            command=self._repairs.command(finding, dataset),
            confusion=confused,
            pooled=pooled,
            open=False,
        )
        self._weigh(card)
        return card

    def _weigh(self, card: Card) -> None:
        most = self._limits.characters
        if most is None:
            return
        tables = [
            *card.tables,
            *card.folded,
            *(table for table in (card.samples, card.more_samples) if table is not None),
        ]
        cells: list[Iterable[str]] = [*card.numbers, *(row for table in tables for row in table.rows)]
        self._characters += sum(min(len(text), self._limits.text) for row in cells for text in row)
        if self._characters > most:
            raise TooLargeError


def _records(finding: Finding, key: str) -> list[dict[str, JsonValue]]:
    found = finding.evidence.get(key)
    return [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []


def _note(finding: Finding, shown: int) -> str:
    total = max(finding.affected.count, len(finding.affected.samples))
    if not shown or total <= shown:
        return ""
    about = "" if finding.affected.exact else "about "
    return f"Showing {shown:,} of {about}{total:,} affected samples, worst first."


def _samples(samples: list[AffectedSample], caption: str) -> Table:
    keys = list(dict.fromkeys(key for sample in samples for key in wording.told(sample.detail)))[:6]
    # One split for all samples is already said at the top of the card.
    splits = len({sample.split for sample in samples}) > 1
    rows = []
    for sample in samples:
        row: list[str] = [sample.id, str(sample.index), *([sample.split] if splits else [])]
        rows.append(
            (*row, *(wording.value(key, sample.detail[key], 6) if key in sample.detail else "" for key in keys))
        )
    numeric = [
        all(isinstance(sample.detail.get(key, 0), int | float) for sample in samples if key in sample.detail)
        for key in keys
    ]
    columns = ["Sample", "Index", *(["Split"] if splits else []), *(wording.label(key).capitalize() for key in keys)]
    return Table(caption, tuple(columns), tuple(rows), (False, True, *([False] if splits else []), *numeric))


class Album:
    """Hands out thumbnails, worst samples first, until the page has had enough."""

    def __init__(self, thumbnails: Mapping[str, bytes], pictures: int, size: int) -> None:
        """At most so many, of at most ``size`` bytes together."""
        self.thumbnails = thumbnails
        self.left = pictures
        self.bytes_left = size
        self.largest = size // 20  # no single picture may use up what all share

    def take(self, samples: tuple[AffectedSample, ...]) -> tuple[list[Picture], list[AffectedSample]]:
        """The samples that get a picture, and the others."""
        pictures, others = [], []
        for sample in samples:
            source = self.source(sample.id)
            if source is None:
                others.append(sample)
            else:
                pictures.append(_picture(sample, source))
        return pictures, others

    def source(self, name: str) -> Markup | None:
        """The picture of one sample as a link that holds it; None where there is none or no room for it."""
        data = self.thumbnails.get(name)
        if data is None or self.left <= 0:
            return None
        size = (len(data) + 2) // 3 * 4
        if size > min(self.largest, self.bytes_left):
            return None
        self.left -= 1
        self.bytes_left -= size
        # Base64 holds nothing that needs escaping; Markup also keeps it from being cut like a long name.
        return Markup("data:image/webp;base64,") + Markup(b64encode(data).decode("ascii"))


def _picture(sample: AffectedSample, source: Markup) -> Picture:
    detail = wording.told(sample.detail)
    given, suggested = detail.pop("given", None), detail.pop("suggested", None)
    return Picture(
        id=sample.id,
        index=sample.index,
        split=sample.split,
        source=source,
        given="" if given is None else wording.value("given", given),
        suggested="" if suggested is None else wording.value("suggested", suggested),
        details=tuple((wording.label(key), wording.value(key, item, 6)) for key, item in list(detail.items())[:6]),
    )
