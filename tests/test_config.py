"""The configuration: which file counts, what it changes, and what is said where it is wrong."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from datalint.config.discovery import as_toml, rule_options, settle
from datalint.config.schema import config_schema
from datalint.core.errors import DatalintError
from datalint.rules.registry import all_rules
from datalint.suppress.ignores import glob_matches
from tests.command import ROOT, call, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

FEW = ["LBL101", "VAL105", "DUP101", "CFG101"]


def table(seed: int = 0) -> pd.DataFrame:
    """60 of one class and 5 of the other, two constant columns, and two rows that are copies."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.random(65).round(6), "b": rng.random(65).round(6), "version": 3, "label": "x"})
    frame.loc[:4, "label"] = "y"
    frame = frame.sample(frac=1, random_state=seed, ignore_index=True)
    frame.iloc[[10, 11]] = frame.iloc[[20, 21]].to_numpy()
    return frame


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a train and a test file, in a repository of its own."""
    folder = tmp_path / "project" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "project" / ".git").mkdir()
    table(0).to_csv(folder / "train.csv", index=False)
    table(1).to_csv(folder / "test.csv", index=False)
    return folder


def scan(source: Any, config: Any = None, **options: Any) -> Report:
    return datalint.scan(source, config=config, **{"select": FEW, "cache": False, **options})


def found(report: Report) -> dict[str, str]:
    """Severity by code and split."""
    return {f"{f.code} {f.split or ''}".strip(): f.severity for f in report.findings}


PLAIN = dict.fromkeys(["DUP101 test", "DUP101 train", "LBL101 test", "LBL101 train"])


# --- which file ------------------------------------------------------------------------------------------------------


def test_the_closest_file_wins_and_nothing_is_merged(data: Path) -> None:
    project = data.parent
    (project.parent / "datalint.toml").write_text("batch-size = 1\n")  # outside the repository
    assert settle([data]).files == ()
    (project / "pyproject.toml").write_text("[tool.datalint]\nbatch-size = 2\nignore = ['LBL']\n")
    assert settle([data]).config.batch_size == 2
    (project / ".datalint.toml").write_text("batch-size = 3\n")
    assert settle([data]).config.batch_size == 3
    (project / "datalint.toml").write_text("batch-size = 4\n")
    assert settle([data / "train.csv"]).config.batch_size == 4
    (data / "pyproject.toml").write_text("[tool.other]\nx = 1\n")  # says nothing of datalint
    assert settle([data]).config.batch_size == 4
    (data / "datalint.toml").write_text("preset = 'fast'\n")
    assert settle([data]).config.batch_size == 32
    assert settle([data], False).config.preset == "default"
    assert settle(None).files == ()


def test_the_working_directory_is_asked_last(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "datalint.toml").write_text("batch-size = 5\n")
    monkeypatch.chdir(tmp_path / "here")
    assert settle([data]).config.batch_size == 5
    (data / "datalint.toml").write_text("batch-size = 6\n")
    assert settle([data]).config.batch_size == 6


def test_extend_begins_with_other_files(data: Path) -> None:
    project = data.parent
    (project / "base.toml").write_text(
        "batch-size = 8\nmemory = '512MB'\n[rules.LBL101]\nratio = 20\nmild-ratio = 10\n[[ignores]]\nfile = 'a/**'\n"
    )
    (data / "datalint.toml").write_text(
        "extend = '../base.toml'\nbatch-size = 16\n[rules.LBL101]\nratio = 30\n[[ignores]]\nrules = 'DUP'\n"
    )
    settled = settle([data], data / "datalint.toml")
    config = settled.config
    assert (config.batch_size, config.memory) == (16, 512_000_000)
    assert config.rules["LBL101"].parameters == {"ratio": 30, "mild_ratio": 10}
    assert [item.base for item in settled.ignores] == [project, data]
    assert settled.origins["memory"].endswith("base.toml")
    assert tomllib.loads("\n".join(as_toml(settled)))["batch-size"] == 16


def test_paths_with_different_files_are_refused(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    table().to_csv(other / "a.csv", index=False)
    (data / "datalint.toml").write_text("batch-size = 8\n")
    with pytest.raises(DatalintError, match=r"different configurations.*none.*--config"):
        scan([data, other])
    assert scan([data, other], data / "datalint.toml").summary.datasets == 2


# --- what it changes -------------------------------------------------------------------------------------------------


def test_severities_and_parameters(data: Path) -> None:
    assert found(scan(data)).keys() >= PLAIN.keys()
    assert scan(data).ok()
    rules = {"LBL101": {"severity": "error"}, "exact-duplicates": {"severity": "off"}}
    report = scan(data, {"rules": rules})
    assert {severity for name, severity in found(report).items() if name.startswith("LBL101")} == {"error"}
    assert "DUP101" not in {status.code for status in report.datasets[0].rules}
    assert report.summary.error == 2
    assert not report.ok()
    higher = {"rules": {"class-imbalance": {"ratio": 50, "mild-ratio": 40.0}}}
    assert not any(name.startswith("LBL101") for name in found(scan(data, higher)))


def test_what_is_given_beats_the_file(data: Path) -> None:
    (data / "datalint.toml").write_text("select = ['LBL101']\nlabel = 'nothing'\nbatch-size = 8\n")
    report = datalint.scan(data, select=["DUP101"], label="label", cache=False)
    assert {status.code for status in report.datasets[0].rules} == {"DUP101"}
    assert report.datasets[0].label is not None
    with pytest.raises(DatalintError, match="no column 'nothing'"):
        datalint.scan(data, cache=False)


def test_objects_in_memory_take_a_configuration_too() -> None:
    report = scan(table(), {"label": "label", "ignores": [{"rules": "DUP"}]})
    assert {finding.code for finding in report.findings} >= {"LBL101"}
    assert "DUP101" not in {finding.code for finding in report.findings}
    assert report.datasets[0].suppressed == 1
    assert "Suppressed" in report.to_html()
    assert str(report).endswith("; 1 finding suppressed\n")
    assert "uppressed" not in scan(table(), {"label": "label"}).to_html()


def test_splits_from_the_file(data: Path) -> None:
    report = scan(data, {"splits": {"train": "te*.csv", "holdout": ["tr*.csv"]}})
    assert {split.name for split in report.datasets[0].splits} == {"train", "holdout"}


# --- ignores and suppressions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ignore", "gone"),
    [
        ({"rules": "DUP"}, {"DUP101 train", "DUP101 test"}),
        ({"rules": ["exact-duplicates", "LBL101"], "split": "te*"}, {"DUP101 test", "LBL101 test"}),
        ({"rules": "LBL", "file": "data/train.csv"}, {"LBL101 train"}),
        ({"rules": ["LBL", "DUP"], "file": "test.*"}, {"LBL101 test", "DUP101 test"}),
        ({"rules": ["LBL", "DUP"], "file": "data/"}, set(PLAIN)),
        ({"column": "vers*"}, {"VAL105"}),
        ({"rules": "VAL105", "column": "other"}, set()),
        ({"rules": "VAL105", "file": "data/nowhere/**"}, set()),
        ({"class": "y"}, {"LBL101 train", "LBL101 test"}),
    ],
)
def test_ignores_by_place(data: Path, ignore: dict[str, Any], gone: set[str]) -> None:
    everything = set(found(scan(data)))
    (data.parent / "datalint.toml").write_text(
        "[[ignores]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in ignore.items())
    )
    report = scan(data)
    left = set(found(report))
    assert everything - left == {name for name in everything if name in gone or name.split()[0] in gone}
    assert left - everything == (set() if gone else {"CFG101"})
    dataset = report.datasets[0]
    assert dataset.suppressed == len(everything - left)
    (status,) = [status for status in dataset.rules if status.code == "CFG101"]
    assert status.status == ("passed" if gone else "found")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("raw/**", "raw/a/b.png", True),
        ("raw", "raw/a/b.png", True),
        ("raw", "old/raw/b.png", True),
        ("/raw", "old/raw/b.png", False),
        ("raw/*.png", "raw/a/b.png", False),
        ("raw/**/*.png", "raw/b.png", True),
        ("*.png", "raw/a/b.png", True),
        ("b?.png", "raw/b1.png", True),
        ("b[!1].png", "raw/b1.png", False),
        ("b[z-a].png", "raw/b[z-a].png", True),
        ("a.png", "abpng", False),
        ("**", "any/thing", True),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b/b/c/d", True),
        ("a/**/c", "b/a/c", False),
    ],
)
def test_globs_of_files(pattern: str, path: str, matches: bool) -> None:
    assert glob_matches(pattern, path) is matches


def test_no_glob_takes_long() -> None:
    assert not glob_matches("*a" * 2_000 + "b", "a" * 200)
    assert not glob_matches("**/" * 300 + "*b", "a/" * 300 + "a")


def test_a_finding_that_names_other_files_as_well_stays(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 30 + "1,2\n")
    every = scan(tmp_path, select=["FIL"])
    assert {s.id.rpartition("/")[2] for f in every.findings for s in f.affected.samples} == {"one.csv", "two.csv"}
    both = [f.fingerprint for f in every.findings if f.affected.count == 2]
    assert both
    half = scan(tmp_path, {"ignores": [{"file": "one.csv"}]}, select=["FIL"])
    assert {f.fingerprint for f in half.findings} >= set(both)
    assert not scan(tmp_path, {"ignores": [{"file": ["one.csv", "two.csv"]}]}, select=["FIL"]).findings


def suppress(report: Report, code: str, **more: Any) -> dict[str, Any]:
    prints = [finding.fingerprint for finding in report.findings if finding.code == code]
    return {"suppressions": [{"fingerprint": name, "reason": "looked at", **more} for name in prints]}


def test_suppressions_until_they_expire(data: Path) -> None:
    plain = scan(data)
    today = datetime.date.today()
    report = scan(data, suppress(plain, "LBL101", expires=today))
    assert {f.code for f in plain.findings} - {f.code for f in report.findings} == {"LBL101"}
    over = scan(data, suppress(plain, "LBL101", expires=today - datetime.timedelta(days=1)))
    assert {f.code for f in over.findings} == {f.code for f in plain.findings} | {"CFG101"}
    (finding,) = [f for f in over.findings if f.code == "CFG101"]
    assert finding.message.startswith("2 suppressions expired and no longer count: ")


def test_what_a_silenced_finding_explains_goes_with_it(tmp_path: Path) -> None:
    datasets.load_iris(as_frame=True).frame.to_csv(tmp_path / "a.csv", index=False)
    plain = scan(tmp_path, select=["ORD"])
    (lead,) = [f for f in plain.findings if f.also]
    silent = scan(tmp_path, {"ignores": [{"rules": lead.code}]}, select=["ORD"])
    assert not {lead.code, *lead.also} & {f.code for f in silent.findings}
    assert silent.datasets[0].suppressed == 1 + sum(f.part_of == lead.fingerprint for f in plain.findings)


# --- the cache -------------------------------------------------------------------------------------------------------


def test_another_configuration_is_another_report_of_the_same_measurements(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"cache": True, "cache_dir": tmp_path / "cache"}
    first = scan(data, **options)
    assert scan(data, **options).run.engine == "cache"

    def read_again(*_: Any) -> None:
        raise AssertionError("a partition was read again")

    monkeypatch.setattr("datalint.engine.engine.measure_partition", read_again)
    for config in (
        {"rules": {"LBL101": {"ratio": 50.0, "mild_ratio": 40.0}}},
        {"rules": {"LBL101": {"severity": "info"}}},
        {"ignores": [{"rules": "LBL101"}]},
        suppress(first, "LBL101"),
    ):
        report = scan(data, config, **options)
        assert report.run.engine != "cache"
        assert found(report) != found(first)
        again = scan(data, config, **options)
        assert again.run.engine == "cache"
        assert again.datasets == report.datasets


# --- what is wrong with it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('select = ["ORD"\nx = 1\n', "bad.toml:2:1: not TOML: unclosed array"),
        ("a = [[[\n", "bad.toml:2:1: not TOML: invalid value"),
        ('jobs = 1\nselct = ["ORD"]\n', "bad.toml:2: unknown key 'selct'; did you mean 'select'?"),
        (
            '[rules.ORD11]\nseverity = "off"\n',
            "bad.toml: rules.ORD11: no rule is called 'ORD11'; did you mean 'ORD101'?",
        ),
        ("[rules.clas-imbalance]\nratio = 9\n", "no rule is called 'clas-imbalance'; did you mean 'class-imbalance'?"),
        ('"\\u001b[31m" = 5\n', "bad.toml: unknown key '\\x1b[31m'; known are baseline"),
        ("str = 5\n", "bad.toml:1: unknown key 'str'; known are baseline"),
        ("[rules.LBL101]\nrtaio = 1\n", "bad.toml: rules.LBL101: unknown key 'rtaio'; did you mean 'ratio'?"),
        ("[rules.LBL101]\nratio = -1\n", "bad.toml: rules.LBL101.ratio: input should be greater than 1, not -1"),
        ('[rules.LBL101]\nseverity = "of"\n', "bad.toml:2: rules.LBL101.severity: input should be 'error', 'warning'"),
        ("[rules.LBL101]\nratio = 9\n[rules.class-imbalance]\nratio = 9\n", "LBL101 class-imbalance is set twice"),
        ('batch-size = "32"\n', "bad.toml:1: batch-size: input should be a valid integer, not '32'"),
        ("batch-size = 0\n", "bad.toml:1: batch-size: input should be greater than or equal to 1, not 0"),
        ("memory = 'lots'\n", "bad.toml:1: memory: a size is wanted, such as 512MB or 2GB, not 'lots'"),
        ("select = 3\n", "bad.toml:1: select: a list is wanted, not 3"),
        ('select = ["ORD1O1"]\n', "no rule matches 'ORD1O1'; did you mean 'ORD101'"),
        ("[[ignores]]\nreason = 'x'\n", "ignores[1]: names nothing to ignore: give rules, file"),
        ("[[ignores]]\ncolum = 'x'\n", "bad.toml:2: unknown key 'ignores[1].colum'; did you mean 'column'?"),
        ("[[ignores]]\nrules = 'ORD1O1'\n", "bad.toml: ignores: no rule matches 'ORD1O1'; did you mean 'ORD101'"),
        (
            "[[suppressions]]\nfingerprint = 'x'\nreason = 'y'\n",
            "bad.toml:2: suppressions[1].fingerprint: a fingerprint",
        ),
        ("[[suppressions]]\nfingerprint = '0123456789abcdef0123'\n", "bad.toml: suppressions[1].reason is missing"),
        ("extend = 'bad.toml'\n", "bad.toml extends itself"),
        ("extend = 'nowhere.toml'\n", "no such configuration file: "),
    ],
)
def test_what_is_wrong_with_a_file(data: Path, text: str, message: str) -> None:
    file = data / "bad.toml"
    file.write_text(text)
    with pytest.raises(DatalintError) as caught:
        datalint.scan(data, config=file, cache=False)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text(data: Path) -> None:
    for content, message in ((b"\xff\xfe", "not written in UTF-8"), (b"#" * (1 << 21), "larger than 256 kB")):
        (data / "datalint.toml").write_bytes(content)
        with pytest.raises(DatalintError, match=message):
            scan(data)
    for config in (3, ["x"]):
        with pytest.raises(DatalintError, match="a file, a mapping, None or False is wanted"):
            scan(data, config)
    with pytest.raises(DatalintError, match="config: unknown key 'selct'"):
        scan(data, {"selct": []})


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_command_line_beats_the_file_and_says_where_all_came_from(data: Path) -> None:
    (data / "datalint.toml").write_text("batch-size = 8\nfail-on = 'never'\n[rules.LBL101]\nseverity = 'error'\n")
    shown = call(data, "scan", ".", "--show-settings", "--batch-size", "4", "--select", "LBL,ORD")
    assert (shown.status, shown.err) == (0, "")
    assert "batch-size = 4  # command line\n" in shown.out
    assert 'fail-on = "never"  # datalint.toml\n' in shown.out
    assert 'preset = "default"  # default\n' in shown.out
    assert '[rules.LBL101]\nseverity = "error"  # datalint.toml\n' in shown.out
    assert tomllib.loads(shown.out)["select"] == ["LBL", "ORD"]
    plain = call(data, "config")
    assert "batch-size = 8  # datalint.toml\n" in plain.out
    scan_it = ("scan", ".", "--select", "LBL101", "--no-report", "--no-cache", "--format", "concise")
    worse = call(data, *scan_it, "--fail-on", "error")
    assert worse.status == 1
    assert worse.out.count(" LBL101 error ") == 2
    assert call(data, *scan_it, "--fail-on", "error", "--no-config").status == 0


def test_a_file_that_is_wrong_ends_with_two(data: Path) -> None:
    (data / "datalint.toml").write_text("jobs = \n")
    for arguments in (("scan", "."), ("baseline", ".")):
        outcome = call(data, *arguments)
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err == "datalint: datalint.toml:1:8: not TOML: invalid value\n"


def test_init_writes_what_was_recognised(data: Path) -> None:
    first = call(data.parent, "init", "data")
    assert (first.status, first.out) == (0, "wrote data/datalint.toml; `datalint scan data` uses it\n")
    text = (data / "datalint.toml").read_text()
    assert tomllib.loads(text) == {"label": "label"}
    assert "split train: " in text
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if " = " in line or line.startswith(("# [", "["))
    )
    jsonschema.validate(json.loads(json.dumps(tomllib.loads(uncommented), default=str)), config_schema())
    assert scan(data).datasets[0].label is not None
    (data / "datalint.toml").write_text("# mine\n")
    second = call(data.parent, "init", "data")
    assert (second.status, second.err) == (2, "datalint: data/datalint.toml exists; --force replaces it\n")
    assert (data / "datalint.toml").read_text() == "# mine\n"
    assert call(data.parent, "init", "data", "--force").status == 0
    assert (data / "datalint.toml").read_text() == text


def test_the_schema_knows_every_rule(tmp_path: Path) -> None:
    outcome = call(tmp_path, "config", "--schema")
    schema = json.loads(outcome.out)
    assert schema == config_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    tables = schema["properties"]["rules"]["properties"]
    for rule in all_rules():
        assert {rule.code, rule.name} <= set(tables)
    good = {"select": "ORD", "rules": {"LBL101": {"ratio": 9, "severity": "off"}}, "ignores": [{"class": ["a"]}]}
    assert validator.is_valid(good)
    wrong: list[dict[str, Any]] = [
        {"selct": []},
        {"rules": {"XYZ999": {}}},
        {"rules": {"LBL101": {"x": 1}}},
        {"jobs": 0},
    ]
    assert not any(validator.is_valid(bad) for bad in wrong)


def test_statistics_colour_and_parameters(data: Path) -> None:
    (data / "datalint.toml").write_text("[[ignores]]\nrules = 'DUP101'\n")
    options = ("scan", ".", "--select", ",".join(FEW), "--no-report", "--no-cache")
    counted = call(data, *options, "--statistics")
    assert "     2  LBL101  class-imbalance\n" in counted.out
    assert counted.out.endswith("     2  suppressed\n")
    assert "\x1b[" in run(data, *options, "--color", "always", extra={"NO_COLOR": "1"}).out
    assert "\x1b[" not in run(data, *options, "--color", "never", extra={"FORCE_COLOR": "1"}).out
    rules = {rule["code"]: rule for rule in json.loads(call(data, "rules", "--format", "json").out)}
    assert [parameter["name"] for parameter in rules["LBL101"]["parameters"]] == [
        "ratio",
        "mild_ratio",
        "cell",
        "expected",
    ]
    assert rules["LBL101"]["parameters"][0]["default"] == 10.0


# --- the documentation -----------------------------------------------------------------------------------------------


def test_the_example_of_the_guide_is_a_configuration(data: Path) -> None:
    (text,) = re.findall(
        r"^```toml\n(.*?)^```", (ROOT / "docs" / "guide" / "configuration.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (data / "datalint.toml").write_text(text)
    settled = settle([data])
    params, severities = rule_options(settled)
    assert params["LBL101"].model_dump()["ratio"] == 20
    assert severities == {"LBL101": "info"}
    table().rename(columns={"label": "species"}).to_csv(data / "train.csv", index=False)
    (data / "test.csv").unlink()
    report = datalint.scan(data, baseline=False, preset="fast", cache=False)
    assert {f.severity for f in report.findings if f.code == "LBL101"} == {"info"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell: str, tmp_path: Path) -> None:
    assert "_DATALINT_COMPLETE=bash_source" in (ROOT / "docs" / "guide" / "scanning.md").read_text()
    code = "import sys; sys.argv = ['datalint']; from datalint.cli import main; main()"
    settings = environment(
        tmp_path,
        {
            "_DATALINT_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": "datalint b",
            "COMP_CWORD": "b" if shell == "fish" else "1",
        },
    )
    done = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True)
    assert "baseline" in done.stdout


def test_a_column_is_taken_out_of_a_finding_about_several(tmp_path: Path) -> None:
    frame = datasets.load_iris(as_frame=True).frame.sample(frac=1, random_state=0)
    frame = frame.assign(one=1.0, two=2.0, three=3.0)
    frame.to_csv(tmp_path / "a.csv", index=False)

    def told(*columns: str) -> tuple[list[str], set[str]]:
        ignores = [{"rules": "VAL105", "column": column} for column in columns]
        report = scan(tmp_path, {"ignores": ignores}, select=["VAL105", "CFG101"])
        messages = [f.message for f in report.findings if f.code == "VAL105"]
        return messages, {f.code for f in report.findings}

    (plain,), _ = told()
    assert all(repr(name) in plain for name in ("one", "two", "three"))
    (less,), codes = told("two")
    assert "'one'" in less and "'three'" in less and "two" not in less
    assert "CFG101" not in codes  # the entry is used
    (last,), _ = told("two", "one")
    assert "'three'" in last and "'one'" not in last
    assert told("two", "one", "thr*") == ([], set())


def test_all_errors_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "datalint.toml").write_text('selct = ["ORD"]\nbatch-size = "x"\n[roles]\nidd = "a"\n')
    done = call(tmp_path, "scan", "a.csv", "--no-report")
    assert done.status == 2
    lines = done.err.splitlines()
    assert len(lines) == 3 and all(line.startswith("datalint: datalint.toml:") for line in lines)
    assert any("unknown key 'selct'; did you mean 'select'?" in line for line in lines)
