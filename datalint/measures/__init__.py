"""Measurements: facts of a stream of samples that can be taken in parts and merged."""
