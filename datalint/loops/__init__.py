"""Training loops: what is measured of a model, its loss, a loader and an optimizer before training."""
