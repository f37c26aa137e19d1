"""How fast the pages of the service are with a large history: ``python -m benchmarks.service``.

Fills a SQLite file with 1,000 data sets of 1,000 findings and 100 scans each, then asks a running service for each page.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import insert

import datalint
from datalint.service.database import Database
from datalint.service.models import Dataset, Event, Finding, Occurrence, Scan, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

SETS, SCANS, FINDINGS, SEEN = 1_000, 100, 1_000, 10
PATHS = (
    "/",
    "/?after=set0500",
    "/?find=0777",
    "/datasets/set0500",
    "/datasets/set0500?state=gone",
    "/scans/50050",
    "/findings/500500",
    "/rules",
    "/rules/XMP7",
    "/compare",
    "/settings",
    "/api/v1/datasets",
    "/api/v1/datasets/set0500/findings",
    "/api/v1/scans",
    "/api/v1/datasets/set0500/gate",
    "/metrics",
)
REPEATS = 15


def _rows(number: int, packed: bytes) -> Iterator[tuple[type, list[dict[str, object]]]]:
    """What is stored of one data set."""
    first, scans = (number - 1) * FINDINGS + 1, range((number - 1) * SCANS + 1, number * SCANS + 1)
    yield Dataset, [{"id": number, "name": f"set{number:04}", "latest_id": scans[-1], "reference_id": scans[0]}]
    done = {"dataset_id": number, "status": "done", "finished": 1.0, "errors": 1, "warnings": 3, "passed": True}
    yield Scan, [{"id": k, **done} for k in scans]
    yield (
        Finding,
        [
            {
                "id": first + k,
                "dataset_id": number,
                "fingerprint": f"{first + k:020x}",
                "part": "data",
                "code": f"XMP{k % 80}",
                "rule": "example",
                "severity": ("error", "warning", "info")[k % 3],
                "message": "many samples are not what they should be",
                "present": k < 200,
                "first_id": scans[0],
                "last_id": scans[-1],
            }
            for k in range(FINDINGS)
        ],
    )
    common = {"change": "still", "severity": "warning", "count": 10, "samples": 1000}
    yield Occurrence, [{"scan_id": s, "finding_id": first + k, **common} for s in scans for k in range(SEEN)]
    yield Event, [{"what": "scan done", "dataset_id": number, "scan_id": s} for s in scans]
    yield Stored, [{"scan_id": scans[-1], "json": packed}]


def main() -> None:
    """Fill, serve, ask."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'service.db'}"
        database = Database(url)
        packed = zlib.compress(datalint.scan("sample_data/iris_sorted").to_json().encode())
        for start in range(1, SETS + 1, 50):
            with database.write() as session:
                for number in range(start, start + 50):
                    for table, rows in _rows(number, packed):
                        session.execute(insert(table), rows)
        database.engine.dispose()
        command = [sys.executable, "-m", "datalint", "serve", "--port", "0", "--database", url]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            address = next(word for word in process.stderr.readline().split() if word.startswith("http")).rstrip(";")
            with httpx2.Client(base_url=address, headers={"accept": "text/html"}, timeout=60) as client:
                for path in PATHS:
                    taken = []
                    for _ in range(REPEATS):
                        began = time.perf_counter()
                        answer = client.get(path)
                        taken.append((time.perf_counter() - began) * 1000)
                    median, worst = statistics.median(taken), max(taken)
                    size = len(answer.content) / 1000
                    print(f"{path:40} {answer.status_code} {size:7.0f} kB {median:7.0f} ms, at most {worst:.0f}")
            process.terminate()


if __name__ == "__main__":
    main()
