"""The hooks, in real commits to a throw-away repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hatchling.builders.sdist import SdistBuilder
from PIL import Image

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_data"
PRE_COMMIT = [sys.executable, "-m", "pre_commit"]


class Work:
    """A git repository to make commits in, with an environment that owes nothing to the user's settings."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        who = {
            f"GIT_{role}_{what}": f"{what}@example.com"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
        private = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PRE_COMMIT_HOME": str(cache),
            "DATALINT_CACHE_DIR": str(cache / "datalint"),
        }
        # Compiling the dependencies to bytecode takes longer than all else that builds the hooks' environment.
        self.environment = inherited | who | private | {"PIP_COMPILE": "0"}
        folder.mkdir(parents=True, exist_ok=True)
        self.run("git", "init", "--quiet", "--initial-branch=main")

    def run(self, *command: str, status: int = 0) -> str:
        """Run a command in the repository; returns what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def commit(self, message: str, status: int = 0) -> str:
        """Commit everything that lies in the repository."""
        self.run("git", "add", "--all")
        return self.run("git", "commit", "--message", message, status=status)


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A repository that holds datalint as it is shipped, committed."""
    folder = tmp_path_factory.mktemp("hooks")
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(folder / "dist"), versions=["standard"])
    (folder / "source").mkdir()
    subprocess.run(["tar", "--extract", "--file", path, "--directory", folder / "source"], check=True)
    (source,) = (folder / "source").iterdir()
    work = Work(source, folder / "cache")
    work.commit("as shipped")
    work.run("git", "tag", "v0.1.0")
    return work


def good(folder: Path) -> None:
    """Data with nothing wrong: pictures, a table, and a file that is no data."""
    for k in range(6):
        path = folder / "data" / "pictures" / "ab"[k % 2] / f"pict ure {k}.PNG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((16 + k, 16 + k)).save(path)
    (folder / "data" / "table").mkdir()
    pd.read_parquet(SAMPLES / "clean_diabetes" / "diabetes.parquet").to_parquet(
        folder / "data" / "table" / "rows.parquet"
    )
    (folder / "notes.txt").write_text("no data\n", encoding="utf-8")


def bad(folder: Path) -> None:
    """A truncated picture and half a Parquet file."""
    for path in (folder / "data" / "pictures" / "a" / "pict ure 0.PNG", folder / "data" / "table" / "rows.parquet"):
        content = path.read_bytes()
        path.with_stem("broken").write_bytes(content[: len(content) // 2])


def test_commits_are_checked_as_the_guide_says(hooks: Work, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"^```yaml\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    work = Work(tmp_path / "work", tmp_path / "cache")
    place = config.replace("https://example.com/datalint.git", hooks.folder.as_posix())
    assert place != config
    (work.folder / ".pre-commit-config.yaml").write_text(place, encoding="utf-8")
    work.run(*PRE_COMMIT, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")

    good(work.folder)
    assert "Passed" in work.commit("good")
    whole = work.run(*PRE_COMMIT, "run", "datalint-dataset", "--hook-stage", "manual", "--all-files")
    assert "Passed" in whole

    bad(work.folder)
    refused = work.commit("bad", status=1)
    assert "IMG103" in refused
    assert "broken.PNG" in refused
    assert "FIL101" in refused
    assert "broken.parquet" in refused
    assert "rows.parquet" not in refused, "a file that has not changed was looked at"
    assert work.run("git", "log", "--format=%s").split() == ["good"]
    whole = work.run(*PRE_COMMIT, "run", "datalint-dataset", "--hook-stage", "manual", "--all-files", status=1)
    assert "IMG103" in whole


def test_trying_the_repository(hooks: Work, tmp_path: Path) -> None:
    work = Work(tmp_path / "work", tmp_path / "cache")
    good(work.folder)
    bad(work.folder)
    work.commit("unchecked")
    shown = work.run(*PRE_COMMIT, "try-repo", str(hooks.folder), "--hook-stage", "manual", "--all-files", status=1)
    assert shown.count("Failed") == 2
    assert "broken.PNG" in shown
    assert "broken.parquet" in shown
