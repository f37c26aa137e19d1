"""Recordings: decoding, and partitions of files."""
