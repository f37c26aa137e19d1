"""The command line on good input: what goes where, and with which exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest
from click.testing import CliRunner
from sklearn import datasets

from datalint.cli import COMMANDS, SECTIONS, cli
from datalint.cli.options import Grouped, complete_codes
from datalint.report.models import Report
from tests.command import Outcome, call, run

if TYPE_CHECKING:
    from pathlib import Path

FAST = ("--preset", "fast", "--no-cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Iris as it is shipped (sorted by species), and shuffled."""
    place = tmp_path_factory.mktemp("cli")
    table = datasets.load_iris(as_frame=True).frame.rename(columns={"target": "species"})
    table.to_csv(place / "sorted.csv", index=False)
    table.sample(frac=1, random_state=0).to_csv(place / "shuffled.csv", index=False)
    return place


@pytest.fixture(scope="module")
def scanned(folder: Path) -> Outcome:
    """The plainest call."""
    return run(folder, "scan", "sorted.csv", *FAST)


def test_what_is_printed_and_written(folder: Path, scanned: Outcome) -> None:
    assert (scanned.status, scanned.err) == (0, "")
    assert "ORD101" in scanned.out
    assert scanned.out.splitlines()[-1] == "reports: datalint-report/report.json, datalint-report/report.html"
    assert scanned.out.splitlines()[-2] == "more on a rule: datalint explain ORD101"
    names = [".gitignore", "report.html", "report.json"]
    assert sorted(path.name for path in (folder / "datalint-report").iterdir()) == names
    assert (folder / "datalint-report" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert "\x1b" not in scanned.out
    report = Report.read_json(folder / "datalint-report" / "report.json")
    assert {finding.code for finding in report.findings} >= {"ORD101", "ORD103"}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--fail-on", "warning"), 1),
        (("--fail-on", "warning", "--exit-zero"), 0),
        (("--fail-on", "never"), 0),
    ],
)
def test_exit_status(folder: Path, options: tuple[str, ...], status: int) -> None:
    outcome = run(folder, "scan", "sorted.csv", "--select", "ORD", "--no-report", "--format", "concise", *options)
    assert (outcome.status, outcome.err) == (status, "")
    assert all(line.startswith("sorted.csv: ORD") for line in outcome.out.splitlines())


def test_json_is_all_that_is_printed(folder: Path) -> None:
    ascii_terminal = {"PYTHONIOENCODING": "ascii"}
    options = ("--format", "json", "--output-dir", "elsewhere", "--json", "a/b.json", "--html", "a/b.html")
    outcome = run(folder, "scan", "sorted.csv", *FAST, *options, extra=ascii_terminal)
    assert (outcome.status, outcome.err) == (0, "")
    report = json.loads(outcome.out)
    assert json.loads((folder / "a" / "b.json").read_text(encoding="utf-8")) == report
    assert (folder / "elsewhere" / "report.json").read_text(encoding="utf-8") == outcome.out
    assert (folder / "a" / "b.html").read_text(encoding="utf-8").startswith("<!")
    schema = run(folder, "schema")
    jsonschema.validate(report, json.loads(schema.out))


def test_quiet_and_verbose(folder: Path) -> None:
    quiet = run(folder, "scan", "shuffled.csv", *FAST, "--no-report", "-q", "--select", "ORD101")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")
    loud = run(folder, "scan", "shuffled.csv", *FAST, "--no-report", "-v", extra={"FORCE_COLOR": "1"})
    assert loud.status == 0
    assert "passed" in loud.out and "ORD101" in loud.out and "\x1b[" in loud.out


def test_no_color_has_the_last_word(folder: Path) -> None:
    extra = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert "\x1b" not in run(folder, "scan", "sorted.csv", *FAST, "--no-report", extra=extra).out


def test_select_and_ignore(folder: Path) -> None:
    options = (
        "--no-report",
        "--format",
        "json",
        "--select",
        "ORD101,LBL101",
        "--ignore",
        "class-imbalance",
        "--label",
        "-1",
    )
    outcome = run(folder, "scan", "sorted.csv", *FAST, *options)
    (dataset,) = json.loads(outcome.out)["datasets"]
    assert [rule["code"] for rule in dataset["rules"]] == ["ORD101"]
    assert dataset["label"]["name"] == "species" and dataset["label"]["confidence"] == "certain"


def test_detect(folder: Path) -> None:
    outcome = run(folder, "detect", ".", "--split", "train=sorted*", "--split", "test=shuf*", "--format", "json")
    (dataset,) = json.loads(outcome.out)
    assert [split["name"] for split in dataset["splits"]] == ["train", "test"]
    assert dataset["label"]["name"] == "species"
    text = run(folder, "detect", "sorted.csv")
    assert (text.status, text.err) == (0, "")
    assert "label 'species'" in text.out


def test_rules_and_their_pages(folder: Path) -> None:
    listed = run(folder, "rules")
    codes = [line.split()[0] for line in listed.out.splitlines()]
    assert codes == sorted(codes) and "ORD101" in codes
    page = run(folder, "explain", "sorted-by-label")
    assert page.out.startswith("ORD101 sorted-by-label (warning)")
    assert run(folder, "--help").status == run(folder, "--version").status == 0


def test_readers_that_stop_early(folder: Path) -> None:
    import subprocess

    from tests.command import COMMAND, environment

    command = [*COMMAND, "scan", "sorted.csv", *FAST, "--no-report", "--format", "json"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_statistics_are_for_programs_too(folder: Path) -> None:
    shown = call(folder, "scan", "sorted.csv", *FAST, "--no-report", "--exit-zero", "--statistics").out
    counted = json.loads(
        call(folder, "scan", "sorted.csv", *FAST, "--no-report", "--exit-zero", "--statistics", "--format", "json").out
    )
    assert [f"{rule['findings']:>6}  {rule['code']}  {rule['rule']}" for rule in counted["rules"]] == shown.splitlines()
    assert counted["rules"] and counted["suppressed"] == 0
    for rule in counted["rules"]:
        assert rule["findings"] == rule["error"] + rule["warning"] + rule["info"]
    refused = call(folder, "scan", "sorted.csv", *FAST, "--no-report", "--statistics", "--format", "sarif")
    assert (refused.status, refused.out) == (2, "")
    assert "--statistics cannot be printed as sarif: choose text or json" in refused.err


def test_a_folder_that_was_there_gets_no_gitignore(folder: Path, tmp_path: Path) -> None:
    call(folder, "scan", "sorted.csv", *FAST, "--select", "ORD101", "--output-dir", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_help_fits_a_screen_and_names_every_command_once() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output
    assert len(shown.splitlines()) <= 40 and max(map(len, shown.splitlines())) <= 80
    listed = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(listed) == sorted(COMMANDS)
    assert shown.index(" scan ") < shown.index(" explain ") < shown.index(" fix ") < shown.index(" detect ")


def test_every_option_of_a_scan_is_in_a_section() -> None:
    command = cli.get_command(click.Context(cli), "scan")
    assert isinstance(command, Grouped)
    listed = [name for names in command.sections.values() for name in names]
    assert sorted(listed) == sorted(option.name or "" for option in command.params if isinstance(option, click.Option))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("scna", "x"), "datalint: no such command: scna; did you mean 'scan'? (see "),
        (("sorted.csv",), "datalint: no such command: sorted.csv; to scan sorted.csv: datalint scan sorted.csv (see "),
    ],
)
def test_a_command_that_is_none_gets_a_hint(folder: Path, arguments: tuple[str, ...], hint: str) -> None:
    outcome = call(folder, *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith(hint)


def test_codes_are_completed_after_a_comma() -> None:
    items = complete_codes(click.Context(cli), click.Option(["--select"]), "ORD101,lbl10")
    assert "ORD101,LBL101" in [item.value for item in items]
    assert [item.value for item in complete_codes(click.Context(cli), click.Option(["--select"]), "noisy")] == [
        "noisy-labels"
    ]


def test_opening_needs_a_page(folder: Path) -> None:
    outcome = call(folder, "scan", "sorted.csv", *FAST, "--select", "ORD101", "--no-report", "--open")
    assert outcome.status == 2 and "--open has no page to show" in outcome.err
