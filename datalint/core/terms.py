"""Terms that data sets and reports share; loads nothing."""

from __future__ import annotations

from typing import Literal

Modality = Literal["table", "images"]
Confidence = Literal["certain", "high", "medium", "low"]
