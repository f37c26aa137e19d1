"""The probes that need only forward, loss and gradient, for models that are functions of their weights (JAX, Flax, Keras)."""
