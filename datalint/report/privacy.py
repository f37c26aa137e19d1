"""Reports that may leave the place where the data lies: without samples, or with every name in them hashed.

Such a report is not the open one with parts crossed out. It is built from what is known to hold nothing of a sample:
typed fields, numbers that the rule declares to be counts or statistics (:attr:`datalint.rules.base.Rule.public`), names of columns,
splits and classes, and sentences that stand in the program's code word for word. All else, known or not, is left out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import sys
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import TYPE_CHECKING, Final

from datalint.report import wording
from datalint.report.models import (
    Affected,
    AffectedSample,
    DatasetReport,
    Finding,
    Held,
    Inventory,
    LabelInfo,
    Report,
    RuleStatus,
    SplitInfo,
)
from datalint.report.views import FirstBatches, HeadBatch, Views
from datalint.sources.folder import data_suffixes
from datalint.sources.inventory import WHAT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pydantic import JsonValue

    from datalint.rules.base import Rule

KEY: Final = "DATALINT_REDACT_KEY"
"""Environment variable with the secret that hashed names depend on; without it each scan draws one and forgets it."""

WITHHELD: Final = "not shown, as it may reveal the data"

NAMES: Final = frozenset(
    {"column", "columns", "split", "splits", "against", "with", "class", "classes", "label", "given", "suggested"}
)
"""What evidence and details call columns, splits and classes."""

FACTS: Final = frozenset(
    {
        *("counts", "ratio", "weights", "majority_accuracy", "chance_loss", "prior_entropy"),
        *("size", "full_batches", "single_label_share", "shuffled_single_label_share", "shuffled_classes_per_batch"),
        *("kind", "classes", "bins", "samples", "exact"),
        *("name", "accuracy", "chance_accuracy", "log_loss", "chance_log_loss", "calibration_error"),
    }
)
"""Facts that are counts and statistics; not the range of the input, nor the targets in stored order."""


def conceal(
    report: Report, rules: Sequence[Rule], columns: Collection[str], *, samples: bool = True, redact: bool = False
) -> Report:
    """The report without what it says of single samples.

    Values, pictures and sentences about them are left out; columns and splits keep their names: they are the schema, and
    no advice can be followed without them.

    Args:
        report: what was found.
        rules: those that ran.
        columns: names of columns.
        samples: whether samples are listed, under hashed names; only with ``redact``.
        redact: whether samples, classes and data sets are named by hashes, and findings by other fingerprints.
    """
    key = (os.environ.get(KEY) or secrets.token_hex()).encode("utf-8", "surrogateescape") if redact else None
    packages = {"datalint", *(type(rule).__module__.partition(".")[0] for rule in rules)}
    words = own_words(tuple(sorted(name for name in sys.modules if name.partition(".")[0] in packages)))
    by_code = {rule.code: rule for rule in rules}
    made = [
        _Built(dataset, report.all_samples(number) if samples and redact else None, by_code, columns, words, key)
        for number, dataset in enumerate(report.datasets)
    ]
    affected = {(number, name): rows for number, built in enumerate(made) for name, rows in built.affected.items()}
    return Report(
        tool=report.tool,
        summary=report.summary,
        datasets=tuple(built.dataset() for built in made),
        inventory=_known_suffixes(report.inventory),
        run=report.run,
    ).holding(Held(affected))


def _known_suffixes(inventory: Inventory) -> Inventory:
    """Without what names of files may tell: a suffix that nobody knows may be a name."""
    known = data_suffixes() | WHAT.keys()
    kinds = [kind for kind in inventory.kinds if kind.suffix in known]
    return Inventory(kinds=tuple(kinds))


@lru_cache(maxsize=2)
def own_words(modules: tuple[str, ...]) -> frozenset[str]:
    """Every text in the compiled code of these modules: what equals one of them was there before any data was read."""

    def texts(constants: Iterable[object]) -> Iterator[str]:
        for item in constants:
            if isinstance(item, str):
                yield item
            elif isinstance(item, CodeType):
                yield from texts(item.co_consts)
            elif isinstance(item, (tuple, frozenset)):
                yield from texts(item)

    found: set[str] = set()
    for name in modules:
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is not None and spec.origin is not None:
            # Under pytest a module's own loader may be one that cannot say what it loads.
            known = hasattr(spec.loader, "get_code")
            found.update(texts([(spec.loader if known else SourceFileLoader(name, spec.origin)).get_code(name)]))
    return frozenset(found)


class _Built:
    """One data set's part of the report, rebuilt."""

    def __init__(
        self,
        known: DatasetReport,
        samples: Mapping[str, Sequence[AffectedSample]] | None,
        rules: Mapping[str, Rule],
        columns: Collection[str],
        words: frozenset[str],
        key: bytes | None,
    ) -> None:
        self._known, self._rules, self._words, self._key = known, rules, words, key
        classes = {name for split in known.splits for name in split.classes or {}}
        classes |= {f.class_ for f in known.findings if f.class_ is not None}
        self._splits = {split.name for split in known.splits}
        schema = {*columns, *self._splits, *([known.label.name] if known.label else [])}
        self._names = {name: self._hidden("class", name) for name in classes} | {name: name for name in schema}
        """What a column, split or class is called in the report, by its name."""
        self.affected = {
            self._fingerprint(f.fingerprint): [self._sample(s, rules[f.code]) for s in samples[f.fingerprint]]
            for f in known.findings
            if samples is not None
        }

    def dataset(self) -> DatasetReport:
        """All that is said of the data set."""
        known, label = self._known, self._known.label
        return DatasetReport(
            name=self._hidden("data", known.path) if self._key else known.name,
            path=self._hidden("data", known.path),
            layout=self._own(known.layout, {"images": "images", "audio": "recordings"}.get(known.modality, "tables")),
            storage=known.storage,
            modality=known.modality,
            evidence=self._own(known.evidence, ""),
            label=label
            and LabelInfo(
                name=label.name,
                evidence=self._own(label.evidence, WITHHELD),
                confidence=label.confidence,
                task=label.task,
            ),
            splits=tuple(
                SplitInfo(
                    name=split.name,
                    samples=split.samples,
                    classes=None if split.classes is None else {self._names[c]: n for c, n in split.classes.items()},
                    evidence=self._own(split.evidence, ""),
                )
                for split in known.splits
            ),
            facts=self._record(known.facts, FACTS),
            views=Views(overlap=known.views.overlap, first_batches=self._batches(known.views.first_batches)),
            findings=tuple(self._finding(finding) for finding in known.findings),
            suppressed=known.suppressed,
            rules=tuple(self._status(status) for status in known.rules),
        )

    def _finding(self, known: Finding) -> Finding:
        rule = self._rules[known.code]
        name = self._fingerprint(known.fingerprint)
        samples = self.affected.get(name, [])[: len(known.affected.samples)]
        evidence = self._record(known.evidence, rule.public)
        return Finding(
            code=known.code,
            rule=known.rule,
            severity=known.severity,
            confidence=known.confidence,
            message=self._own(known.message, _message(rule, known.column, evidence)),
            consequence=self._own(known.consequence, rule.section("Why it hurts")),
            remedy=self._own(known.remedy, rule.section("How to fix it")),
            split=known.split,
            against=known.against,
            column=known.column,
            class_=known.class_ and self._names[known.class_],
            evidence=evidence,
            affected=Affected(
                count=known.affected.count,
                exact=known.affected.exact,
                samples=tuple(samples),
                truncated=known.affected.count > len(samples),
            ),
            fingerprint=name,
            also=known.also,
            part_of=known.part_of and self._fingerprint(known.part_of),
        )

    def _status(self, known: RuleStatus) -> RuleStatus:
        """What became of a rule; a reason with numbers or names in it is left out."""
        reason = known.reason and self._own(known.reason, WITHHELD)
        coverage = self._own(known.coverage, "in part")
        return RuleStatus(code=known.code, rule=known.rule, status=known.status, reason=reason, coverage=coverage)

    def _sample(self, known: AffectedSample, rule: Rule) -> AffectedSample:
        """One sample under a hashed name; its position stays, by which its owner finds it."""
        return AffectedSample(
            id=self._hidden("sample", known.id),
            index=known.index,
            split=known.split,
            fingerprint=self._hidden("content", known.fingerprint),
            detail=self._record(known.detail, rule.public),
        )

    def _batches(self, known: FirstBatches | None) -> FirstBatches | None:
        if known is None:
            return None
        batches = [
            HeadBatch(
                samples=batch.samples,
                labels={self._names[c]: n for c, n in batch.labels.items() if c in self._names},
                missing=batch.missing,
            )
            for batch in known.batches
        ]
        return FirstBatches(split=known.split, batch_size=known.batch_size, batches=tuple(batches))

    # --- values, by their kind ------------------------------------------------------------------------------------

    def _record(
        self, record: Mapping[str, JsonValue], public: Collection[str], whole: bool = False
    ) -> dict[str, JsonValue]:
        """What is public in evidence or details.

        Args:
            record: the values by name.
            public: names of those that are counts and statistics.
            whole: the record as such has one of these names, which then holds for each class, column or split in it.
        """
        found: dict[str, JsonValue] = {}
        for key, item in record.items():
            index = key.endswith("_index")
            field = key in public or key in self._words or (index and key.removesuffix("_index") in self._splits)
            named = self._names.get(key)
            name = named if named is not None and (whole or not field) else key if field else None
            shown = key in public or index or (whole and named is not None)
            kept = [] if name is None else self._kept(item, key, public, shown)
            if name is not None and kept:
                found[name] = kept[0]
        return found

    def _kept(self, item: JsonValue, key: str, public: Collection[str], shown: bool) -> list[JsonValue]:
        """The value, or nothing."""
        if isinstance(item, dict):
            inner = self._record(item, public, shown)
            return [inner] if inner else []
        if isinstance(item, list):
            # The keys of a record in a list are names of fields, whatever the list is called.
            shows = [shown and not isinstance(part, dict) for part in item]
            rows = [
                kept for part, show in zip(item, shows, strict=True) for kept in self._kept(part, key, public, show)
            ]
            return [rows] if rows else []
        if isinstance(item, str):
            name = self._names.get(item) if shown or key in NAMES else None
            return [name] if name is not None else [item] if shown and self._is_own(item) else []
        return [item] if shown else []

    def _own(self, text: str, otherwise: str) -> str:
        return text if self._is_own(text) else otherwise

    def _is_own(self, text: str) -> bool:
        return all(part in self._words for part in text.split(" + "))

    def _hidden(self, kind: str, text: str) -> str:
        return text if self._key is None else f"{kind}-{self._digest(kind, text)[:10]}"

    def _fingerprint(self, known: str) -> str:
        """Of the same make, so that a finding is known again under the same key, even in a data set of another name."""
        if self._key is None:
            return known
        finding, data, times = known[:12], known[12:20], known[20:]
        return self._digest("finding", finding)[:12] + self._digest("part", data)[:8] + times

    def _digest(self, kind: str, text: str) -> str:
        told = f"{kind}\x1f{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key or b"", told, hashlib.sha256).hexdigest()


def _message(rule: Rule, column: str | None, evidence: Mapping[str, JsonValue]) -> str:
    """What the rule finds, with the columns and numbers that may be shown."""
    title = re.split(r"[:;.](?:\s|$)", rule.finds(), maxsplit=1)[0]
    lists = [(key, row) for key, rows in evidence.items() if isinstance(rows, list) for row in rows]
    columns = [row.get("column") if isinstance(row, dict) else row if key == "columns" else None for key, row in lists]
    named = list(dict.fromkeys(repr(name) for name in columns if isinstance(name, str) and name != column))
    numbers = [
        f"{wording.label(key)} {wording.value(key, item)}"
        for key, item in evidence.items()
        if isinstance(item, (int, float)) and not isinstance(item, bool)
    ]
    said = title if title[1:2].isupper() else title[:1].lower() + title[1:]
    return said + (f": {wording.listing(named)}" if named else "") + (f" ({', '.join(numbers[:4])})" if numbers else "")
