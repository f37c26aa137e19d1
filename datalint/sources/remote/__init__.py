"""Data that does not lie on this machine: paths that are URLs, and what reads them."""
