"""One small script per peer: it does what the peer's own quickstart does, and says what was found in common words."""
