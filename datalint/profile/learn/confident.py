"""Confident learning (Northcutt, Jiang and Chuang 2021): the one place that calls cleanlab, so that it can be replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_issues(labels: NDArray[np.intp], probs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions of the samples off the diagonal of the confident joint, in their order.

    Args:
        labels: the class given to each sample, 0 to K - 1.
        probs: [samples, K] out-of-sample probabilities.
    """
    from cleanlab.filter import find_label_issues

    return np.flatnonzero(find_label_issues(labels, probs, filter_by="confident_learning", n_jobs=1))


def self_confidence(labels: NDArray[np.intp], probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of each label: the probability of the given class, 0 = surely wrong."""
    from cleanlab.rank import get_label_quality_scores

    return np.asarray(get_label_quality_scores(labels, probs, method="self_confidence"))
