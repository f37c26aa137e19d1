"""Writing a better data set next to the one that was scanned: a cleaned copy, or a small set to begin with."""
