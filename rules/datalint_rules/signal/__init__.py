"""Rules of the signal family."""
