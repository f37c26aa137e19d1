"""How files are written: whole or not at all, into what is there if it is no file, and nothing outside."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datalint.core.errors import DatalintError
from datalint.core.writing import check, safe_name, write_text, writing
from tests.command import ROOT, call, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

SCAN = (
    "scan",
    str(ROOT / "sample_data" / "iris_sorted"),
    "--preset",
    "fast",
    "--select",
    "ORD101",
    "--fail-on",
    "never",
)


def reading(pipe: Path, into: list[str]) -> threading.Thread:
    """Reads a pipe to its end, as another program would."""
    thread = threading.Thread(target=lambda: into.append(pipe.read_text()))
    thread.start()
    return thread


@pytest.fixture
def umask() -> Iterator[None]:
    """A mask that is not the usual one."""
    before = os.umask(0o027)
    yield
    os.umask(before)


# --- what is there --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("umask")
def test_mode_and_owner_of_what_is_replaced_stay(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    write_text(new, "a\n")
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    old.write_text("before")
    old.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(old, 12345, 54321)
    before = old.stat()
    write_text(old, "b\n")
    after = old.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino  # whoever reads the old one reads on
    assert old.read_text() == "b\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


def test_the_mask_of_the_process_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise AssertionError("the mask belongs to the whole process")

    monkeypatch.setattr(os, "umask", refuse)
    write_text(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for name, content in (("there", "old"), ("not there", None)):
        goal = tmp_path / "elsewhere" / name
        if content is not None:
            goal.write_text(content)
        link = tmp_path / f"link to {name}"
        link.symlink_to(goal)
        write_text(link, "new")
        assert link.is_symlink()
        assert goal.read_text() == "new"


def test_a_pipe_and_a_device_stay_what_they_are(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = reading(pipe, got)
    write_text(pipe, "through")
    reader.join(20)
    assert got == ["through"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    write_text(Path("/dev/null"), "gone")
    with pytest.raises(DatalintError, match="cannot write /dev/full: No space left on device"):
        write_text(Path("/dev/full"), "text")
    assert all(stat.S_ISCHR(os.stat(name).st_mode) for name in ("/dev/null", "/dev/full"))  # noqa: PTH116
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_every_report_goes_through_pipes_that_are_read_one_after_the_other(tmp_path: Path) -> None:
    names = ["a.json", "b.html", "c.sarif"]
    for name in names:
        os.mkfifo(tmp_path / name)
    (tmp_path / "link").symlink_to("real.md")
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.extend((tmp_path / name).read_text() for name in names))
    thread.start()
    options = ["--json", "a.json", "--html", "b.html", "--format", "sarif:c.sarif", "--format", "markdown:link"]
    done = call(tmp_path, *SCAN, *options, "--no-report")
    thread.join(20)
    assert (done.status, done.err) == (0, "")
    assert [text.lstrip()[:1] for text in got] == ["{", "<", "{"]
    assert all(stat.S_ISFIFO((tmp_path / name).lstat().st_mode) for name in names)
    assert "ORD101" in (tmp_path / "real.md").read_text()
    assert (tmp_path / "link").is_symlink()


def test_the_output_of_the_process_itself(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = "import sys; from pathlib import Path; from datalint.core.writing import write_text\n"
    code += "print('before', flush=True); write_text(Path('/dev/stdout'), 'text\\n'); print('after')"
    for target in ("file", "pipe"):
        if target == "file":
            with out.open("wb") as file:
                subprocess.run([sys.executable, "-c", code], stdout=file, env=environment(tmp_path), check=True)
            assert out.read_text() == "before\ntext\nafter\n"
        else:
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=True)
            assert done.stdout == "before\ntext\nafter\n"
    script = f"{sys.executable} -m datalint {' '.join(SCAN)} --no-report --no-cache -q --json >(cat > got.json)"
    done = subprocess.run(
        ["bash", "-c", f"{script}; wait; sleep 0.2"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "got.json").read_text().startswith("{")


# --- whole or not at all --------------------------------------------------------------------------------------------


def test_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(DatalintError, match="cannot write"), writing() as files:
        files.add(tmp_path / "a", "new")
        files.add(tmp_path / "a" / "b", "cannot be")
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_fills_up_between_the_reports_leaves_the_old_pair(tmp_path: Path) -> None:
    assert run(tmp_path, *SCAN, "--no-cache").status == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "datalint-report").iterdir()}
    sizes = sorted(map(len, before.values()))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes) // 2, sum(sizes) // 2))

    assert sizes[-2] < sum(sizes) // 2 < sizes[-1]  # one fits, the other does not
    done = run(tmp_path, *SCAN, "--no-cache", preexec_fn=limit)
    assert done.status == 2
    assert done.err.startswith("datalint: cannot write datalint-report/report.")
    assert done.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "datalint-report").iterdir()} == before


# --- names that the user did not choose -----------------------------------------------------------------------------


def test_a_link_in_the_report_folder_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "datalint-report").mkdir()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "datalint-report" / "report.json").symlink_to("../precious")
    done = call(tmp_path, *SCAN)
    assert done.status == 2
    assert done.err.startswith("datalint: cannot write datalint-report/report.json: it is a link out of its folder")
    assert (tmp_path / "precious").read_text() == "mine"
    (tmp_path / "datalint-report" / "report.json").unlink()
    os.mkfifo(tmp_path / "datalint-report" / "report.json")  # nobody reads it
    assert call(tmp_path, *SCAN).status == 2
    (tmp_path / "datalint-report" / "report.json").unlink()
    (tmp_path / "datalint-report" / "report.json").symlink_to("kept.json")
    assert call(tmp_path, *SCAN).status == 0
    assert (tmp_path / "datalint-report" / "kept.json").read_text().startswith("{")


def test_what_cannot_be_written_is_said_before_the_scan(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("folder", "no/../folder", "/dev/fd/99", "/proc/self/fd/98"):
        done = call(tmp_path, *SCAN, "--json", name)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(f"datalint: cannot write {name}")
    (tmp_path / "loop").symlink_to("loop")
    done = call(tmp_path, *SCAN, "--json", "loop")
    assert (done.status, (tmp_path / "loop").is_symlink()) == (2, True)
    done = call(tmp_path, *SCAN, "--json", "one", "--html", "./folder/../one")
    assert "cannot write two reports to" in done.err
    check(tmp_path / "new" / "folder" / "file")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_name_becomes_one_part_of_a_path(name: str) -> None:
    safe = safe_name(name)
    assert Path(safe).parts == (safe,)
    assert not safe.startswith((".", "__"))
    assert len(os.fsencode(safe)) < 250
    assert safe_name(safe) == safe


@given(st.sets(st.text("./\\_a\0 \n", max_size=6), max_size=20))
def test_different_names_stay_different(names: set[str]) -> None:
    assert len({safe_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["cat", "a b", "größe", "7", "x.y", "IMG_1.jpg", "a'b\"c", "_x", "class-1"])
def test_ordinary_names_stay(name: str) -> None:
    assert safe_name(name) == name


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    data = ROOT / "sample_data" / "iris_sorted"
    for arguments in (f"scan {data}", "scan .", "detect .", "init", f"plant DUP101 {data} --out x", "config"):
        script = f"cd gone && rmdir ../gone && {sys.executable} -m datalint {arguments}"
        (tmp_path / "gone").mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert done.stderr == "datalint: the working directory is no longer there; change to another one\n", arguments
