"""Small models that look at the labels: features, out-of-fold predictions, label noise. Pure functions over arrays."""
