"""How to scan: one record that the Python API and the command line fill."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datalint.config.discovery import Effective

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from datalint.engine.engine import EngineName


@dataclass(frozen=True)
class ScanOptions:
    """The options of a scan; :func:`datalint.scan` says what each is."""

    settings: Effective = field(default_factory=Effective)
    """What a configuration file may set as well."""
    splits: Mapping[str, Any] | None = None
    pred_probs: Any = None
    embeddings: Any = None
    against: Sequence[str | Path] = ()
    changed_only: bool = False
    engine: EngineName = "local"
    scheduler: str | None = None
    cache: bool = True
    paranoid: bool = False
    progress: Callable[[int, float], None] | None = None
    samples: bool = True
    redact: bool = False
    title: str = ""
    description: str = ""

    @property
    def conceals(self) -> bool:
        """Whether the report may hold nothing of single samples."""
        return self.redact or not self.samples

    def dependence(self, today: datetime.date) -> list[Any]:
        """What a report depends on besides the data, as plain values."""
        hiding: list[Any] = []
        if self.conceals:
            from datalint.report.privacy import KEY

            key = os.environ.get(KEY, "").encode("utf-8", "surrogateescape")
            hiding = [self.samples, self.redact, hashlib.sha256(key).hexdigest()]
        splits = None if self.splits is None else [f"{name}={value}" for name, value in self.splits.items()]
        return [splits, self.changed_only, self.settings.dependence(today), hiding, self.title, self.description]
