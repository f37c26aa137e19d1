"""What every other package builds on: records, errors, hashes and words."""
