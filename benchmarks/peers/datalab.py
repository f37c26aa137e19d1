"""cleanlab's Datalab, with the features and the cross-validated model that it asks its user for."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from benchmarks.peers.protocol import FLOATS, INPUT, WHOLE, WORDS, found

if __name__ == "__main__":
    frame = pd.read_csv(INPUT)
    y = frame.pop("label")
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), FLOATS + WHOLE),
        (make_pipeline(OrdinalEncoder(encoded_missing_value=-1), StandardScaler()), WORDS),
    )
    X = encode.fit_transform(frame)
    predicted = cross_val_predict(LogisticRegression(max_iter=200), X, y, cv=5, method="predict_proba")
    lab = import_module("cleanlab").Datalab(data={"y": y.tolist()}, label_name="y", task="classification")
    lab.find_issues(features=X, pred_probs=predicted)
    issues = lab.get_issues()

    def rows(kind: str) -> list[int]:
        column = f"is_{kind}_issue"
        return [int(row) for row in np.flatnonzero(issues[column])] if column in issues else []

    found(labels=rows("label"), repeated=rows("near_duplicate"), extreme=rows("outlier"))
