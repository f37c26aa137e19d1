"""cleanlab's Datalab on many small tables: ``python -m benchmarks.peers.sets_datalab JOBS.json OUT.json``.

With the features and the cross-validated probabilities that it asks its user for. Says by job and kind which rows it names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.peers.sets_protocol import answer_all

if TYPE_CHECKING:
    from collections.abc import Mapping


def features(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers standardised, categories as one column each."""
    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].notna().any()]
    words = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name]) and frame[name].nunique() <= 200]
    frame = frame.astype(dict.fromkeys(words, str)).replace([np.inf, -np.inf], np.nan)
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), words),
    )
    return np.asarray(encode.fit_transform(frame), float)


def issues_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The rows named by kind."""
    label, task = job["label"], job["task"]
    frame = pd.read_csv(job["tables"]["all"])
    y = frame.pop(label)
    X = features(frame)
    lab = import_module("cleanlab").Datalab(data={"y": y.to_list()}, label_name="y", task=task, verbosity=0)
    extra: dict[str, Any] = {}
    if task == "classification" and y.value_counts().min() >= 5:
        extra["pred_probs"] = cross_val_predict(LogisticRegression(max_iter=300), X, y, cv=5, method="predict_proba")
    # What is missing shows before it is filled in.
    raw = frame.select_dtypes("number").to_numpy(float)
    lab.find_issues(features=X, **extra)
    issues = lab.get_issues()
    rows = {
        name.removeprefix("is_").removesuffix("_issue"): np.flatnonzero(issues[name]).tolist()
        for name in issues
        if name.startswith("is_")
    }
    if np.isnan(raw).any():
        empty = import_module("cleanlab").Datalab(data={"y": y.to_list()}, label_name="y", task=task, verbosity=0)
        empty.find_issues(features=raw, issue_types={"null": {}})
        rows["null"] = np.flatnonzero(empty.get_issues()["is_null_issue"]).tolist()
    return {"rows": rows}


if __name__ == "__main__":
    answer_all("cleanlab", issues_of)
