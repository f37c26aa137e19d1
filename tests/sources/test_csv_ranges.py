"""Large CSV files are read in ranges of lines: the report must not tell the difference."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.engine.engine import Serial
from datalint.engine.measure import measure
from datalint.judge.judge import judge
from datalint.measures.base import Settings
from datalint.rules.registry import select_rules
from datalint.sources.tables import csvs
from datalint.sources.tables.csvs import CsvPartition, csv_partitions

if TYPE_CHECKING:
    from pathlib import Path


def table(rows: int = 3000, text: str | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)).round(4), columns=["a", "b", "c"])
    if text is not None:
        frame["note"] = text
    frame["label"] = np.sort(rng.choice(["x", "y"], rows))
    return pd.concat([frame, frame.iloc[:20]], ignore_index=True)


def ranges(path: Path, size: int) -> list[CsvPartition]:
    (dataset,) = datalint.detect(path, label="label")
    (whole,) = dataset.partitions
    assert isinstance(whole, CsvPartition)
    return csv_partitions(whole, size)


def scanned(path: Path, size: int) -> Any:
    (dataset,) = datalint.detect(path, label="label")
    dataset.partitions = ranges(path, size)
    rules = [rule() for rule in select_rules(["ORD101", "DUP101", "LBL", "VAL101"]) if not rule.trains]
    done = judge(measure(dataset, rules, Settings(), Serial()), rules)
    return done.report.model_dump(), done.affected


@pytest.mark.parametrize("size", [900, 7_000, 30_000])
def test_same_report_and_same_lines(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvs, "WINDOW", 500)
    path = tmp_path / "t.csv"
    table().to_csv(path, index=False)
    assert len(ranges(path, size)) > 1
    report, affected = scanned(path, size)
    assert (report, affected) == scanned(path, 1 << 30)
    lines = path.read_text().splitlines()
    copies = next(samples for samples in affected.values() if "repeats_index" in samples[0].detail)
    for sample in copies:
        line = int(sample.id.rpartition(":")[2])
        assert lines[line - 1] == lines[int(sample.detail["repeats_index"]) + 1]


def test_quoted_values_are_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvs, "WINDOW", 500)
    path = tmp_path / "t.csv"
    table(text='said, "so"').to_csv(path, index=False)
    assert len(ranges(path, 9_000)) > 3
    assert scanned(path, 9_000) == scanned(path, 1 << 30)


def test_no_cut_where_values_span_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvs, "WINDOW", 500)
    path = tmp_path / "t.csv"
    plain = table(text="short").to_csv(index=False)
    spanning = table(text="two\nlines").to_csv(index=False, header=False)
    path.write_text(plain + spanning)
    cuts = [part.starts[-1] for part in ranges(path, 9_000)]
    assert len(cuts) > 3
    assert max(cuts) <= len(plain) + 500  # no line of the second half is cut
    assert scanned(path, 9_000) == scanned(path, 1 << 30)


def test_rows_of_the_wrong_length_are_told_by_their_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = table().to_csv(index=False).splitlines()
    lines[2500] += ",one,too,many"
    path.write_text("\n".join(lines) + "\n")
    found = [
        problem
        for part in ranges(path, 20_000)
        for batch in part.batches(frozenset({"table"}))
        for problem in batch.problems
    ]
    assert ["(lines 2501)" in problem.message for problem in found] == [True]


def test_a_file_that_shrinks_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table().to_csv(path, index=False)
    parts = ranges(path, 20_000)
    content = path.read_bytes()
    path.write_bytes(content[: parts[-1].starts[-1] - 10])
    assert sum(batch.size for part in parts[:-2] for batch in part.batches(frozenset({"table"}))) > 0
    assert [batch.size for batch in parts[-1].batches(frozenset({"table"}))] in ([], [0])


def test_weights_add_up_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table().to_csv(path, index=False)
    parts = ranges(path, 20_000)
    assert sum(part.weight for part in parts) == path.stat().st_size
    assert [replace(part, starts=(0,), stop=None) for part in parts] == [ranges(path, 1 << 30)[0]] * len(parts)


def test_rows_whose_quote_takes_in_other_lines_are_named_so() -> None:
    ragged = csvs._Ragged('"', False, lambda call: call)
    for number, text in ((88, '"one,0\ntwo,1\n"three, four",1'), (191, "one")):
        ragged.add(SimpleNamespace(expected_columns=2, text=text, number=number))
    told = "1 of them open a quote that is not closed on its line, and so take in 2 more lines"
    assert ragged.message(0) == f"2 rows do not have 2 fields (lines 88, 191): {told}; left out of the scan"
