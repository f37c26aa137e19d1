"""The baseline: findings that are known, so that a scan speaks of new ones and of those that became worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datalint import __version__
from datalint.core.errors import DatalintError
from datalint.core.regular import read_regular
from datalint.core.severity import Severity  # noqa: TC001 - pydantic needs it at run time
from datalint.report.worse import Extent, worse

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from datalint.report.models import DatasetReport, Finding, Report

SCHEMA: Final = "datalint-baseline/1"
FILE: Final = "datalint-baseline.json"
MAX_BYTES: Final = 32 << 20
"""Some 70,000 findings."""

FINDING_PART: Final = 12
"""Digits of a fingerprint that identify the finding; the others identify its data set (see ``judging.fingerprint``)."""


class Entry(BaseModel):
    """One known finding.

    The fingerprint identifies it; severity and counts say how bad it was, and the rest is for people to read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    fingerprint: str = Field(pattern=r"^[0-9a-f]{20}(:\d+)?$")
    code: str
    rule: str
    severity: Severity
    dataset: str
    split: str | None = None
    column: str | None = None
    class_: str | None = Field(default=None, alias="class")
    message: str = ""
    count: int | None = Field(default=None, ge=0, description="Affected samples; none in files of older versions.")
    samples: int | None = Field(default=None, ge=0, description="All samples of the split, or of the data set.")
    part_of: str | None = Field(default=None, description="The finding that explained it and lowered its severity.")

    def worse(self, finding: Finding, dataset: DatasetReport) -> tuple[str, str] | None:
        """What it was when recorded and is now, if that is worse; None, too, if an older version recorded no counts."""
        if self.count is None or self.samples is None:
            return None
        then = Extent(None if self.part_of else self.severity, self.count, self.samples)
        return worse(then, Extent.of(finding, dataset))


class Baseline(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["datalint-baseline/1"] = Field(default=SCHEMA, alias="schema")
    version: str = __version__
    entries: tuple[Entry, ...] = ()

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        from datalint.core.writing import write_text

        text = self.model_dump_json(indent=1, by_alias=True, exclude_none=True) + "\n"
        if len(text.encode()) > MAX_BYTES:
            raise DatalintError(
                f"{len(self.entries):,} findings are too many for a baseline: record fewer data sets at once"
            )
        write_text(path, text)

    def without(self, fingerprints: Collection[str]) -> Baseline:
        """The same without some entries."""
        return self.model_copy(update={"entries": tuple(e for e in self.entries if e.fingerprint not in fingerprints)})


def of_report(report: Report, left_out: Collection[str] = ()) -> Baseline:
    """All findings of a report but those of the rules ``left_out``."""
    entries = [
        Entry(
            fingerprint=finding.fingerprint,
            code=finding.code,
            rule=finding.rule,
            severity=finding.severity,
            dataset=dataset.name,
            split=finding.split,
            column=finding.column,
            class_=finding.class_,
            message=finding.message,
            count=finding.affected.count,
            samples=Extent.of(finding, dataset).samples,
            part_of=finding.part_of,
        )
        for dataset in report.datasets
        for finding in dataset.findings
        if finding.code not in left_out
    ]
    return Baseline(entries=tuple(sorted(entries, key=lambda e: (e.dataset, e.code, e.fingerprint))))


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        DatalintError: there is none, or it is of another version, or it is something else.
    """
    import json

    try:
        data = json.loads(read_regular(path, MAX_BYTES))
    except FileNotFoundError as error:
        raise DatalintError(f"no such baseline: {path}; `datalint baseline PATH` records one") from error
    except OSError as error:
        raise DatalintError(f"cannot read the baseline {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DatalintError(f"{path} is no baseline: it is not JSON") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, str) or not schema.startswith("datalint-baseline/"):
        what = f" but a {schema}" if isinstance(schema, str) and len(schema) < 80 else ""
        raise DatalintError(f"{path} is no baseline{what}; `datalint baseline PATH` records one")
    if schema != SCHEMA:
        raise DatalintError(
            f"{path} is a baseline of another version ({schema[:80]}, not {SCHEMA}); record it again with `datalint baseline`"
        )
    try:
        return Baseline.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DatalintError(f"{path} is a damaged baseline: {place}: {first['msg']}") from error


def is_baseline(path: Path) -> bool:
    """Whether a file begins like one, of whatever version."""
    try:
        return b'"datalint-baseline/' in read_regular(path, MAX_BYTES)[:100]
    except OSError:
        return False


def anywhere(fingerprint: str) -> str:
    """What identifies a finding whatever its data set is called."""
    return fingerprint[:FINDING_PART] + fingerprint[20:]


def stale(baseline: Baseline, reports: Sequence[DatasetReport]) -> set[str]:
    """Fingerprints of the entries that are no longer found.

    Args:
        baseline: the known findings.
        reports: of today's data, nothing left out. Entries of other data sets, and of rules that did not run or could not
            judge, are not called stale.
    """
    from datalint.rules.registry import every_rule

    known = {rule.code for rule in every_rule()}
    names = [report.name for report in reports]
    new_names = renamed([entry.dataset for entry in baseline.entries], names)
    gone: set[str] = set()
    for entry in baseline.entries:
        name = new_names.get(entry.dataset, entry.dataset)
        here = [report for report in reports if report.name == name]
        found = {anywhere(finding.fingerprint) for report in here for finding in report.findings}
        states = [status.status for report in here for status in report.rules if status.code == entry.code]
        judged = all(state in {"found", "passed"} for state in states) if states else entry.code not in known
        if here and judged and anywhere(entry.fingerprint) not in found:
            gone.add(entry.fingerprint)
    return gone


def renamed(baseline: Sequence[str], scanned: Sequence[str]) -> dict[str, str]:
    """By the name of a data set in the baseline, its name today, where it can only be that.

    A file that was cut into shards or a folder that was moved is still the same data set.
    """
    gone = [name for name in dict.fromkeys(baseline) if name not in scanned]
    new = [name for name in dict.fromkeys(scanned) if name not in baseline]
    return {gone[0]: new[0]} if len(gone) == len(new) == 1 else {}
