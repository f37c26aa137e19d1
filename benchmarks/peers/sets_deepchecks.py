"""Deepchecks on many small tables: ``python -m benchmarks.peers.sets_deepchecks JOBS.json OUT.json``.

With the conditions that its suites have, or else that a check has by default; kinds of columns are left to its guesses. A
check tells of a kind where its condition does not pass; only conflicting labels come with the rows.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.peers.sets_protocol import answer_all

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKS = {
    "class_imbalance": ("ClassImbalance", "add_condition_class_ratio_less_than"),
    "conflicting_labels": ("ConflictingLabels", "add_condition_ratio_of_conflicting_labels_less_or_equal"),
    "duplicates": ("DataDuplicates", "add_condition_ratio_less_or_equal"),
    "feature_correlation": ("FeatureFeatureCorrelation", "add_condition_max_number_of_pairs_above_threshold"),
    "feature_drift": ("FeatureDrift", "add_condition_drift_score_less_than"),
    "feature_label_correlation": ("FeatureLabelCorrelation", "add_condition_feature_pps_less_than"),
    "label_drift": ("LabelDrift", "add_condition_drift_score_less_than"),
    "mixed_nulls": ("MixedNulls", "add_condition_different_nulls_less_equal_to"),
    "mixed_types": ("MixedDataTypes", "add_condition_rare_type_ratio_not_in_range"),
    "multivariate_drift": ("MultivariateDrift", "add_condition_overall_drift_value_less_than"),
    "new_category": ("NewCategoryTrainTest", "add_condition_new_category_ratio_less_or_equal"),
    "new_label": ("NewLabelTrainTest", "add_condition_new_labels_number_less_or_equal"),
    "nulls": ("PercentOfNulls", "add_condition_percent_of_nulls_not_greater_than"),
    "outliers": ("OutlierSampleDetection", "add_condition_outlier_ratio_less_or_equal"),
    "samples_mix": ("TrainTestSamplesMix", "add_condition_duplicates_ratio_less_or_equal"),
    "single_value": ("IsSingleValue", "add_condition_not_single_value"),
    "size_comparison": ("DatasetsSizeComparison", "add_condition_test_train_size_ratio_greater_than"),
    "special_characters": ("SpecialCharacters", "add_condition_ratio_of_special_characters_less_or_equal"),
    "string_length": ("StringLengthOutOfBounds", "add_condition_ratio_of_outliers_less_or_equal"),
    "string_mismatch": ("StringMismatch", "add_condition_no_variants"),
}
"""By kind, the check and the condition that judges it."""

RATIO = 0.1
"""Of the smallest class to the largest: the default of the condition on class imbalance."""

TWO = {
    "feature_drift",
    "label_drift",
    "multivariate_drift",
    "new_category",
    "new_label",
    "samples_mix",
    "size_comparison",
}
"""Those that compare train and test."""


def issues_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The kinds that are told, and the rows of those that name rows."""
    tabular = import_module("deepchecks.tabular")
    checks = import_module("deepchecks.tabular.checks")
    frames = {split: pd.read_csv(path) for split, path in job["tables"].items()}
    classes = len({value for frame in frames.values() for value in frame[job["label"]].dropna()})
    kind_of_label = "regression" if job["task"] == "regression" else "binary" if classes == 2 else "multiclass"
    sets = {
        split: tabular.Dataset(frame, label=job["label"], label_type=kind_of_label) for split, frame in frames.items()
    }
    told: list[str] = []
    rows: dict[str, list[int]] = {}
    broken: list[str] = []
    for kind in job["kinds"]:
        name, condition = CHECKS[kind]
        check = getattr(checks, name)()
        getattr(check, condition)()
        given = (sets["train"], sets["test"]) if kind in TWO else (sets.get("all", sets.get("train")),)
        try:
            result = check.run(*given, with_display=False)  # its plots fail on a column called y
        except Exception as error:  # a check that cannot run says nothing; the others may
            broken.append(f"{kind}: {type(error).__name__}")
            continue
        passed = result.passed_conditions()
        if kind == "class_imbalance":  # its condition is upside down: it warns of classes that are alike
            shares = list(result.value.values())
            passed = shares[-1] / shares[0] >= RATIO
        if not passed:
            told.append(kind)
        if kind == "conflicting_labels":
            groups = [] if passed else result.value["samples_indices"]
            rows[kind] = [int(row) for group in groups for row in group]
    return {"rows": rows, "sets": told, "checks_that_did_not_run": broken}


if __name__ == "__main__":
    answer_all("deepchecks", issues_of)
