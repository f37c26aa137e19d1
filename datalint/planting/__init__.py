"""Faults planted into the user's own data."""
