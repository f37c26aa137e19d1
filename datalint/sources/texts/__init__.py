"""Texts in files of their own."""
