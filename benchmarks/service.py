"""How fast the service is with a large history: ``python -m benchmarks.service``.

Fills a database with 1,000 data sets of 1,000 findings and 100 scans each, then asks a running service for each page. With
``--load SECONDS`` 200 clients then ask at once (wrk, of the Debian package of that name) while four workers scan: each waits
``--pause`` milliseconds between its requests, so that the time of an answer is that of the service and not of a queue.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import insert, update

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
    "/rules/SPL103",
    "/compare",
    "/settings",
    "/api/v1/datasets",
    "/api/v1/datasets/set0500/findings",
    "/api/v1/scans",
    "/api/v1/datasets/set0500/gate",
    "/metrics",
)
REPEATS = 15
LOADED = ("/", "/datasets/set0500", "/api/v1/datasets", "/api/v1/scans", "/api/v1/datasets/set0500/gate", "/rules")
CLIENTS, WORKERS, SCANNED = 200, 4, 8
MIX = """
local paths = {%s}
local turn = 0
request = function()
  turn = turn + 1
  return wrk.format("GET", paths[turn %% #paths + 1], {["accept"] = "text/html"})
end
%s
"""


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


def _fill(database: Database) -> None:
    packed = zlib.compress(datalint.scan("sample_data/iris_sorted").to_json().encode())
    for start in range(1, SETS + 1, 50):
        with database.write() as session:
            for number in range(start, start + 50):
                for table, rows in _rows(number, packed):
                    session.execute(insert(table), rows)


def _each(client: httpx2.Client, database: Database) -> None:
    """Each page made anew, as something changed since, and as it is given again."""
    for path in PATHS:
        taken: dict[str, list[float]] = {"made": [], "again": []}
        for number in range(REPEATS):
            with database.write() as session:
                session.execute(update(Dataset).where(Dataset.id == 1).values(owner=f"{number}"))
            for spent in taken.values():
                began = time.perf_counter()
                answer = client.get(path)
                spent.append((time.perf_counter() - began) * 1000)
        size, said = len(answer.content) / 1000, f"{path:40} {answer.status_code}"
        times = (f"{how} {statistics.median(spent):5.1f} ms, at most {max(spent):5.1f}" for how, spent in taken.items())
        print(f"{said} {size:5.0f} kB; {'; '.join(times)}")


def _load(client: httpx2.Client, folder: Path, seconds: int, pause: int) -> None:
    """All clients at once, while scans are asked for; then whether every scan was done."""
    script = folder / "mix.lua"
    waiting = f"function delay() return math.random({pause // 2}, {pause * 3 // 2}) end" if pause else ""
    script.write_text(MIX % (", ".join(f'"{path}"' for path in LOADED), waiting))
    command = ["wrk", "-t2", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(script)]
    asked = []
    with subprocess.Popen([*command, str(client.base_url)], stdout=subprocess.PIPE, text=True) as load:
        for k in range(SCANNED):
            answer = client.post("/api/v1/scans", json={"dataset": ("clean_digit_pictures", "iris_sorted")[k % 2]})
            asked.append(answer.json()["id"])
            time.sleep(seconds / SCANNED)
        said = load.communicate()[0]
    print(said)
    while {client.get(f"/api/v1/scans/{k}").json()["status"] for k in asked} & {"queued", "running"}:
        time.sleep(1)
    states = [client.get(f"/api/v1/scans/{k}").json()["status"] for k in set(asked)]
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    late = re.search(r"99%\s+(\S+)", said)
    wrong = re.findall(r"(?:Socket errors|Non-2xx).*", said)
    print(f"{rate and rate[1]} requests a second, p99 {late and late[1]}, errors {wrong or 'none'}, scans {states}")
    print(f"load of the machine in the last minute {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores")


def main() -> None:
    """Fill, serve, ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--load", type=int, default=0, metavar="SECONDS")
    parser.add_argument(
        "--pause", type=int, default=400, metavar="MS", help="of a client between two requests; 0: none"
    )
    parser.add_argument("--processes", default="1")
    parser.add_argument("--database", help="an empty one; a SQLite file if not given")
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = wishes.database or f"sqlite:///{Path(folder) / 'service.db'}"
        database = Database(url)
        _fill(database)
        command = [sys.executable, "-m", "datalint", "serve", "--port", "0", "--database", url]
        if wishes.load:
            command += ["--root", "sample_data", "--workers", str(WORKERS), "--processes", wishes.processes]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            address = next(word for word in process.stderr.readline().split() if word.startswith("http")).rstrip(";")
            with httpx2.Client(base_url=address, headers={"accept": "text/html"}, timeout=60) as client:
                _each(client, database)
                if wishes.load:
                    _load(client, Path(folder), wishes.load, wishes.pause)
            process.terminate()
        database.engine.dispose()


if __name__ == "__main__":
    main()
