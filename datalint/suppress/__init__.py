"""Findings that the user does not want to see."""
