"""The law of the share: the more samples a fault has, the louder it is told.

``python -m benchmarks.monotone`` tries it for every rule that says which samples it planted; ``CODE...`` for some rules.
A planted set is drawn again with more and more of its faulty samples (copies of them, where there are too few).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.severity import SEVERITIES
from datalint.rules.registry import all_rules
from datalint.testing import plant, scan
from tests.reference import clean_sets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.clean import Clean, Planted
    from datalint.rules.base import Rule

SHARES = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0)

RELATIVE = frozenset(
    ["AUD104", "CHT107", "IMG101", "IMG104", "IMG108", "NRM102", "NRM104", "SPL108", "SPL111", "TXT103", "VAL104"]
)
"""What these find is odd next to the other samples: where many are faulty, nothing says which are. The law holds for few."""
FEW = 0.03
"""Share up to which these are held to it."""


def at_share(planted: Planted, share: float, rng: np.random.Generator) -> Clean | None:
    """The planted set, of whose split that share is faulty; None where it is not known which samples are."""
    held = {split: np.array(sorted(rows)) for split, rows in planted.rows.items() if rows}
    if not held:
        return None
    split, faulty = max(held.items(), key=lambda item: len(item[1]))
    data = planted.data
    if data.files:
        return _files(data, split, faulty, share, rng) if not data.annotations else None
    table = data.tables[split]
    count = max(1, round(share * len(table)))
    sound = np.setdiff1d(np.arange(len(table)), faulty)
    if len(table) - count > len(sound):
        count = len(table) - len(sound)  # as many as there are
    bad = rng.choice(faulty, count, replace=count > len(faulty))
    rows = rng.permutation(np.concatenate([bad, rng.choice(sound, len(table) - count, replace=False)]))
    return replace(data, tables={**data.tables, split: table.iloc[rows].reset_index(drop=True)})


def _files(
    data: Clean, split: str, faulty: np.ndarray[tuple[int], np.dtype[np.int64]], share: float, rng: np.random.Generator
) -> Clean:
    paths = sorted(path for path in data.files if split == "all" or path.startswith(f"{split}/"))
    bad = [paths[k] for k in faulty.tolist()]
    count = max(1, round(share * len(paths)))
    files = dict(data.files)
    sound = rng.permutation(sorted(set(paths) - set(bad))).tolist()
    for path in sound[: max(0, count - len(bad))]:
        files[path] = data.files[str(rng.choice(bad))]
    for path in rng.permutation(bad)[count:].tolist():
        del files[path]
    return replace(data, files=files)


def loudness(rule: type[Rule], planted: Planted, shares: Sequence[float] = SHARES) -> list[str]:
    """The severity at each share, ``none`` where nothing is said."""
    said: list[str] = []
    for share in shares:
        data = at_share(planted, share, np.random.default_rng(0))
        if data is None:
            return []
        found = [finding.severity for finding in scan(data, rule).findings if finding.code == rule.code]
        said.append(min(found, key=SEVERITIES.index, default="none"))
    return said


def breaks(said: Sequence[str]) -> bool:
    """Whether a larger share is told more mildly than a smaller one, or not at all."""
    order: list[str] = [*SEVERITIES, "none"]
    ranks = [order.index(one) for one in said]
    return any(later > earlier for earlier, later in pairwise(ranks))


def hosts(rule: type[Rule], most: int = 2) -> Iterator[Planted]:
    """The rule's fault in the smallest sets that can hold it."""
    sets = sorted(clean_sets(), key=lambda d: sum(map(len, d.files.values())) + sum(t.size for t in d.tables.values()))
    made = 0
    for data in sets:
        planted = plant(rule, data, 1.0, 0) if data.modality in rule.modalities else None
        if planted is not None and any(planted.rows.values()):
            yield planted
            made += 1
        if made == most:
            return


def main(codes: Sequence[str]) -> int:
    """Print what is said at each share; returns how many rules break the law."""
    broken = 0
    print(f"{'rule':8} {'set':24} " + " ".join(f"{share:>8.0%}" for share in SHARES))
    for rule in all_rules():
        if codes and rule.code not in codes:
            continue
        for planted in hosts(rule):
            said = loudness(rule, planted)
            if said:
                judged = [
                    one for one, share in zip(said, SHARES, strict=True) if rule.code not in RELATIVE or share <= FEW
                ]
                broken += breaks(judged)
                mark = "  BROKEN" if breaks(judged) else ""
                print(
                    f"{rule.code:8} {planted.data.name:24} " + " ".join(f"{one:>8}" for one in said) + mark, flush=True
                )
    return broken


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
