"""Frames, arrays, data sets and loaders in memory."""
