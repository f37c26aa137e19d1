"""What a report holds in memory beyond its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.report.models import AffectedSample, Report


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
