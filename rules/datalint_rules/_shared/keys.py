"""Keys of sources that splits share by design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.author import Key


def crossed(keys: Sequence[Key]) -> set[str]:
    """Keys that cross another one, as users and items do: each has several of the other, and hardly a pair occurs twice."""
    found: set[str] = set()
    for k, one in enumerate(keys):
        for two in keys[k + 1 :]:
            known = (one.codes >= 0) & (two.codes >= 0)
            pairs = np.unique(np.stack([one.codes[known], two.codes[known]]), axis=1)
            if pairs.shape[1] >= 0.9 * known.sum() and all(
                2 * len(np.unique(part)) <= pairs.shape[1] for part in pairs
            ):
                found |= {one.name, two.name}
    return found
