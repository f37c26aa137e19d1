"""When a known finding has become worse: more severe, or far more samples than the growth of the data explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datalint.core.severity import SEVERITIES, Severity

if TYPE_CHECKING:
    from datalint.report.models import DatasetReport, Finding

HALF_AGAIN: Final = 1.5
"""How many times as many samples as expected are worth telling."""

CERTAIN: Final = 3.0
"""Standard deviations of the difference of two counts (Poisson) that chance exceeds once in a thousand times."""


@dataclass(frozen=True)
class Extent:
    """How bad a finding is."""

    severity: Severity | None
    """None where another finding explained it, and it was lowered for that."""
    count: int
    """Affected samples."""
    samples: int
    """All samples of its split, or of the data set if it names none."""

    @classmethod
    def of(cls, finding: Finding, dataset: DatasetReport) -> Extent:
        """That of a finding in the report of its data set."""
        sizes = {split.name: split.samples for split in dataset.splits}
        return cls(
            finding.severity if finding.part_of is None else None,
            finding.affected.count,
            sizes.get(finding.split or "", sum(sizes.values())),
        )


def worse(then: Extent, now: Extent) -> tuple[str, str] | None:
    """What has become worse, in words: what it was, such as ``3`` or ``3 (info)``, and what it is; None if nothing has.

    A count has if it is half as large again as expected, and by more than chance. Expected is the count of then or, where
    the data has grown, the same share: both the count and the share must have risen. From 3 samples that is 17, from 100
    it is 150.
    """
    if then.severity and now.severity and SEVERITIES.index(now.severity) < SEVERITIES.index(then.severity):
        if _grown(then, now):
            return f"{then.count:,} ({then.severity})", f"{now.count:,} ({now.severity})"
        return then.severity, now.severity
    return (f"{then.count:,}", f"{now.count:,}") if _grown(then, now) else None


def _grown(then: Extent, now: Extent) -> bool:
    if not then.count:  # a finding without affected samples, such as one about order
        return False
    growth = max(1.0, now.samples / then.samples) if then.samples else 1.0
    expected = growth * then.count
    spread = (now.count + growth * expected) ** 0.5
    return now.count >= HALF_AGAIN * expected and now.count - expected >= CERTAIN * spread
