"""SPL102: what near-identical samples in two splits say, and when it is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding


def table(rows: int = 2_000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(50, 10, (rows, 10))).add_prefix("f").assign(y=rng.choice(["a", "b"], rows))


def found(train: pd.DataFrame, test: pd.DataFrame) -> list[Finding]:
    return datalint.scan({"train": train, "test": test}, label="y", select=["SPL102"]).findings


def test_severity_grows_with_the_share() -> None:
    train, test = table(), table(1_000, 1)
    assert not found(train, test)
    for count, severity in ((3, "info"), (20, "warning"), (80, "error")):
        (finding,) = found(train, pd.concat([test, train[:count].round(2)], ignore_index=True))
        assert finding.severity == severity
        assert finding.split == "test"
        assert finding.affected.count == count
        assert finding.message.startswith(f"{count} of {1_000 + count:,} rows of test ")


def test_expected_of_a_random_split() -> None:
    train, test = table(1_500), table(460, 1)
    (finding,) = found(train, pd.concat([test, train[:40].round(2)], ignore_index=True))
    # All 40 pairs are torn apart; of a split 3 to 1 it would be 2 * 3/4 * 1/4 of them.
    assert finding.evidence["near_identical"] == 40
    assert abs(float(finding.evidence["expected_of_random_split"]) - 15) < 0.1  # type: ignore[arg-type]


def test_pairs_inside_a_split_are_not_its_business() -> None:
    train, test = table(), table(500, 1)
    assert not found(pd.concat([train, train[:50].round(2)], ignore_index=True), test)


def test_exact_copies_are_not_its_business() -> None:
    train, test = table(), table(500, 1)
    assert not found(train, pd.concat([test, train[:50]], ignore_index=True))


def test_samples_of_both_splits_are_named() -> None:
    train, test = table(), table(500, 1)
    faulty = {"train": train, "test": pd.concat([test, train[7:27].round(2)], ignore_index=True)}
    affected = datalint.scan(faulty, label="y", select=["SPL102"]).affected("SPL102")
    assert set(affected.loc[affected["split"] == "train", "index"]) == set(range(7, 27))
    assert set(affected.loc[affected["split"] == "test", "index"]) == set(range(500, 520))


def test_one_split_is_skipped() -> None:
    report = datalint.scan(table(), label="y", select=["SPL102"])
    (status,) = [rule for rule in report.datasets[0].rules if rule.code == "SPL102"]
    assert status.reason == "there is only one split"
