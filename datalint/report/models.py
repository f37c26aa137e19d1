"""The report: what a scan says, as plain records that every writer reads (schema ``datalint-report/1``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr

from datalint.core.errors import FindingsError
from datalint.core.severity import SEVERITIES, FailOn, Severity, at_least
from datalint.core.terms import Confidence, Modality, Storage
from datalint.report.escape import guard_json
from datalint.report.views import Views
from datalint.report.writers import writer
from datalint.sources.inventory import FileKind  # noqa: TC001 - pydantic looks it up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


SCHEMA: Final = "datalint-report/1"
LISTED = 100
"""Affected samples written to the report file per finding; ``Report.affected`` has all of them."""

Status = Literal["found", "passed", "skipped", "failed"]


class Record(BaseModel):
    """Base of all report records: fixed once made, unknown keys refused."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", populate_by_name=True)


class AffectedSample(Record):
    """One sample that a finding names."""

    id: str = Field(description="What a person can open: a file, or a file and a line or row.")
    index: int = Field(description="0-based position in the split's stored order; -1 for a file that is no sample.")
    split: str
    fingerprint: str = Field(description="Hash of the sample's content; the same wherever the sample lies.")
    detail: dict[str, JsonValue] = Field(default_factory=dict, description="What is wrong with this one, by name.")


class Affected(Record):
    """The samples behind a finding."""

    count: int = Field(ge=0, description="How many samples are affected.")
    exact: bool = Field(default=True, description="False where the count is estimated from a sample of the data.")
    samples: tuple[AffectedSample, ...] = Field(default=(), description="The worst ones, worst first.")
    truncated: bool = Field(default=False, description="Whether more are affected than are listed here.")


class Finding(Record):
    """One fault that a rule found."""

    code: str
    rule: str
    severity: Severity
    confidence: float = Field(ge=0, le=1, description="How sure the rule is that this is a fault, 0 to 1.")
    message: str = Field(description="One sentence with the numbers that matter.")
    consequence: str = Field(description="What it does to training.")
    remedy: str = Field(description="What to do.")
    split: str | None = None
    against: str | None = Field(default=None, description="The other split, where the fault lies between two.")
    column: str | None = None
    class_: str | None = Field(default=None, alias="class")
    evidence: dict[str, JsonValue] = Field(default_factory=dict, description="Numbers by name.")
    affected: Affected = Field(default_factory=lambda: Affected(count=0))
    fingerprint: str = Field(description="Survives re-ordering, re-scanning and new findings elsewhere.")
    also: tuple[str, ...] = Field(default=(), description="Codes of findings that follow from this one.")
    part_of: str | None = Field(
        default=None, description="Fingerprint of the finding that explains this one, which is then info."
    )


def listed_columns(evidence: Mapping[str, JsonValue]) -> list[str]:
    """The columns that the evidence of a finding lists, if it is about several."""
    listed = evidence.get("columns")
    items = list(listed) if isinstance(listed, (list, dict)) else []
    names = [item.get("column") if isinstance(item, dict) else item for item in items]
    return [name for name in names if isinstance(name, str)]


class RuleStatus(Record):
    """What became of one rule on one data set."""

    code: str
    rule: str
    status: Status
    reason: str | None = Field(default=None, description="Why it was skipped or failed.")
    coverage: str = Field(default="all samples", description="How much of the data the verdict rests on.")
    applies: bool = Field(
        default=True, description="False where such data has nothing that the rule speaks of: it was skipped for good."
    )


class LabelInfo(Record):
    """The label that was recognised, and why it was taken for the label."""

    name: str
    evidence: str
    confidence: Confidence
    task: Literal["classification", "multi-label", "regression", "detection"]


class SplitInfo(Record):
    """One split as it was read."""

    name: str
    samples: int
    classes: dict[str, int] | None = Field(default=None, description="Samples per class; null without classes.")
    evidence: str = ""


class DatasetReport(Record):
    """All that is said of one data set."""

    name: str
    path: str
    layout: str
    storage: Storage = Storage.OTHER
    modality: Modality
    evidence: str = Field(default="", description="Why it was read as this layout.")
    label: LabelInfo | None
    splits: tuple[SplitInfo, ...]
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    views: Views = Field(default_factory=Views, description="What the page's pictures show.")
    findings: tuple[Finding, ...] = ()
    suppressed: int = Field(default=0, ge=0, description="Findings left out by the configuration or a baseline.")
    silenced: tuple[str, ...] = Field(default=(), description="Fingerprints of the findings that were left out.")
    rules: tuple[RuleStatus, ...] = ()

    @property
    def leading(self) -> tuple[Finding, ...]:
        """The findings without those that follow from another."""
        return tuple(finding for finding in self.findings if finding.part_of is None)


class Tool(Record):
    """Who wrote the report."""

    name: str = "datalint"
    version: str


class Summary(Record):
    """Findings by severity over all data sets."""

    error: int = 0
    warning: int = 0
    info: int = 0
    datasets: int = 0


class DataSettings(Record):
    """What a configuration that lies inside the scanned data says about its own scan."""

    file: str
    changes: tuple[str, ...] = Field(default=(), description="What it sets, such as `fail-on never` and `2 ignores`.")
    not_obeyed: tuple[str, ...] = Field(default=(), description="Keys that such a file may not set.")


class Inventory(Record):
    """What lies at the scanned paths."""

    kinds: tuple[FileKind, ...] = Field(default=(), description="The files by suffix, most unread ones first.")
    layouts_failed: tuple[str, ...] = Field(
        default=(), description="Layouts of other distributions that could not be used, and why."
    )


class Run(Record):
    """What differs from one run to the next: left out when two reports are compared."""

    started: str
    seconds: float
    engine: str
    jobs: int


class Held:
    """Every affected sample and the pictures; set once, when the report is made or loaded."""

    def __init__(
        self,
        affected: Mapping[tuple[int, str], Sequence[AffectedSample]] | None = None,
        thumbnails: Mapping[str, bytes] | None = None,
    ) -> None:
        self._affected, self._thumbnails = affected or {}, thumbnails or {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and (self.affected, self.thumbnails) == (other.affected, other.thumbnails)

    __hash__ = None  # type: ignore[assignment]

    @property
    def affected(self) -> Mapping[tuple[int, str], Sequence[AffectedSample]]:
        """By number of the data set and fingerprint of the finding; a finding without has all samples in the file."""
        return self._affected

    @property
    def thumbnails(self) -> Mapping[str, bytes]:
        """WebP pictures by sample id."""
        return self._thumbnails

    def page(self, report: Report) -> str | None:
        """The HTML page of this very report, if it was kept."""

    def keep_page(self, report: Report, page: str) -> None:
        """Keep the page for another time, if there is a place for it."""


class Report(BaseModel):
    """The result of a scan."""

    model_config = ConfigDict(defer_build=True, extra="forbid", populate_by_name=True)

    schema_: Literal["datalint-report/1"] = Field(default=SCHEMA, alias="schema")
    tool: Tool
    summary: Summary
    datasets: tuple[DatasetReport, ...]
    title: str = Field(default="", description="What the user calls the report.")
    description: str = Field(default="", description="What the user says of it.")
    data_settings: DataSettings | None = Field(
        default=None, description="Settings that lie inside the scanned data; null if those that hold lie elsewhere."
    )
    inventory: Inventory = Field(default_factory=Inventory, description="What was read, and what was not.")
    run: Run

    _held: Held = PrivateAttr(default_factory=Held)

    @property
    def held(self) -> Held:
        """What this report holds beyond its file."""
        return self._held

    def holding(self, held: Held) -> Report:
        """The same report, which holds something else beyond its file."""
        copied = self.model_copy()
        copied._held = held
        return copied

    @property
    def findings(self) -> list[Finding]:
        """All findings of all data sets, worst severity first."""
        found = [finding for dataset in self.datasets for finding in dataset.findings]
        return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))

    @property
    def thumbnails(self) -> Mapping[str, bytes]:
        """WebP pictures of affected image samples by sample ``id``; empty for a report read back from JSON."""
        return self._held.thumbnails

    def ok(self, fail_on: FailOn = "error") -> bool:
        """Whether there is no finding at or above ``fail_on``."""
        return not any(at_least(finding.severity, fail_on) for finding in self.findings)

    def raise_for(self, fail_on: FailOn = "error") -> None:
        """Raise :class:`datalint.core.errors.FindingsError` unless :meth:`ok`."""
        bad = [finding for finding in self.findings if at_least(finding.severity, fail_on)]
        if bad:
            more = f" (and {len(bad) - 3} more)" if len(bad) > 3 else ""
            error = FindingsError("; ".join(f"{finding.code} {finding.message}" for finding in bad[:3]) + more)
            error.report = self
            raise error

    def affected(self, code: str) -> pd.DataFrame:
        """Every sample affected by the findings of one rule, without truncation.

        One row per affected sample, worst first, with the columns ``dataset``, ``split``, ``index`` (0-based position
        in the split's stored order), ``id`` (what a person can open), ``fingerprint`` (content hash) and one column
        per detail, such as ``given`` and ``suggested``.

        Args:
            code: of the rule, or its name.

        Raises:
            DatalintError: no rule is called so; the message names the nearest.
        """
        import pandas as pd

        wanted = self._code(code)
        rows = [
            {
                "dataset": dataset.name,
                "split": s.split,
                "index": s.index,
                "id": s.id,
                "fingerprint": s.fingerprint,
                **s.detail,
            }
            for number, dataset in enumerate(self.datasets)
            for finding in dataset.findings
            if finding.code == wanted
            for s in self._held.affected.get((number, finding.fingerprint), finding.affected.samples)
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["dataset", "split", "index", "id", "fingerprint"])
        return frame.drop_duplicates(subset=["dataset", "split", "index", "id"], ignore_index=True)

    def _code(self, wanted: str) -> str:
        """The code of a rule by that or its name: a misspelt one must not look like a rule that found nothing."""
        from datalint.rules.registry import every_rule, unknown_rule

        pairs = {(rule.code, rule.rule) for dataset in self.datasets for rule in dataset.rules}
        pairs |= {(finding.code, finding.rule) for finding in self.findings}
        pairs |= {(rule.code, rule.name) for rule in every_rule()}
        for code, name in pairs:
            if wanted in (code, name):
                return code
        raise unknown_rule(wanted, sorted(pairs))

    def samples(self, finding: Finding) -> list[AffectedSample]:
        """Every sample of one of the findings, worst first, without truncation."""
        at = next((k for k, dataset in enumerate(self.datasets) if finding in dataset.findings), None)
        return list(finding.affected.samples if at is None else self.all_samples(at)[finding.fingerprint])

    def all_samples(self, number: int) -> dict[str, Sequence[AffectedSample]]:
        """By fingerprint of the findings of one data set, every sample of theirs, without truncation."""
        findings = self.datasets[number].findings
        return {f.fingerprint: self._held.affected.get((number, f.fingerprint), f.affected.samples) for f in findings}

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON text; also written to ``path`` (whole or not at all) if one is given."""
        from datalint.core.writing import write_text

        text = guard_json(self.model_dump_json(indent=1, by_alias=True)) + "\n"
        if path is not None:
            write_text(Path(path), text)
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained HTML page; also written to ``path`` if one is given."""
        from datalint.core.writing import write_text

        text = self._held.page(self)
        if text is None:
            text = writer("html")(self)
            self._held.keep_page(self, text)
        if path is not None:
            write_text(Path(path), text)
        return text

    @classmethod
    def read_json(cls, path: str | Path) -> Report:
        """Read a report back from its JSON file."""
        return cls.model_validate_json(Path(path).read_text(encoding="utf-8"))

    def _repr_html_(self) -> str:
        """Notebooks show the page itself, inside a frame so that its styles stay its own."""
        from html import escape

        return f'<iframe srcdoc="{escape(self.to_html())}" style="width:100%;height:640px;border:0"></iframe>'

    def __str__(self) -> str:
        """The report as the terminal shows it, without colours."""
        return writer("text")(self, color=False)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the report file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Report.model_json_schema(by_alias=True)
