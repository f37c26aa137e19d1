"""What this distribution is called, and where its documentation lies."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "datalint-ml"
"""What pip installs; ``datalint`` is another project there."""

DOCUMENTATION: Final = "https://example.com/datalint/"
"""Where the site is published, as in ``project.urls``; ends with a slash."""


def install(extra: str) -> str:
    """The command that brings an optional part."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def rule_page(code: str) -> str:
    """Where the page of a built-in rule is read."""
    return f"{DOCUMENTATION}rules/{code}/"
