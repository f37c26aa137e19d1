"""The features that data sets of Hugging Face keep in the metadata of their Arrow schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """What is declared of each column; nothing where there are none, or they are malformed."""
    found: Any
    try:
        found = json.loads((metadata or {}).get(b"huggingface", b"{}"))
    except (ValueError, RecursionError):
        return {}
    for key in ("info", "features"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
