"""How data sets lie on disk and in memory: recognising them and reading them as batches. Nothing here judges."""
