"""Recordings: files, formats, levels and lengths."""
