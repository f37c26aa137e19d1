"""Rules about training loops, before the first epoch."""
