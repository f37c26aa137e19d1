"""From a profile to the report of a data set."""
