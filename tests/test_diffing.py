"""Comparing two reports through the real command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sklearn import datasets

import datalint
from tests.command import call, run
from tests.report import examples

if TYPE_CHECKING:
    from pathlib import Path

SCAN = ("--no-cache", "--no-report", "--preset", "fast", "--fail-on", "never", "-q", "--format", "concise")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Iris sorted, then shuffled with a row of zeros; each with its report."""
    place = tmp_path_factory.mktemp("diff")
    table = datasets.load_iris(as_frame=True).frame.rename(columns={"target": "species"})
    (place / "data").mkdir()
    table.to_csv(place / "data" / "iris.csv", index=False)
    assert call(place, "scan", "data", "--json", "old.json", *SCAN).status == 0
    table = table.sample(frac=1, random_state=0)
    table.iloc[5, :4] = 0.0
    table.to_csv(place / "data" / "iris.csv", index=False)
    assert call(place, "scan", "data", "--json", "new.json", *SCAN).status == 0
    return place


def test_new_fixed_and_unchanged(folder: Path) -> None:
    assert "numbers that moved" not in call(folder, "diff", "old.json", "new.json").out
    done = run(folder, "diff", "old.json", "new.json", "--numbers")
    assert (done.status, done.err) == (0, "")
    new, _, rest = done.out.partition("fixed:\n")
    fixed, _, moved = rest.partition("numbers that moved:\n")
    assert new.startswith("new:\n") and "warning  VAL101" in new and "ORD101" not in new
    assert "warning  ORD101" in fixed
    assert "ORD103" not in done.out  # was part of ORD101
    assert "input range, all, low: 0.1 -> 0" in moved
    assert done.out.splitlines()[-1].startswith("1 new, 1 fixed, ")
    assert max(map(len, moved.splitlines())) < 120


def test_exit_status_says_whether_something_bad_is_new(folder: Path) -> None:
    assert call(folder, "diff", "old.json", "new.json", "--fail-on", "warning").status == 1
    assert call(folder, "diff", "new.json", "new.json", "--fail-on", "info").status == 0
    back = call(folder, "diff", "new.json", "old.json", "--fail-on", "warning", "--format", "json")
    assert back.status == 1
    changes = json.loads(back.out)
    assert [change["finding"]["code"] for change in changes["new"]] == ["ORD101"]
    assert {"dataset": "iris", "what": "input range, all, low", "old": 0.0, "new": 0.1} in changes["facts"]
    same = call(folder, "diff", "old.json", "old.json")
    assert same.out == f"0 new, 0 fixed, {len(changes['unchanged']) + 1} unchanged findings\n"


def test_class_counts_and_noise_rates_move() -> None:
    before = examples.digits()[0]
    (train, test), (noise, *others) = before.splits, before.findings
    fewer = train.model_copy(update={"samples": 1_349, "classes": {**(train.classes or {}), "9": 2}})
    cleaner = noise.model_copy(
        update={"evidence": {**noise.evidence, "estimated_noise_rate": 0.01}, "severity": "info"}
    )
    after = before.model_copy(update={"splits": (fewer, test), "findings": (cleaner, *others), "name": "renamed"})
    changes = datalint.diff(examples.report([before]), examples.report([after]))
    shown = changes.to_text(numbers=True)
    assert "numbers that moved" not in str(changes)
    assert "  samples of train: 1,359 -> 1,349\n" in shown
    assert "  class 9 of train: 12 -> 2\n" in shown
    assert "  LBL102 estimated noise rate: 4.93% -> 1%\n" in shown
    assert "(was error)" in shown and not changes.new and not changes.fixed
    assert changes.ok("info")
    assert not datalint.diff(examples.report([after]), examples.report([before])).ok("error")  # it became worse


def test_what_became_worse_is_told_and_fails() -> None:
    before = examples.digits()[0]
    noise, *others = before.findings
    assert noise.affected.count >= 20
    many = noise.affected.model_copy(update={"count": 40 * noise.affected.count})
    after = before.model_copy(update={"findings": (noise.model_copy(update={"affected": many}), *others)})
    reports = examples.report([before]), examples.report([after])
    changes = datalint.diff(*reports)
    assert [change.worse for change in changes.unchanged if change.worse] == [f"{noise.affected.count:,}"]
    assert "worse:\n" in str(changes) and f"(was {noise.affected.count:,})" in str(changes)
    assert not changes.ok(noise.severity)
    back = datalint.diff(*reversed(reports))
    assert back.ok("info") and "worse:" not in str(back)


def test_data_sets_come_and_go() -> None:
    old, new = (
        examples.report([examples.iris(), examples.diabetes()]),
        examples.report([examples.iris(), examples.digits()[0]]),
    )
    changes = datalint.diff(old, new)
    assert (changes.added, changes.removed) == (("digits",), (examples.diabetes().name,))
    assert {change.finding.code for change in changes.new} == {"LBL102", "LBL101", "IMG101", "ORD101"}
    assert {change.dataset for change in changes.unchanged} == {"iris_sorted"}


def test_hostile_names_do_not_move_the_cursor() -> None:
    shown = str(datalint.diff(examples.report([]), examples.hostile()))
    assert not {"\x1b", "\x9b", "\r", "\u202e"} & set(shown)
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.json", None, "cannot read gone.json: No such file or directory"),
        (".", None, "cannot read .: Is a directory"),
        ("words.json", "hello", "words.json is no datalint report: it is not JSON"),
        ("other.json", '{"a": 1}', "other.json is no datalint report: it is JSON without a schema of ours"),
        ("list.json", "[1]", "list.json is no datalint report: it is JSON without a schema of ours"),
        ("later.json", '{"schema": "datalint-report/9"}', "its schema is 'datalint-report/9', and this version reads"),
        ("torn.json", '{"schema": "datalint-report/1"}', "torn.json is no datalint report: at tool: Field required"),
        ("deep.json", "[" * 100_000, "deep.json is no datalint report"),
        ("binary.json", b"\xff\xfe\x00", "cannot read binary.json: not a text file"),
    ],
)
def test_what_is_no_report(folder: Path, name: str, content: str | bytes | None, message: str) -> None:
    if content is not None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for pair in ((name, "new.json"), ("old.json", name)):
        done = call(folder, "diff", *pair)
        assert (done.status, done.out) == (2, "")
        assert message in done.err and len(done.err.splitlines()) == 1


def test_what_is_silenced_is_not_fixed_and_not_new_when_it_is_heard_again() -> None:
    before = examples.iris()
    first, *others = before.findings
    after = before.model_copy(update={"findings": tuple(others), "suppressed": 1, "silenced": (first.fingerprint,)})
    hidden = datalint.diff(examples.report([before]), examples.report([after]))
    assert not hidden.fixed and not hidden.new
    heard = datalint.diff(examples.report([after]), examples.report([before]))
    assert not heard.fixed and not heard.new
