"""Rules of the order family."""
