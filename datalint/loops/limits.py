"""How much is tried, and by which names parts are known; the same for every framework."""

from __future__ import annotations

BATCHES = 4
"""Batches that are drawn."""

TARGETS = ("labels", "label", "targets", "target", "y")
"""Keys of a batch that hold what is to be predicted."""

OUTPUTS = ("logits", "prediction_logits", "out", "output", "outputs", "pred", "preds", "prediction", "predictions")
"""Keys of what a model returns that hold its prediction."""

SOME = 64
"""Samples that probes with many passes take."""

STEPS = 6
"""After which every parameter that can move has a gradient, even behind layers that begin at zero."""

CLOSE = 1e-3
"""How far rows of probabilities may be from a sum of one in half precision."""

FREE_STEPS = 150
"""For outputs by themselves."""

HEART = 16
"""Samples to be learnt by heart."""

HEART_STEPS = 150

ENOUGH = 0.9
"""Progress at which they are."""

RATES = (1e-3, 1e-2, 1e-4)
"""Of an optimizer of our own, where the one that was given fails."""

LARGER = (10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
"""Factors of the learning rate for a loss that stands still."""

SMALLER = (0.1, 0.01, 1e-3, 1e-4, 1e-5)
"""The same for one that diverges."""

EITHER = (10.0, 0.1, 100.0, 0.01, 1e3, 1e-3, 1e4)
"""The same where it does neither."""

STILL = 0.02
"""Share of the way from chance to the least loss within which a loss stands still."""

SLOWEST = 1e-4
"""Momentum of batch normalisation below which running statistics take over ten thousand steps to arrive."""

HASTY = 0.9
"""Momentum of batch normalisation from which on running statistics are those of the last batches."""

SAME = 1e-3
"""Relative difference from which on two slopes are the same, and no other step size is tried."""
