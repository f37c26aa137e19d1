"""Exact and near-identical samples inside a split."""
