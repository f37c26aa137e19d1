"""The three severities and their order."""

from __future__ import annotations

from typing import Final, Literal, get_args

Severity = Literal["error", "warning", "info"]
FailOn = Literal["error", "warning", "info", "never"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""Worst first: ``error`` breaks training or the evaluation, ``warning`` likely hurts, ``info`` is worth knowing."""

LEVELS: Final[tuple[FailOn, ...]] = get_args(FailOn)
"""From which something fails."""


def at_least(severity: Severity, threshold: FailOn) -> bool:
    """Whether ``severity`` is as bad as ``threshold`` or worse; nothing is as bad as ``never``."""
    return threshold != "never" and SEVERITIES.index(severity) <= SEVERITIES.index(threshold)
