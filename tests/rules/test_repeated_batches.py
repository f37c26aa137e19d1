"""ORD104: blocks that come again at once, and copies that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint

if TYPE_CHECKING:
    from datalint.report.models import Finding


def table(rows: int = 3_200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(rows, 4))).add_prefix("f").assign(y=rng.choice(["a", "b"], rows))


def found(frame: pd.DataFrame) -> list[Finding]:
    return datalint.scan(frame, label="y", select=["ORD104"]).findings


def test_one_block() -> None:
    clean = table()
    (finding,) = found(pd.concat([clean[:500], clean[468:500], clean[500:]]))
    assert "rows 500 to 531" in finding.message
    assert "32 of 3,232 samples are the same as the one 32 rows earlier" in finding.message
    assert [sample.index for sample in finding.affected.samples][:3] == [500, 501, 502]
    assert finding.affected.count == 32


def test_every_batch_twice() -> None:
    clean = table()
    (finding,) = found(pd.concat([clean[k : k + 32] for k in range(0, 3_200, 32) for _ in range(2)]))
    assert finding.evidence["blocks"] == 100
    assert finding.affected.count == 3_200
    assert finding.severity == "error"


def test_large_sets_are_estimated() -> None:
    rng = np.random.default_rng(0)
    big = pd.DataFrame({"f": rng.normal(size=100_000), "y": rng.choice(["a", "b"], 100_000)})
    (finding,) = found(pd.concat([big[:40_000], big[35_000:40_000], big[40_000:]]))
    assert finding.evidence["period"] == 5_000
    assert not finding.affected.exact
    assert abs(finding.affected.count - 5_000) < 700


@pytest.mark.parametrize("times", [2, 3, 8, 30, 100, 300])
def test_a_loader_that_yields_one_batch_again_and_again(times: int) -> None:
    repeated = pd.concat([table()[:100], *[table()[100:132]] * times])
    (finding,) = found(repeated)
    assert finding.severity == ("error" if 2 * 32 * (times - 1) >= len(repeated) else "warning")


def test_copies_anywhere_are_no_blocks() -> None:
    clean = table()
    rng = np.random.default_rng(1)
    assert not found(clean.iloc[rng.permutation(np.append(np.arange(3_200), rng.integers(0, 3_200, 600)))])
    # Each row written twice is exact-duplicates' business: a distance of one is no block.
    assert not found(clean.iloc[np.repeat(np.arange(3_200), 2)])


def test_few_distinct_rows() -> None:
    rng = np.random.default_rng(0)
    low = pd.DataFrame(
        {"p": rng.integers(0, 4, 3_000), "q": rng.integers(0, 4, 3_000), "y": rng.choice(["a", "b"], 3_000)}
    )
    assert not found(low)
    assert not found(low.sort_values(["p", "q"]))


def test_a_design_is_only_info() -> None:
    grid = pd.DataFrame([(a, b) for _ in range(6) for a in range(24) for b in range(7)], columns=["hour", "day"])
    findings = found(grid.assign(y=np.where(grid["hour"] > 11, "late", "early")))
    assert {finding.severity for finding in findings} <= {"info"}


def test_factors_of_a_planned_experiment_come_again() -> None:
    # 180 settings under 5 masks, two of which are alike, and an outcome that is zero for a third of the settings.
    rng = np.random.default_rng(0)
    n = np.arange(900)
    design = pd.DataFrame(
        {
            "opening": np.array(["l", "m", "s"])[n % 180 // 60],
            "solder": np.array(["thick", "thin"])[n % 60 // 30],
            "pad": n % 30 // 3,
            "panel": n % 3,
            "mask": np.array(["a3", "a3", "b3", "b6", "c1"])[n // 180],
        }
    )
    design["skips"] = np.where(design.opening == "l", 0, rng.poisson(30, 900))
    assert [finding.severity for finding in found(design.rename(columns={"mask": "y"}))] == ["info"]
    # Rows that were written twice lie among columns that do not come again elsewhere.
    assert [finding.severity for finding in found(pd.concat([table()[:100], table()[40:]]))] == ["warning"]
