"""Rules of the files family."""
