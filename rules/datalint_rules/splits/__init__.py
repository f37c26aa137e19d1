"""Rules of the splits family."""
