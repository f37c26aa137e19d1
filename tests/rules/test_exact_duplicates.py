"""DUP101: what is a copy, what is a coincidence, and what is only an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.clean import Clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Finding


def measured(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "y": rng.choice(["p", "q"], n)})


def found(table: pd.DataFrame, code: str = "DUP101") -> list[Finding]:
    report = datalint.scan(table, label="y", select=[code])
    return [finding for finding in report.findings if finding.code == code]


def test_names_every_copy_and_the_row_it_repeats() -> None:
    table = measured(300)
    table = pd.concat([table, table.iloc[[5, 9, 5]]], ignore_index=True)
    report = datalint.scan(table, label="y", select=["DUP101"])
    (finding,) = report.findings
    assert finding.message == "3 of 303 rows repeat an earlier one exactly (0.99 %)"
    assert finding.evidence["distinct_repeated"] == 2
    assert list(report.affected("DUP101")["index"]) == [300, 301, 302]
    assert [sample.detail["repeats_index"] for sample in finding.affected.samples] == [5, 9, 5]


def test_rows_that_differ_in_an_id_alone_are_copies() -> None:
    table = measured(300)
    table = pd.concat([table, table.iloc[:30]], ignore_index=True)
    table.insert(0, "row_id", range(len(table)))
    (finding,) = found(table)
    assert finding.affected.count == 30
    assert finding.severity == "warning"


@pytest.mark.parametrize("kept", [0, 3])
def test_rows_without_a_value_repeat_nothing(kept: int, tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    table = load_wine(as_frame=True).data
    table.insert(0, "site", [f"Site {k}" for k in range(len(table))])
    table.insert(1, "indicator", "chemical analysis")
    table.iloc[20:38, 2:] = np.nan
    table.iloc[20 : 20 + kept, 2] = 13.2  # what was measured alike repeats
    table.to_csv(tmp_path / "wine.csv", index=False)
    report = datalint.scan(tmp_path, select=["DUP101", "VAL103", "LBL106"], cache=False)
    repeated = [finding.affected.count for finding in report.findings if finding.code == "DUP101"]
    assert repeated == ([kept - 1] if kept else [])
    (missing,) = (finding for finding in report.findings if finding.code == "VAL103")
    assert missing.severity == "warning"
    assert missing.message.startswith(f"{18 - kept} of 178 rows hold no number")
    assert sorted(report.affected("VAL103")["index"]) == list(range(20 + kept, 38))


def test_two_copies_in_a_small_table_are_info() -> None:
    table = measured(30)
    (finding,) = found(pd.concat([table, table.iloc[:2]], ignore_index=True))
    assert finding.severity == "info"


def test_the_same_input_under_another_label_is_no_copy_of_a_row() -> None:
    table = measured(300)
    other = table.iloc[:30].assign(y=["q" if y == "p" else "p" for y in table["y"].iloc[:30]])
    both = pd.concat([table, other], ignore_index=True)
    assert not found(both)
    (finding,) = found(both, "LBL106")
    assert finding.affected.count == 60


def test_an_image_under_two_labels_is_one_image(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / label).mkdir()
        for k in range(20):
            pixels = rng.integers(0, 256, (16, 16), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{k:02}.png")
    (tmp_path / "b" / "99.png").write_bytes((tmp_path / "a" / "03.png").read_bytes())
    report = datalint.scan(tmp_path, select=["DUP101", "LBL106"], cache=False)
    assert [finding.code for finding in report.findings] == ["DUP101", "LBL106"]
    assert report.findings[1].evidence["groups"] == 1


def test_two_broken_files_are_no_copies_of_each_other(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for k in range(10):
        Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(tmp_path / "ab"[k % 2] / f"{k}.png")
    for name in ("x", "y", "z"):
        (tmp_path / "a" / f"{name}.png").write_bytes(b"not a picture")
    assert not datalint.scan(tmp_path, select=["DUP101"], cache=False).findings


def test_coarse_values_coincide_by_themselves() -> None:
    rng = np.random.default_rng(1)
    n = 2000
    coarse = pd.DataFrame({f"x{j}": rng.integers(0, 4, n) for j in range(5)}).assign(y=rng.choice(["p", "q"], n))
    (finding,) = found(coarse)
    assert finding.severity == "info"
    assert "coarse" in finding.message
    # The same coarse columns next to a measured one: nothing coincides, so what is equal was copied.
    fine = pd.concat([coarse.assign(x=rng.normal(size=n))] * 2, ignore_index=True).iloc[: n + 200]
    (finding,) = found(fine)
    assert finding.severity == "warning"


def test_columns_that_hang_together_still_coincide_beside_an_independent_one() -> None:
    rng = np.random.default_rng(2)
    n = 3000
    born = rng.integers(1900, 1960, n)
    left = rng.random(n) < 0.2
    lives = pd.DataFrame({"born": born, "age": 2000 - born, "seen": born // 7, "left": np.where(left, "l", "r")})
    lives["y"] = rng.choice(["p", "q"], n)
    (finding,) = found(lives)
    assert finding.severity == "info"
    # Without an independent column copies of distinct rows leave no near ones.
    table = measured(300)
    copied = pd.concat([table.assign(left=rng.choice(["l", "r"], 300))] * 2, ignore_index=True)
    (finding,) = found(copied)
    assert finding.severity == "warning"
    assert finding.evidence["explained_by_coarse_values"] == 0


def test_the_message_says_that_keys_were_not_compared() -> None:
    table = pd.concat([measured(300)] * 2, ignore_index=True)
    table.insert(0, "patient_id", np.random.default_rng(3).permutation(len(table)))
    (finding,) = found(table)
    assert finding.message.startswith("300 of 600 rows repeat an earlier one with the key 'patient_id' left out")


def test_all_zero_rows_are_another_rules() -> None:
    table = measured(300)
    table.loc[[3, 40, 77], ["a", "b"]] = 0.0
    assert not found(table)


def test_beyond_the_memory_budget_the_number_is_an_estimate() -> None:
    table = measured(60_000)
    table = pd.concat([table, table.iloc[:20_000]], ignore_index=True)
    report = datalint.scan(table, label="y", select=["DUP101"], memory=1_048_576)
    (finding,) = report.findings
    assert not finding.affected.exact
    assert 0.8 * 20_000 < finding.affected.count < 1.2 * 20_000
    assert "about" in finding.message
    assert "95 % interval" in finding.message
    (rule,) = (rule for rule in report.datasets[0].rules if rule.code == "DUP101")
    assert rule.coverage.startswith("a sample of")


def test_the_interval_holds_its_promise() -> None:
    """The true number lies in the 95 % interval in about 95 of 100 tables."""
    from datalint.measures.places import Places
    from datalint.profile.duplicates import Copies

    rng = np.random.default_rng(0)
    rate, groups, inside = 0.05, 3_000, 0
    none = Places.none()
    copies = Copies(("all",), (10**6,), np.zeros(0, np.int64), none, np.zeros(0, np.uint64), rate)
    for _ in range(400):
        kept = int(rng.binomial(groups, rate))
        low, high = copies.interval(kept, 2 * kept)
        inside += low <= 2 * groups <= high
    assert 0.92 <= inside / 400 <= 0.99


def test_planted_copies_in_a_clean_table_are_counted_exactly() -> None:
    from datalint_rules.duplicates.exact_duplicates import ExactDuplicates

    table = measured(500)
    planted = ExactDuplicates.plant(Clean("made up", {"all": table}, "y"), 1.0, np.random.default_rng(0))
    assert planted is not None
    (finding,) = found(planted.data.tables["all"])
    assert finding.affected.count == 100


def test_hashes_that_lie_on_disk_give_the_same_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datalint.measures import contents, spool
    from datalint.profile import duplicates as copies

    table = measured(4_000)
    table = pd.concat([table, table.iloc[:300]], ignore_index=True).sample(frac=1, random_state=0)
    for k in range(8):
        table.iloc[k * 530 : (k + 1) * 530].to_csv(tmp_path / f"part-{k}.csv", index=False)
    in_memory = datalint.scan(tmp_path, label="y", select=["DUP101"], cache=False)
    aside: list[int] = []
    original = spool.put_aside

    def told(arrays: Sequence[NDArray[np.uint64]]) -> list[spool.Spooled]:
        aside.extend(len(array) for array in arrays)
        return original(arrays)

    monkeypatch.setattr(contents, "IN_MEMORY", 700)
    monkeypatch.setattr(contents, "put_aside", told)
    monkeypatch.setattr(copies, "AT_ONCE", 900)
    on_disk = datalint.scan(tmp_path, label="y", select=["DUP101"], cache=False)
    assert sum(aside) > 6_000
    assert on_disk.findings == in_memory.findings
    assert on_disk.affected("DUP101").equals(in_memory.affected("DUP101"))


def test_what_repeats_is_the_same_in_ranges_and_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from datalint.measures.contents import ALL, Contents, Stretch
    from datalint.profile import duplicates as copies

    rng = np.random.default_rng(0)
    hashes = rng.integers(2**64 - 1, size=3_000, dtype=np.uint64)
    hashes = np.concatenate([hashes, hashes[:200], np.repeat(hashes[7], 500)])
    state = Contents.__new__(Contents)
    state.limit = ALL
    state.stretches = [Stretch(0, k, 370, part, part, None, k) for k, part in enumerate(np.split(hashes, 10))]
    values, counts = np.unique(hashes, return_counts=True)
    wanted = values[counts > 1]
    for at_once in (10_000, 900):
        monkeypatch.setattr(copies, "AT_ONCE", at_once)
        repeated, count = copies._repeated([state], ALL)
        assert (repeated.tolist(), count) == (wanted.tolist(), int(counts[counts > 1].sum()))
    monkeypatch.setattr(copies, "MAX_COPIES", 400)  # which one range holds more of: their number is enough
    assert copies._repeated([state], ALL)[1] > 400


def test_joining_stretches_needs_no_room_for_both() -> None:
    import tracemalloc

    from datalint.measures.base import Settings
    from datalint.measures.contents import Contents, Stretch
    from datalint.measures.spool import loaded

    state = Contents(Settings())
    size = 50_000
    tracemalloc.start()
    try:
        for k in range(40):
            hashes = np.arange(2 * size, dtype=np.uint64).reshape(2, size) + np.uint64(k)
            state.stretches.append(Stretch(0, k * size, size, hashes[0].copy(), hashes[1].copy(), None, 3 + k * size))
        held = tracemalloc.get_traced_memory()[0]
        (whole,) = state.close().stretches
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (whole.lines, whole.rows, whole.size, len(whole.inputs)) == (3, None, 40 * size, 40 * size)
    assert loaded(whole.contents)[-1] == 2 * size + 38
    assert peak < 1.7 * held


def test_an_array_on_disk_comes_back_from_copies_and_pickles() -> None:
    import copy
    import pickle

    from datalint.engine.freeze import freeze, thaw
    from datalint.measures.spool import loaded, put_aside

    array = np.arange(1_000, dtype=np.uint64)
    (spooled,) = put_aside([array])
    assert len(spooled) == 1_000
    for back in (
        loaded(spooled),
        copy.deepcopy(spooled),
        pickle.loads(pickle.dumps(spooled)),
        thaw(freeze(spooled)),
    ):
        assert isinstance(back, np.ndarray)
        assert (back == array).all()
