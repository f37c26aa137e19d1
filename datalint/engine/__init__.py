"""Where measurements run, and what is kept of them."""
