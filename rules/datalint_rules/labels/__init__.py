"""Rules of the labels family."""
