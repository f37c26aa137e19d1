"""Configuration that comes with the data: what it may say, what it may not, and that the report names it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
import tomllib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import datalint
from datalint.config.discovery import settle
from datalint.config.schema import MAX_BYTES, MAX_PARTS, read_config
from datalint.core.errors import DatalintError
from datalint.report import wording
from datalint.report.escape import guard_json
from datalint.report.formats import formats
from datalint.suppress.baseline import read_baseline
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

BAD = "a,b,label\n" + "0,0,x\n" * 60
"""A table whose label never varies: an error."""

FAST = ("--preset", "fast", "--no-cache")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a bad table below a project of the user's own."""
    folder = tmp_path / "project" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "project" / ".git").mkdir()
    (folder / "a.csv").write_text(BAD)
    return folder


# --- where the line is drawn ------------------------------------------------------------------------------------------


def test_only_what_lies_inside_the_scanned_data_is_the_datas(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = data.parent
    (project / "datalint.toml").write_text("cache-dir = '../cache'\njobs = 2\nmemory = '5MB'\n")
    assert not settle([data]).from_data
    assert (settle([data]).config.jobs, settle([data]).not_obeyed) == (2, ())
    assert settle([data / "a.csv"]).config.cache_dir is not None
    for inside in ([project], [data, project]):  # the file lies in the folder that is scanned
        found = settle(inside)
        assert found.from_data
        assert set(found.not_obeyed) == {"cache-dir", "jobs", "memory"}
        assert (found.config.cache_dir, found.config.jobs, found.config.memory) == (None, None, 10**9)
    named = settle([project], project / "datalint.toml")
    assert (named.from_data, named.config.jobs, named.not_obeyed) == (False, 2, ())
    (data / "datalint.toml").write_text("cache-dir = '../cache'\n")
    assert settle([data / "a.csv"]).from_data  # it lies next to the file, and came with it
    link = project.parent / "link"
    link.symlink_to(data)
    assert settle([link]).from_data
    # The working directory is the user's own place, unless it is scanned itself.
    (data / "datalint.toml").unlink()
    (data / "sub").mkdir()
    (data / "sub" / "datalint.toml").write_text("jobs = 3\n")
    (project / "datalint.toml").unlink()
    monkeypatch.chdir(data / "sub")
    assert settle([data]).from_data


def test_the_data_chooses_no_folder_to_write_to(data: Path) -> None:
    victim = data.parent / "victim"
    victim.mkdir(mode=0o755)
    (data / "datalint.toml").write_text("cache-dir = '../victim'\n")
    done = call(data.parent, "scan", "data", "--preset", "fast", "--no-report")
    assert (victim.stat().st_mode & 0o777, list(victim.iterdir())) == (0o755, [])
    assert done.status == 1
    assert "settings from data/datalint.toml: not obeyed from inside the data: cache-dir\n" in done.out
    assert "# cache-dir there is not obeyed" in call(data.parent, "config", "data").out


def test_no_baseline_replaces_anything_else(data: Path) -> None:
    (data / "datalint.toml").write_text("baseline = 'a.csv'\n")
    done = call(data.parent, "baseline", "data", "--force")
    assert (done.status, done.err) == (
        2,
        "datalint: data/a.csv is no baseline and is not replaced: choose another place with --output\n",
    )
    assert (data / "a.csv").read_text() == BAD


@pytest.mark.parametrize("key", ["baseline", "extend"])
def test_the_data_reads_only_regular_files_of_its_own(data: Path, key: str) -> None:
    project = data.parent
    (project / "out.json").write_text("{}")
    (data / "link.json").symlink_to(project / "out.json")
    os.mkfifo(data / "pipe")
    (data / "folder").mkdir()
    outside = "lies outside .*settings inside the data name only files there; --config FILE takes them as yours"
    for place, said in (
        ("../out.json", outside),
        ("/dev/zero", outside),
        ("link.json", outside),
        ("pipe", "not a regular file|no such configuration"),
        ("folder", "a folder|no such configuration"),
        ("a\\u0000b", "cannot hold a zero character"),
    ):
        (data / "datalint.toml").write_text(f'{key} = "{place}"\n')
        with pytest.raises(DatalintError, match=said) as caught:
            datalint.scan(data, cache=False, preset="fast")
        assert "datalint.toml" in str(caught.value) or "pipe" in str(caught.value) or "folder" in str(caught.value)
    # From the user's own settings, above the data, other folders may be named, but still no device.
    (data / "datalint.toml").unlink()
    (project / "datalint.toml").write_text(f'{key} = "/dev/zero"\n')
    with pytest.raises(DatalintError, match=r"not a regular file|no such configuration"):
        datalint.scan(data, cache=False, preset="fast")


def test_a_configuration_that_is_a_link_out_of_the_data_is_refused(data: Path) -> None:
    (data.parent / "other.toml").write_text("jobs = 1\n")
    (data / "datalint.toml").symlink_to(data.parent / "other.toml")
    with pytest.raises(DatalintError, match=r"datalint\.toml lies outside"):
        settle([data])
    (data / "datalint.toml").unlink()
    os.mkfifo(data / "datalint.toml")
    assert settle([data]).files == ()


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_what_extends_each_other_is_read_once(data: Path) -> None:
    for k in range(30):
        (data / f"x{k}.toml").write_text(f"extend = ['x{k + 1}.toml', 'x{k + 1}.toml']\n[[ignores]]\nrules = 'VAL'\n")
    (data / "x30.toml").write_text("batch-size = 7\n")
    (data / "datalint.toml").write_text("extend = ['x0.toml', 'x5.toml']\n")
    started = time.perf_counter()
    found = settle([data])
    assert time.perf_counter() - started < 5
    assert (found.config.batch_size, len(found.ignores), len(found.files)) == (7, 30, 32)
    (data / "datalint.toml").write_text("extend = 'a.toml'\n")
    (data / "a.toml").write_text("extend = ['x30.toml', 'b.toml']\n")
    (data / "b.toml").write_text("extend = 'a.toml'\n")
    with pytest.raises(
        DatalintError, match=r"a\.toml extends itself: \S*a\.toml extends \S*b\.toml extends \S*a\.toml$"
    ):
        settle([data])


def test_how_much_extends_each_other_is_bounded(data: Path) -> None:
    (data / "datalint.toml").write_text("extend = 'x0.toml'\n")
    for k in range(50):
        (data / f"x{k}.toml").write_text(f"extend = 'x{k + 1}.toml'\n")
    with pytest.raises(DatalintError, match="more than 32 files extend each other"):
        settle([data])
    (data / "datalint.toml").write_text(f"extend = {[f'x{k}.toml' for k in range(10)]}\n")
    for k in range(10):
        (data / f"x{k}.toml").write_text("#" * 200_000)
    with pytest.raises(DatalintError, match="larger than 1 MB"):
        settle([data])


def test_a_baseline_has_a_size(tmp_path: Path) -> None:
    with (tmp_path / "base.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DatalintError, match=r"cannot read the baseline .*larger than 32 MB"):
        read_baseline(tmp_path / "base.json")


PARTS = st.sampled_from(["a", '""', '"x.y"', r'"\""', "''", "'='", "-"])
GAPS = st.sampled_from(["", " ", "\t"])


@given(
    st.lists(st.tuples(PARTS, GAPS, GAPS), min_size=1, max_size=60),
    st.sampled_from(["{} = 1", "[{}]", "[[{}]]", "x = {{ {} = 1 }}", "x = [{{ y = 1, {} = 1 }}]"]),
    st.sampled_from(["", "z = '''\n''' # it's\n", 'z = """a\\""""" # "\n', 'z = ""\n', "z = 1.5\n"]),
)
def test_long_keys_are_seen_wherever_they_stand(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str, str]], form: str, before: str
) -> None:
    """All that is let through has few parts, and all that TOML takes and that has few is let through."""
    text = before + form.format(".".join(f"{left}{part}{right}" for part, left, right in parts)) + "\n"
    file = tmp_path_factory.mktemp("long") / "long.toml"
    file.write_text(text)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        read_config(file, "long.toml")
    except DatalintError as error:
        assert len(parts) > MAX_PARTS and str(error).endswith(f"a key has more than {MAX_PARTS} parts")
    else:
        assert len(parts) <= MAX_PARTS


def test_dots_in_values_are_no_keys(tmp_path: Path) -> None:
    many = "a." * 100
    (tmp_path / "a.toml").write_text(f"a = '{many}'\nb = '''\n{many}\n'''\nc = \"\"\"\n{many}\"\"\" # {many}\nd = 1\n")
    read = read_config(tmp_path / "a.toml", "a.toml")
    assert read is not None
    assert set(read[0]) == set("abcd")


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        '"".',
        "[a]\n",
        "[[a]]\n",
        '"\\"',
        "'",
        "{",
        "a=[",
        "x={a=",
        '"""\\"',
        "\n",
        "a.b=1\n",
        "#",
        " .",
        "\\",
        "'''.",
    ],
)
def test_no_configuration_takes_long(tmp_path: Path, piece: str) -> None:
    file = tmp_path / "datalint.toml"
    rng = random.Random(0)
    rows = "".join(f"k{rng.random()}=1\n" for _ in range(1_000))
    for text in (piece * (MAX_BYTES // len(piece)), "[" + "a." * (MAX_PARTS - 2) + "a]\n" + rows * 4 + piece * 1_000):
        file.write_text(text[:MAX_BYTES])
        started = time.process_time()
        with contextlib.suppress(DatalintError):
            read_config(file, "datalint.toml")
        assert time.process_time() - started < 2


# --- saying so --------------------------------------------------------------------------------------------------------

SILENCING = """\
fail-on = "never"
batch-size = 64
select = ["LBL", "VAL105", "DUP"]
label = "label"
[rules.DUP101]
severity = "off"
[rules.LBL101]
ratio = 30
[[ignores]]
file = "**"
[[ignores]]
rules = "VAL"
[[suppressions]]
fingerprint = "0123456789abcdef0123"
reason = "x"
"""
SAID = (
    "fail-on never, batch-size 64, 2 ignores, 1 suppression, select LBL VAL105 DUP, label, DUP101 off, "
    "parameters of LBL101"
)


def test_every_output_says_what_the_data_switched_off(data: Path) -> None:
    plain = call(data.parent, "scan", "data", *FAST, "--no-report")
    assert (plain.status, "settings from" in plain.out + plain.err) == (1, False)
    (data / ".datalint.toml").write_text(SILENCING)
    line = f"settings from data/.datalint.toml: {SAID}"
    files = (
        "--json",
        "r.json",
        "--html",
        "r.html",
        *(x for f in ("sarif", "junit") for x in ("--format", f"{f}:r.{f}")),
    )
    shown = call(data.parent, "scan", "data", *FAST, "--no-report", *files)
    assert shown.status == 0
    assert line in " ".join(shown.out.split())
    report = datalint.Report.read_json(data.parent / "r.json")
    assert report.data_settings is not None
    assert ", ".join(report.data_settings.changes) == SAID
    assert f"S{line[1:]}" in (data.parent / "r.html").read_text()
    sarif = json.loads((data.parent / "r.sarif").read_text())
    assert sarif["runs"][0]["invocations"][0]["toolConfigurationNotifications"][0]["message"]["text"] == line
    assert ET.parse(data.parent / "r.junit").findtext(".//system-out") == line
    assert "settings from data/" in formats.render("markdown", report)
    assert f"::notice title=settings of the data::{line}\n" in formats.render("github", report)
    for more in (("-q",), ("--statistics",), ("--format", "concise"), ("--format", "gitlab")):
        done = call(data.parent, "scan", "data", *FAST, "--no-report", *more)
        assert (done.status, done.err) == (0, f"datalint: {line}\n")
    assert call(data.parent, "scan", "data", *FAST, "--no-report", "--no-config").status == 1


def test_what_the_user_gives_is_not_called_the_datas(data: Path) -> None:
    (data / "datalint.toml").write_text("fail-on = 'never'\nselect = ['LBL']\n")
    report = datalint.scan(data, cache=False, select=["LBL103"])
    assert wording.data_settings(report) == f"settings from {data / 'datalint.toml'}: fail-on never"
    (data / "datalint.toml").write_text("# nothing\n")
    assert wording.data_settings(datalint.scan(data, cache=False, select=["LBL103"])) == ""


def test_it_is_said_of_a_kept_report_too_and_hidden_in_a_redacted_one(data: Path, tmp_path: Path) -> None:
    (data / "datalint.toml").write_text("[[ignores]]\nfile = '**'\n")
    for redact, file in ((False, str(data / "datalint.toml")), (True, "datalint.toml")):
        for engine in ("serial", "cache"):
            report = datalint.scan(data, select=["LBL"], cache_dir=tmp_path / "cache", redact=redact)
            assert report.run.engine == engine
            assert wording.data_settings(report) == f"settings from {file}: 1 ignore"
    (data / "datalint.toml").write_text("fail-on = 'never'\n[[ignores]]\nfile = '**'\n")
    known = datalint.scan(data, select=["LBL"], cache_dir=tmp_path / "cache")
    assert known.data_settings is not None
    assert known.data_settings.changes == ("fail-on never", "1 ignore")


# --- echoes -----------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;x\x07\x9b2J##vso[task.setvariable]##[error]\u202ex"


@pytest.mark.parametrize(
    "arguments",
    [
        ("clean", "--cache-dir", HOSTILE),
        ("scan", HOSTILE),
        ("scan", "data", "--select", HOSTILE),
        ("scan", "data", "--label", HOSTILE),
        ("scan", "data", "--split", HOSTILE),
        ("scan", "data", "--config", HOSTILE),
        ("scan", "data", "--format", HOSTILE),
        ("scan", "data", "--baseline", HOSTILE),
        ("scan", "data", "--output-dir", HOSTILE, *FAST, "--select", "LBL103"),
        ("scan", "data", "--pred-probs", HOSTILE),
        ("baseline", "data", "--output", HOSTILE),
        ("init", HOSTILE),
        ("init", f"{HOSTILE}.d"),
        ("config", HOSTILE),
        ("detect", HOSTILE),
        ("detect", f"{HOSTILE}.d"),
        ("detect", f"{HOSTILE}.d", "--format", "json"),
        ("scan", f"{HOSTILE}.d", *FAST, "--format", "json", "--no-report"),
        ("scan", f"{HOSTILE}.d", *FAST, "--format", "junit", "--no-report"),
        ("scan", f"{HOSTILE}.d", *FAST, "--format", "sarif", "--no-report"),
        ("scan", f"{HOSTILE}.d", *FAST, "--format", "gitlab", "--no-report"),
        ("scan", f"{HOSTILE}.d", *FAST, "--format", "markdown", "--no-report"),
        ("explain", HOSTILE),
        ("rules", HOSTILE),
        (HOSTILE,),
        ("diff", HOSTILE, HOSTILE),
        ("fix", HOSTILE),
        ("fix", "data", "--out", HOSTILE),
        ("subset", HOSTILE),
        ("plant", HOSTILE, "data", "--out", "x"),
        ("plant", "LBL103", "data", "--out", HOSTILE),
        ("selftest", HOSTILE),
    ],
    ids=" ".join,
)
def test_nothing_that_is_repeated_is_obeyed(data: Path, arguments: tuple[str, ...]) -> None:
    folder = data.parent / f"{HOSTILE}.d"
    folder.mkdir()
    (folder / f"{HOSTILE}.csv").write_text(BAD.replace("a,b", f"{HOSTILE},b").replace("x", HOSTILE))
    done = call(data.parent, *arguments)
    for text in (done.out, done.err):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
        assert "##vso[" not in text
        assert "##[" not in text


@given(st.text('#\\[vso"/: \n', max_size=12))
def test_json_says_the_same_without_commands(text: str) -> None:
    for dumped in (json.dumps({text: [text, 1]}), json.dumps([text], indent=1, ensure_ascii=False)):
        guarded = guard_json(dumped)
        assert json.loads(guarded) == json.loads(dumped)
        assert "##[" not in guarded
        assert "##vso[" not in guarded


# --- changed files ----------------------------------------------------------------------------------------------------


def test_changed_files_are_not_followed_out_of_the_repository(data: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("root:x:0,b,label\n" + "1,2,x\n" * 60)
    (data / "out.csv").symlink_to(secret)
    (data / "in.csv").symlink_to(data / "a.csv")
    (data / "folder").symlink_to(tmp_path)
    report = datalint.scan(
        [data / "out.csv", data / "in.csv", data / "folder" / "secret.csv"], changed_only=True, cache=False
    )
    assert {dataset.name for dataset in report.datasets} == {"in", "changed files"}
    told = [sample for f in report.findings for sample in f.affected.samples if sample.detail.get("problem")]
    assert {sample.id for sample in told} == {
        (data / "out.csv").as_posix(),
        (data / "folder" / "secret.csv").as_posix(),
    }
    assert "root:x:0" not in report.to_json()
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "out.csv").symlink_to(secret)
    assert "root:x:0" not in datalint.scan([alone / "out.csv"], changed_only=True, cache=False).to_json()
