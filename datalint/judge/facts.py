"""Facts of a data set that answer questions without being faults."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.statistics import digits
from datalint.measures.columns import NumberStats
from datalint.measures.label_sets import LabelSets
from datalint.measures.order import MISSING_CLASS, LabelRuns
from datalint.measures.sample import Sample
from datalint.profile import statistics as stats
from datalint.profile.splits import class_order

if TYPE_CHECKING:
    from pydantic import JsonValue

    from datalint.profile.profile import Profile
    from datalint.profile.splits import SplitProfile

STRIP_BINS = 300
STRIP_CLASSES = 11
"""Classes told apart in the label strip; the smaller ones are drawn together."""

BALANCE_CLASSES = 200
"""Classes listed with count and weight."""


def facts_of(profile: Profile, modelled: bool = False) -> dict[str, JsonValue]:
    """The facts for the report, by name, with the quality of the shared models if rules judged by them."""
    found: dict[str, JsonValue] = {}
    if profile.task == "classification":
        balance = {s.name: _balance(s.counts) for s in profile.labelled}
        found["class_balance"] = {name: value for name, value in balance.items() if value}
        found["batches"] = {s.name: _batches(s, profile.settings.batch_size) for s in profile.labelled}
    if profile.task == "multi-label":
        found["label_sets"] = {s.name: _sets(s) for s in profile.labelled}
    strips = {s.name: _strip(s, profile.task) for s in profile.splits}
    found["label_strip"] = {name: strip for name, strip in strips.items() if strip}
    ranges = {s.name: _range(s, profile.feature_names) for s in profile.splits}
    found["input_range"] = {name: value for name, value in ranges.items() if value}
    if modelled and profile.learnable:
        found["model"] = profile.learned.summary
    return {name: value for name, value in found.items() if value}


def _balance(counts: dict[str, int]) -> dict[str, JsonValue]:
    total, largest = sum(counts.values()), max(counts.values())
    shares = np.array([c / total for c in counts.values()])
    listed = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:BALANCE_CLASSES])
    return {
        "counts": dict(listed),
        "ratio": digits(largest / min(counts.values())),
        "weights": {name: digits(w, 4) for name, w in stats.class_weights(counts).items() if name in listed},
        "majority_accuracy": digits(largest / total),
        "chance_loss": digits(math.log(len(counts))),
        "prior_entropy": digits(float(-(shares * np.log(shares)).sum())),
    }


def _sets(split: SplitProfile) -> dict[str, JsonValue]:
    """How often labels occur, alone and in pairs; the most frequent ones."""
    sets, counts = split[LabelSets], split.counts
    pairs = sorted((sets.pairs or {}).items(), key=lambda item: (-item[1], item[0]))[:BALANCE_CLASSES]
    return {
        "samples": sets.samples,
        "without": sets.without,
        "labels_per_sample": digits(sum(counts.values()) / max(1, sets.samples), 4),
        "counts": dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:BALANCE_CLASSES]),
        "co_occurrence": [[one, other, count] for (one, other), count in pairs],
    }


def _batches(split: SplitProfile, size: int) -> dict[str, JsonValue]:
    runs = split[LabelRuns]
    single, full = stats.single_label_batches(runs.long_runs(), runs.samples, size)
    return {
        "size": size,
        "full_batches": full,
        "single_label_share": digits(single / full if full else 0.0),
        "shuffled_single_label_share": digits(stats.shuffled_single_label_share(runs.counts or {}, size)),
        "shuffled_classes_per_batch": digits(stats.shuffled_classes_per_batch(runs.counts or {}, size)),
    }


def _strip(split: SplitProfile, task: str | None) -> dict[str, JsonValue] | None:
    if task is None or Sample not in split.measured:
        return _strip_of_runs(split) if task == "classification" else None
    rows = split.rows
    if len(rows) == 0:
        return None
    bins = min(STRIP_BINS, len(rows))
    at = np.minimum((rows.places.row * bins) // max(split.samples, 1), bins - 1)
    if task == "regression":
        present = np.isfinite(rows.target)
        if not present.any():
            return None
        counts = np.bincount(at[present], minlength=bins)
        sums = np.bincount(at[present], rows.target[present], minlength=bins)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), float(rows.target[present].mean()))
        low, high = float(rows.target[present].min()), float(rows.target[present].max())
        return {
            "kind": "numeric",
            "means": [digits(float(m), 4) for m in means],
            "low": digits(low),
            "high": digits(high),
            "samples": split.samples,
            "exact": rows.complete,
        }
    return _class_strip(split, rows.label, at, bins, rows.complete)


def _class_strip(split: SplitProfile, label: object, at: object, bins: int, exact: bool) -> dict[str, JsonValue]:
    names = sorted(split.counts, key=lambda name: (-split.counts[name], name))
    shown = sorted(names[:STRIP_CLASSES], key=class_order) + (["other"] if len(names) > STRIP_CLASSES else [])
    if not shown:
        return {}
    place = {name: k for k, name in enumerate(shown)}
    codes = np.array([place.get(name, len(shown) - 1) if name is not None else -1 for name in np.asarray(label)])
    table = np.zeros((bins, len(shown)), np.int64)
    present = codes >= 0
    np.add.at(table, (np.asarray(at)[present], codes[present]), 1)
    return {
        "kind": "classes",
        "classes": list(shown),
        "bins": [[int(count) for count in row] for row in table],
        "samples": split.samples,
        "exact": exact,
    }


def _strip_of_runs(split: SplitProfile) -> dict[str, JsonValue] | None:
    """Where only labels were read: long runs say it all while they cover the split."""
    runs = split[LabelRuns]
    long = runs.long_runs()
    if not long or sum(run.length for run in long) < 0.9 * runs.samples:
        return None
    bins = min(STRIP_BINS, runs.samples)
    starts = np.array([run.start for run in long])
    middle = (np.arange(bins) + 0.5) * runs.samples / bins
    which = np.maximum(np.searchsorted(starts, middle, side="right") - 1, 0)
    labels = np.array([long[k].label if long[k].label != MISSING_CLASS else None for k in which], dtype=object)
    return _class_strip(split, labels, np.arange(bins), bins, exact=True)


def _range(split: SplitProfile, names: tuple[str, ...]) -> dict[str, JsonValue] | None:
    if NumberStats not in split.measured:
        return None
    numbers = split[NumberStats]
    wanted = set(names)
    picked = [j for j, name in enumerate(numbers.names) if name in wanted and numbers.count[j]]
    if not picked:
        return None
    count = numbers.count[picked]
    with np.errstate(over="ignore"):
        mean = float((numbers.mean[picked] * (count / count.sum())).sum())
        spread = numbers.m2[picked] + count * (numbers.mean[picked] - mean) ** 2
    return {
        "low": digits(float(numbers.low[picked].min())),
        "high": digits(float(numbers.high[picked].max())),
        "mean": digits(mean),
        "deviation": digits(float(np.sqrt(spread.sum() / count.sum()))),
    }
