"""Report models and one writer per format; nothing here computes anything about the data."""
