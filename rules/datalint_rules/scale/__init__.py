"""Rules about the scale of inputs and targets."""
