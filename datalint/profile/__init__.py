"""The facts of one data set, and what is derived from them."""
