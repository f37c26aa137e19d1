"""What nobody foresaw: one file, one data set or one command that breaks down, and what is still told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.core.dataset import Batch, LabelBlock
from datalint.core.errors import DatalintError
from datalint.engine.cache import Cache, Cached
from datalint.engine.engine import Serial, read
from datalint.engine.plan import Plan, plan
from datalint.measures.base import Settings
from datalint.measures.order import LabelRuns
from datalint.measures.problems import Problems
from tests.command import call, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.core.dataset import Aspect


@dataclass(frozen=True)
class Odd:
    """Ten samples, and then an error that no list of errors holds."""

    where: str
    error: type[Exception] = MemoryError
    split: str = "all"
    weight: int = 1

    @property
    def files_read(self) -> tuple[str, ...]:
        return (self.where,) if self.where else ()

    def sample_id(self, line: int) -> str:
        return f"odd[{line}]"

    def picture(self, line: int) -> bytes | None:
        return None

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        yield Batch(self.split, 0, 10, labels=LabelBlock(np.zeros(10, np.int32), ["a"]))
        raise self.error("nobody foresaw it")


def test_a_partition_that_breaks_down_is_a_problem_and_is_not_kept(tmp_path: Path) -> None:
    odd = Odd(__file__)
    first, second = read(odd, frozenset({"labels"}))
    assert (first.size, second.size) == (10, 0)
    (problem,) = second.problems
    assert (problem.kind, problem.path) == ("failed", "odd[0]") and "more memory than there is" in problem.message
    engine = Cached(Serial(), Cache(tmp_path / "cache"))
    for _ in range(2):
        (part,) = engine.measure([(0, odd)], Plan.of((LabelRuns, Problems), Settings()), lambda _: None)
        assert part.failed
    assert [path for path in (tmp_path / "cache").rglob("??/*") if path.is_file()] == []
    (*_, last) = read(Odd(__file__, SystemError), frozenset({"labels"}))
    assert [problem.kind for problem in last.problems] == ["truncated"]
    with pytest.raises(MemoryError):  # in memory: whose code it is wants to see where
        list(read(Odd(""), frozenset({"labels"})))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("bad", "good"):
        (tmp_path / "data" / name).mkdir(parents=True)
        frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=[f"{name} {k}" for k in range(3)]).assign(
            label=rng.choice(["x", "y"], 60)
        )
        frame.to_csv(tmp_path / "data" / name / f"{name}.csv", index=False)
    return tmp_path


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of data sets of which the scan breaks down."""
    names = {"bad"}

    def breaks(rules: Any, dataset: Any, settings: Any) -> Any:
        if any(name in dataset.name for name in names):
            raise KeyError("columns")
        return plan(rules, dataset, settings)

    monkeypatch.setattr("datalint.engine.measure.plan", breaks)
    return names


def test_one_data_set_does_not_take_the_others_with_it(sets: Path, broken: set[str]) -> None:
    whole = datalint.scan(sets / "data" / "good", cache=False, preset="fast").datasets[0]
    for _ in range(2):  # the second time it is not known from the cache either
        report = datalint.scan(sets / "data", preset="fast", cache_dir=sets / "cache")
        found = {dataset.path.rpartition("/")[2].removesuffix(".csv"): dataset for dataset in report.datasets}
        bad, good = found["bad"], found["good"]
        assert [f.message for f in good.findings] == [f.message for f in whole.findings]
        (finding,) = bad.findings
        assert (finding.code, finding.severity) == ("FIL101", "error") and "KeyError: 'columns'" in finding.message
        assert {rule.status for rule in bad.rules if rule.code != "CFG101"} == {"found", "skipped"}
    assert call(sets, "scan", "data", "--no-cache", "--no-report", "--preset", "fast").status == 1
    quiet = call(sets, "scan", "data", "--no-cache", "--no-report", "--ignore", "FIL101", "--preset", "fast")
    assert quiet.status == 1 and "its scan broke down" in quiet.out  # what could not be judged does not pass in silence
    broken.add("good")
    every = call(sets, "scan", "data", "--no-cache", "--no-report", "--preset", "fast")
    assert (every.status, every.out) == (2, "")
    assert every.err.startswith("datalint: data/bad") and every.err.count("\n") == 1


def test_a_data_set_without_samples_does_not_take_the_others_with_it(
    sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sets / "data" / "bad" / "bad.csv").write_text("a,b,label\n1,2\n")  # an export that was cut in its first row
    outcome = call(sets, "scan", "data", "--no-cache", "--no-report", "--preset", "fast")
    assert outcome.status == 1 and "FIL101" in outcome.out and "good" in outcome.out and not outcome.err


@pytest.mark.parametrize("debug", [False, True])
def test_the_last_catch(sets: Path, monkeypatch: pytest.MonkeyPatch, debug: bool) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("line one\nline two")

    monkeypatch.setattr(datalint.suppress.ignores.Silencer, "apply", breaks)
    extra = {"DATALINT_DEBUG": "1"} if debug else {}
    outcome = call(sets, "scan", "data", "--no-cache", "--no-report", "--preset", "fast", extra=extra)
    assert (outcome.status, outcome.out) == (2, "")
    assert "ZeroDivisionError: line one line two (DATALINT_DEBUG=1 shows where)" in outcome.err
    assert ("Traceback" in outcome.err) == debug
    assert debug or outcome.err.count("\n") == 1


def test_what_breaks_down_while_a_path_is_recognised_names_it(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> None:
        raise EOFError("no more")

    monkeypatch.setattr("datalint.sources.recognise.Search.found", breaks)
    with pytest.raises(DatalintError, match="data could not be recognised: EOFError: no more"):
        datalint.scan(sets / "data", cache=False)


def test_interrupted_while_it_is_imported(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from datalint.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "datalint: interrupted; no report was written\n")
