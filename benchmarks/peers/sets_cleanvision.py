"""CleanVision on many small folders of images: ``python -m benchmarks.peers.sets_cleanvision JOBS.json OUT.json``.

With its default issues, in one process. Says by job and kind which files it names.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers.sets_protocol import answer_all

if TYPE_CHECKING:
    from collections.abc import Mapping


def issues_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The files named by kind, as paths below the folder."""
    path = job["path"]
    lab = import_module("cleanvision").Imagelab(data_path=path)
    lab.find_issues(n_jobs=1, verbose=False)
    issues = lab.issues
    return {
        "rows": {
            name.removeprefix("is_").removesuffix("_issue"): [
                Path(file).resolve().relative_to(Path(path).resolve()).as_posix() for file in issues.index[issues[name]]
            ]
            for name in issues
            if name.startswith("is_")
        }
    }


if __name__ == "__main__":
    answer_all("cleanvision", issues_of)
