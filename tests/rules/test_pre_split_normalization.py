"""SPL103 from files and memory; the judgement itself is tested with the scalers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

import datalint
from tests.reference import SPLITS, cut, named, shuffled

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding

SCALERS = {"standard": StandardScaler, "min-max": MinMaxScaler, "max-abs": MaxAbsScaler, "robust": RobustScaler}


def found(source: Any, label: str | None = "target") -> list[Finding]:
    return datalint.scan(source, label=label, select=["SPL103"]).findings


def parts(loader: str, seed: int = 0) -> dict[str, pd.DataFrame]:
    options: dict[str, Any] = {"scaled": False} if loader == "diabetes" else {}
    frame = getattr(datasets, f"load_{loader}")(as_frame=True, **options).frame
    return cut(shuffled(frame, np.random.default_rng(seed)), SPLITS)


def scale(tables: dict[str, pd.DataFrame], scaler: Any, fitted_on: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    fitted = scaler.fit(pd.concat([tables[name] for name in fitted_on]).drop(columns="target"))
    return {
        name: pd.DataFrame(fitted.transform(table.drop(columns="target")), columns=table.columns.drop("target")).assign(
            target=table["target"].to_numpy()
        )
        for name, table in tables.items()
    }


def write(tables: dict[str, pd.DataFrame], folder: Path, form: str) -> Path:
    folder.mkdir()
    for name, table in tables.items():
        if form == "parquet32":
            inputs = table.drop(columns="target").astype(np.float32)
            inputs.assign(target=table["target"]).to_parquet(folder / f"{name}.parquet")
        elif form.startswith("csv"):
            table.to_csv(folder / f"{name}.csv", index=False, float_format=f"%.{form[3:]}f")
    if form == "npz":
        arrays: dict[str, Any] = {}
        for name, table in tables.items():
            arrays |= {f"X_{name}": table.drop(columns="target").to_numpy(), f"y_{name}": table["target"].to_numpy()}
        np.savez(folder / "set.npz", **arrays)
    return folder


@pytest.mark.parametrize("form", ["csv6", "csv4", "parquet32", "npz"])
@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("loader", ["wine", "diabetes"])
def test_leaks_from_files(tmp_path: Path, loader: str, scaler: str, form: str) -> None:
    label = None if form == "npz" else "target"
    raw = parts(loader)
    leak = scale(raw, SCALERS[scaler](), ("train", "test"))
    (finding,) = found(write(leak, tmp_path / "leak", form), label)
    assert finding.severity == "warning"
    assert (finding.evidence["case"], finding.evidence["scaling"]) == ("pooled", scaler)
    right = scale(raw, SCALERS[scaler](), ("train",))
    assert not found(write(right, tmp_path / "right", form), label)
    assert not found(write(raw, tmp_path / "raw", form), label)


def test_each_split_by_itself() -> None:
    raw = parts("wine")
    own = {name: scale({name: table}, StandardScaler(), (name,))[name] for name, table in raw.items()}
    (finding,) = found(own)
    assert finding.evidence["case"] == "each"


def test_one_file_that_is_already_scaled() -> None:
    """As scikit-learn ships it, diabetes is centred and scaled over all its rows."""
    (finding,) = found(datasets.load_diabetes(as_frame=True).frame)
    assert finding.evidence["case"] == "unsplit"
    assert "split" in finding.remedy.lower()
    assert not found(datasets.load_diabetes(as_frame=True, scaled=False).frame)


def test_the_splits_may_lie_in_one_file() -> None:
    leak = scale(parts("wine"), StandardScaler(), ("train", "test"))
    frame = pd.concat([table.assign(split=name) for name, table in leak.items()], ignore_index=True)
    (finding,) = found(frame)
    assert finding.evidence["case"] == "pooled"


def test_raw_reference_tables_are_silent() -> None:
    for name in ("customers", "baskets", "wide", "heavy tails"):
        clean = named(name)
        assert not found(dict(clean.tables) if len(clean.tables) > 1 else clean.tables["all"], clean.label)


def test_without_numbers_it_is_skipped() -> None:
    frame = pd.DataFrame({"word": ["red", "blue"] * 30, "target": ["a", "b", "b"] * 20})
    report = datalint.scan(frame, label="target", select=["SPL103"])
    assert report.datasets[0].rules[0].reason == "the table has no numeric feature column"


# --- what else is fitted to rows ------------------------------------------------------------------------------------


def encoded(kind: str, target: str, fitted_on: str, seed: int) -> dict[str, pd.DataFrame]:
    """Splits with a column that encodes 100 levels, which themselves are gone."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 100, 2000)
    labels = {
        "classes": rng.choice(["no", "yes"], 2000, p=[0.7, 0.3]),
        "numbers": rng.normal(50, 9, 2000).round(2),
        "three classes": rng.integers(0, 3, 2000),
    }[target]
    wanted = {"classes": labels == "yes", "numbers": labels, "three classes": labels == 1}[target]
    frame = pd.DataFrame({"level": level, "x": rng.normal(size=2000), "target": labels})
    tables = cut(frame.assign(wanted=wanted.astype(float)), SPLITS)

    def statistic(rows: pd.DataFrame) -> pd.Series[float]:
        by = rows.groupby("level")["wanted"]
        counts = by.size().astype(float)
        return {"mean": by.mean(), "count": counts, "share": counts / len(rows)}[kind]

    fits = {"pooled": pd.concat(tables.values()), "train": tables["train"]}
    return {
        name: table.assign(code=table["level"].map(statistic(fits.get(fitted_on, table))).round(6)).drop(
            columns=["level", "wanted"]
        )
        for name, table in tables.items()
    }


@pytest.mark.parametrize("target", ["classes", "numbers", "three classes"])
@pytest.mark.parametrize("kind", ["mean", "count", "share"])
def test_levels_encoded_by_statistics_of_all_rows(kind: str, target: str) -> None:
    for case in ("pooled", "each"):
        (finding,) = found(encoded(kind, target, case, 0))
        assert (finding.severity, finding.column) == ("warning", "code")
        assert (finding.evidence["case"], finding.evidence["encoding"]) == (case, kind)
    assert not found(encoded(kind, target, "train", 0))


def test_whole_numbers_and_shares_that_encode_nothing() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "size": rng.integers(1, 8, 1000),
                "visits": rng.poisson(2, 1000),
                "rate": rng.integers(0, 101, 1000) / 100,
                "quarter": rng.choice([0.25, 0.5, 0.75], 1000),
                "age": rng.integers(18, 80, 1000),
                "target": rng.integers(0, 2, 1000),
            }
        )
        assert not found(cut(frame, SPLITS))


def oversampled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the rarest class, and as many again between two of them, as SMOTE makes them."""
    inputs = frame[frame["target"] == frame["target"].value_counts().index[-1]].reset_index(drop=True)
    first, second = (inputs.drop(columns="target").to_numpy()[rng.permutation(len(inputs))] for _ in range(2))
    made = first + rng.random((len(inputs), 1)) * (second - first)
    rows = pd.DataFrame(made, columns=inputs.columns.drop("target")).assign(target=inputs["target"])
    return shuffled(pd.concat([frame, rows], ignore_index=True), rng)


@pytest.mark.parametrize("loader", ["wine", "breast_cancer"])
def test_rows_made_between_others_before_the_split(loader: str) -> None:
    frame = getattr(datasets, f"load_{loader}")(as_frame=True).frame
    for seed in range(3):
        rng = np.random.default_rng(seed)
        (finding,) = found(cut(oversampled(frame, rng), SPLITS))
        assert (finding.severity, finding.split) == ("warning", "test")
        tables = cut(shuffled(frame, rng), SPLITS)
        assert not found(tables)
        assert not found({**tables, "train": oversampled(tables["train"], rng)})


def test_rows_in_a_line_by_nature() -> None:
    """Measurements of a plane, on a grid, or along one line: any row lies between others."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        for inputs in (
            rng.normal(size=(600, 2)) @ rng.normal(size=(2, 6)),
            rng.normal(size=(600, 5)).round(1),
            rng.integers(0, 17, (600, 20)),
            np.linspace(0, 5, 600)[:, None] * rng.normal(size=5),
        ):
            frame = pd.DataFrame(inputs).rename(columns=str).assign(target=rng.integers(0, 2, 600))
            assert not found(cut(shuffled(frame, rng), SPLITS))
