"""The command that mends a finding, from what its rule says of itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from datalint.rules.manual import pages

if TYPE_CHECKING:
    from datalint.report.models import DatasetReport, Finding

_DOUBTFUL: Final = frozenset({"drop", "relabel", "respell", "shuffle"})
"""Repairs that leave alone what is only worth knowing."""

_UNSAFE: Final = frozenset({"relabel"})


class Repairs:
    """Which rules' findings can be mended, and by which command."""

    def __init__(self) -> None:
        """Read what the installed rules say."""
        self._repairs = {page.code: page.repair for page in pages() if page.repair not in (None, "irreversible")}

    def command(self, finding: Finding, dataset: DatasetReport) -> str:
        """The command line; empty where nothing mends it.

        What lies in memory or in NumPy files is not written again, and the order of class folders is the loader's matter.
        """
        repair = self._repairs.get(finding.code)
        if repair is None or not dataset.storage.rewritten:
            return ""
        if (repair in _DOUBTFUL and finding.severity == "info") or (
            repair == "shuffle" and dataset.modality == "images"
        ):
            return ""
        unsafe = " --unsafe" if repair in _UNSAFE else ""
        return f"datalint fix {shlex.quote(dataset.path)} --out FOLDER --select {finding.code}{unsafe}"
