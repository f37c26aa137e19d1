"""Measurements behind the bars the rules state; each module is one command."""
