"""Loops of PyTorch; imported only when a model is one of its modules."""
