"""The baseline: known findings stay known while the data is reordered, cut, added to or moved."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from datalint.core.errors import DatalintError
from datalint.suppress.baseline import Baseline, of_report, read_baseline, stale
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def wine(seed: int = 0) -> pd.DataFrame:
    """Real measurements with a constant column, copies, gaps marked by a number and a rare class."""
    table: pd.DataFrame = datasets.load_wine(as_frame=True).frame.sample(frac=1, random_state=seed, ignore_index=True)
    table["station"] = 7
    rows = table[table["target"] != 2].index
    table = pd.concat([table.loc[rows], table[table["target"] == 2].head(4)]).sample(frac=1, random_state=seed)
    table = pd.concat([table, table.head(9)], ignore_index=True)
    table.loc[table.index[20:40], "hue"] = -999.0
    return table.sample(frac=1, random_state=seed, ignore_index=True)


def scan(path: Path, **options: Any) -> Report:
    return datalint.scan(path, label="target", preset="fast", **{"cache": False, "config": False, **options})


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    wine().to_csv(tmp_path / "data" / "wine.csv", index=False)
    return tmp_path


def reordered(folder: Path) -> Path:
    path = folder / "data" / "wine.csv"
    pd.read_csv(path).sample(frac=1, random_state=5).to_csv(path, index=False)
    return folder / "data"


def resharded(folder: Path) -> Path:
    path = folder / "data" / "wine.csv"
    table = pd.read_csv(path)
    path.unlink()
    for k in range(3):
        table.iloc[k::3].to_csv(folder / "data" / f"wine-{k:05d}-of-00003.csv", index=False)
    return folder / "data"


def added_to(folder: Path) -> Path:
    path = folder / "data" / "wine.csv"
    table = pd.read_csv(path)
    more = table[table["target"] < 2].drop_duplicates().query("hue > 0").head(30) * 1.0
    more.iloc[:, :13] *= 1 + np.random.default_rng(1).normal(0, 0.01, (len(more), 13))
    pd.concat([table, more]).astype({"target": int, "station": int}).to_csv(path, index=False)
    return folder / "data"


def moved(folder: Path) -> Path:
    shutil.move(folder / "data", folder / "elsewhere")
    return folder / "elsewhere"


def renamed(folder: Path) -> Path:
    (folder / "data" / "wine.csv").rename(folder / "data" / "measurements.csv")
    return folder / "data"


def to_parquet(folder: Path) -> Path:
    path = folder / "data" / "wine.csv"
    pd.read_csv(path).to_parquet(folder / "data" / "wine.parquet")
    path.unlink()
    return folder / "data"


@pytest.mark.parametrize("change", [reordered, resharded, added_to, moved, renamed, to_parquet])
def test_fingerprints_survive(folder: Path, change: Any) -> None:
    before = scan(folder / "data")
    assert {"VAL104", "VAL105", "DUP101", "LBL101"} <= codes(before)
    known = of_report(before)
    known.write(folder / "known.json")
    place = change(folder)
    after = scan(place, baseline=folder / "known.json")
    assert not [f.message for f in after.findings if f.code in codes(before)]
    assert stale(known, scan(place).datasets) <= {
        e.fingerprint for e in known.entries if e.code not in codes(scan(place))
    }


def test_new_findings_are_reported_and_known_ones_counted(folder: Path) -> None:
    before = scan(folder / "data")
    of_report(before).write(folder / "known.json")
    table = pd.read_csv(folder / "data" / "wine.csv")
    table["batch"] = "A"
    table.loc[3, "ash"] = np.inf
    table.to_csv(folder / "data" / "wine.csv", index=False)
    after = scan(folder / "data", baseline=folder / "known.json")
    assert "VAL102" in codes(after)
    assert not {"VAL104", "DUP101", "LBL101"} & codes(after)
    assert after.datasets[0].suppressed >= 4
    assert scan(folder / "data", baseline=False).datasets[0].suppressed == 0
    assert after.summary.error + after.summary.warning + after.summary.info == len(after.datasets[0].leading)


def test_other_data_sets_keep_their_own(folder: Path) -> None:
    of_report(scan(folder / "data")).write(folder / "known.json")
    for name, table in (("second", wine(1).drop(columns="ash")), ("third", wine(2).drop(columns="hue"))):
        (folder / "data" / name).mkdir()
        table.to_csv(folder / "data" / name / f"{name}.csv", index=False)
    report = scan(folder / "data", baseline=folder / "known.json", select=["DUP101", "LBL101"])
    found = {part.name: {f.code for f in part.findings} for part in report.datasets}
    assert found == {"wine": set(), "second/second": {"DUP101", "LBL101"}, "third/third": {"DUP101", "LBL101"}}


def test_fingerprints_are_unique_over_all(folder: Path) -> None:
    wine(1).rename(columns=str.upper).to_csv(folder / "data" / "second.csv", index=False)
    report = datalint.scan(folder / "data", preset="fast", cache=False, config=False)
    prints = [finding.fingerprint for finding in report.findings]
    assert len(report.datasets) == 2
    assert len(prints) == len(set(prints)) > 10


# --- through the command line ------------------------------------------------------------------------------------------

QUICK = "preset = 'fast'\nlabel = 'target'\nbaseline = 'known.json'\nignore = ['SPL', 'SIG']\n"


def test_record_scan_mend_and_prune(folder: Path) -> None:
    (folder / "datalint.toml").write_text(QUICK)
    recorded = call(folder, "baseline", "data")
    assert recorded.status == 0
    entries = json.loads((folder / "known.json").read_text())["entries"]
    leading = sum(entry.get("part_of") is None for entry in entries)
    more = f" and {len(entries) - leading} that follow from them" if len(entries) > leading else ""
    assert recorded.out == f"known.json: recorded {leading} findings{more}; use it with --baseline\n"
    assert {"fingerprint", "code", "rule", "severity", "dataset", "message"} <= set(entries[0])

    again = call(folder, "baseline", "data")
    assert (again.status, again.out) == (2, "")
    assert "known.json exists; --prune removes what is mended, --force records all anew" in again.err

    clean = call(folder, "scan", "data", "--no-report", "--fail-on", "info")
    assert clean.status == 0
    totals, _, left_out = " ".join(clean.out.split()).partition(" left out by preset fast")
    assert left_out and totals.endswith(f"; {len(entries)} findings suppressed")

    table = pd.read_csv(folder / "data" / "wine.csv")
    # No longer constant; which also tells the copies apart.
    table["station"] = np.random.default_rng(0).normal(0, 1, len(table)).round(6)
    table.to_csv(folder / "data" / "wine.csv", index=False)
    mended = call(folder, "scan", "data", "--no-report", "--fail-on", "warning", "--format", "concise")
    assert mended.status == 0
    assert mended.out == (
        f"known.json: CFG101 info 2 of {len(entries)} findings in the baseline are no longer there: "
        "DUP101 exact-duplicates in wine; VAL105 constant-column in wine, station\n"
    )

    pruned = call(folder, "baseline", "data", "--prune")
    assert pruned.out == f"known.json: removed 2 of {len(entries)} entries\n"
    left = json.loads((folder / "known.json").read_text())["entries"]
    assert left == [entry for entry in entries if entry["code"] not in {"VAL105", "DUP101"}]
    assert not scan(folder / "data", baseline=folder / "known.json").findings


def test_rules_that_did_not_run_leave_no_stale_entries(folder: Path) -> None:
    known = of_report(scan(folder / "data"))
    known.write(folder / "known.json")
    some = scan(folder / "data", baseline=folder / "known.json", select=["VAL104", "CFG101"])
    assert codes(some) == set()
    assert stale(known, scan(folder / "data", select=["VAL104"]).datasets) == set()
    unlabelled = pd.read_csv(folder / "data" / "wine.csv").drop(columns="target")
    unlabelled.to_csv(folder / "data" / "wine.csv", index=False)
    report = datalint.scan(folder / "data", preset="fast", cache=False, config=False)
    gone = {entry.code for entry in known.entries if entry.fingerprint in stale(known, report.datasets)}
    assert "LBL101" not in gone


def test_what_changed_in_the_baseline_is_a_new_report(folder: Path) -> None:
    options: dict[str, Any] = {"cache": True, "cache_dir": folder / "cache", "baseline": folder / "known.json"}
    known = of_report(scan(folder / "data"))
    known.write(folder / "known.json")
    assert not codes(scan(folder / "data", **options))
    known.without({known.entries[0].fingerprint}).write(folder / "known.json")
    assert codes(scan(folder / "data", **options)) == {known.entries[0].code}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such baseline: b.json; `datalint baseline PATH` records one"),
        ("[[", "b.json is no baseline: it is not JSON"),
        ("[" * 100_000, "b.json is no baseline: it is not JSON"),
        ("[]", "b.json is no baseline; `datalint baseline PATH` records one"),
        ('{"schema": "datalint-report/1"}', "b.json is no baseline but a datalint-report/1; "),
        ('{"schema": "datalint-baseline/2"}', "is a baseline of another version (datalint-baseline/2, not"),
        ('{"schema": "datalint-baseline/1", "entries": [{}]}', "b.json is a damaged baseline: entries.0.fingerprint"),
        ('{"schema": "datalint-baseline/1", "entries": 3}', "b.json is a damaged baseline: entries: "),
    ],
)
def test_files_that_are_no_baseline(
    folder: Path, content: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    if content is not None:
        (folder / "b.json").write_text(content)
    with pytest.raises(DatalintError) as caught:
        datalint.scan("data", baseline="b.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_ends_with_two_for_a_bad_baseline(folder: Path) -> None:
    (folder / "b.json").write_text('{"schema": "datalint-baseline/2"}')
    for arguments in (("scan", "data", "--baseline", "b.json"), ("baseline", "data", "--output", "b.json", "--prune")):
        outcome = call(folder, *arguments)
        assert (outcome.status, outcome.out) == (2, "")
        assert "b.json is a baseline of another version" in outcome.err
        assert outcome.err.count("\n") == 1
    nowhere = call(folder, "baseline", "data", "--output", "b.json/x.json")
    assert (nowhere.status, nowhere.out) == (2, "")
    assert "cannot write b.json/x.json" in nowhere.err


def test_reading_back(tmp_path: Path) -> None:
    Baseline().write(tmp_path / "b.json")
    assert read_baseline(tmp_path / "b.json") == Baseline()


# --- what became worse -------------------------------------------------------------------------------------------------


def repeated(copies: int, rows: int = 4_000, seed: int = 0) -> pd.DataFrame:
    """Measured rows, after which the first ones come again."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "target": rng.integers(0, 2, rows)})
    return pd.concat([table, table.head(copies)], ignore_index=True)


def copies_told(folder: Path, then: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """What a scan of later data says of repeated rows, with the earlier ones in the baseline."""
    place = folder / "copies.csv"
    then.to_csv(place, index=False)
    of_report(scan(place, select=["DUP101"])).write(folder / "known.json")
    now.to_csv(place, index=False)
    return [finding.message for finding in scan(place, select=["DUP101"], baseline=folder / "known.json").findings]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (repeated(3), repeated(3)),
        (repeated(3), repeated(6)),  # chance
        (repeated(300), repeated(390)),  # not half again
        (repeated(300), repeated(30)),
        (repeated(300), repeated(1_200, 16_000)),  # as the data has grown
        (repeated(300), repeated(300, 1_000)),  # a larger share, and no more of them
    ],
)
def test_what_is_not_worse_stays_known(tmp_path: Path, then: pd.DataFrame, now: pd.DataFrame) -> None:
    assert copies_told(tmp_path, then, now) == []


@pytest.mark.parametrize(
    ("copies", "rows", "then", "now"), [(3_000, 4_000, " (info)", " (warning)"), (30, 8_000, "", "")]
)
def test_what_grew_far_more_than_the_data_is_told_again(
    tmp_path: Path, copies: int, rows: int, then: str, now: str
) -> None:
    (message,) = copies_told(tmp_path, repeated(3), repeated(copies, rows))
    assert message.endswith(f" (was 3{then} when accepted, now {copies:,}{now})")


def test_a_higher_severity_is_told_again(folder: Path) -> None:
    of_report(scan(folder / "data", config={"rules": {"VAL104": {"severity": "info"}}})).write(folder / "known.json")
    report = scan(folder / "data", baseline=folder / "known.json")
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("VAL104", "warning")
    assert finding.message.endswith(" (was info when accepted, now warning)")
    assert report.datasets[0].suppressed >= 3
    assert not report.ok("warning")


def test_a_baseline_without_counts_is_read_and_knows_what_it_knew(tmp_path: Path) -> None:
    place = tmp_path / "copies.csv"
    repeated(3).to_csv(place, index=False)
    of_report(scan(place, select=["DUP101"])).write(tmp_path / "known.json")
    content = json.loads((tmp_path / "known.json").read_text())
    for entry in content["entries"]:
        del entry["count"], entry["samples"]
    (tmp_path / "known.json").write_text(json.dumps(content))
    repeated(3_000).to_csv(place, index=False)
    assert not scan(place, select=["DUP101"], baseline=tmp_path / "known.json").findings


def test_what_became_worse_fails_the_build_until_it_is_accepted(tmp_path: Path) -> None:
    repeated(3).to_csv(tmp_path / "copies.csv", index=False)
    options = ("--no-report", "--fail-on", "info", "--format", "concise", "--select", "DUP101", "--label", "target")
    (tmp_path / "datalint.toml").write_text("select = ['DUP101']\nlabel = 'target'\nbaseline = 'known.json'\n")
    assert call(tmp_path, "baseline", "copies.csv").status == 0
    assert call(tmp_path, "scan", "copies.csv", *options).status == 0
    repeated(3_000).to_csv(tmp_path / "copies.csv", index=False)
    worse = call(tmp_path, "scan", "copies.csv", *options)
    assert worse.status == 1
    assert "was 3 (info) when accepted, now 3,000 (warning)" in worse.out
    assert call(tmp_path, "baseline", "copies.csv", "--force").status == 0
    assert call(tmp_path, "scan", "copies.csv", *options).status == 0


def test_recording_in_python(folder: Path) -> None:
    data, file = folder / "data", folder / "known.json"
    recorded = datalint.baseline(data, file)
    assert recorded.entries and read_baseline(file) == recorded
    assert datalint.scan(data, baseline=file).findings == []
    with pytest.raises(DatalintError, match="exists"):
        datalint.baseline(data, file)
    table = pd.read_csv(data / "wine.csv")
    table.drop(columns="station").to_csv(data / "wine.csv", index=False)
    left = datalint.baseline(data, file, prune=True)
    assert 0 < len(left.entries) < len(recorded.entries) and read_baseline(file) == left


def test_settings_in_python(folder: Path) -> None:
    file = datalint.init(folder / "data")
    assert file == folder / "data" / "datalint.toml" and 'label = "target"' in file.read_text()
    with pytest.raises(DatalintError, match="exists"):
        datalint.init(folder / "data")
