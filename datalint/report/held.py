"""What a report holds in memory beyond its file."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.report.models import AffectedSample, Report


class Held:
    """Every affected sample and the pictures; set once, when the report is made or loaded."""

    def __init__(
        self,
        affected: Mapping[tuple[int, str], Sequence[AffectedSample]] = MappingProxyType({}),
        thumbnails: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        self._affected, self._thumbnails = affected, thumbnails

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
