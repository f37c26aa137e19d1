"""Rules of the text family."""
