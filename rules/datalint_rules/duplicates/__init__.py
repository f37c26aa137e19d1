"""Copies of samples."""
