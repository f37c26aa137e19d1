"""Names of recordings; loads nothing."""

from __future__ import annotations

SOUNDS = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au"})
"""Suffixes of recordings that are read."""
