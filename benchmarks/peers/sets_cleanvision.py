"""
CleanVision on many small folders of images: ``python -m benchmarks.peers.sets_cleanvision JOBS.json OUT.json``.

With its default issues, in one process. Says by job and kind which files it names.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.peers.protocol import INPUT, OUT


def issues_of(path: str) -> dict[str, Any]:
    """The files named by kind, as paths below the folder."""
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
    answers: dict[str, Any] = {}
    for job in json.loads(INPUT.read_text()):
        start = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                answer = issues_of(job["path"])
        except Exception as error:  # what stops the peer is part of the comparison
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers[job["name"]] = answer | {"seconds": time.process_time() - start}
    OUT.write_text(json.dumps(answers))
