"""What all peers' scripts for many small data sets share: ``python -m benchmarks.peers.sets_NAME JOBS.json OUT.json``.

They run in the peer's own environment, so they import nothing of datalint. A job has ``name``, ``path``, the ``kinds`` of
issue that are asked for and, of tables, ``tables`` (a CSV file by split), ``label`` and ``task``. Its answer has ``rows``
(by kind the samples named), ``columns`` (by kind the columns named) and ``sets`` (kinds told of the whole), as far as the
peer names such.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import time
from typing import TYPE_CHECKING, Any

from benchmarks.peers.protocol import INPUT, OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def answer_all(package: str, issues_of: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Answer all jobs.

    Args:
        package: name of the peer's distribution.
        issues_of: what the peer says of one job.
    """
    answers: dict[str, Any] = {}
    for job in json.loads(INPUT.read_text()):
        start = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                answer = issues_of(job)
        except Exception as error:  # what stops the peer is part of the comparison
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        answers[job["name"]] = answer | {"seconds": time.process_time() - start}
    OUT.write_text(json.dumps({"version": importlib.metadata.version(package), "jobs": answers}))
