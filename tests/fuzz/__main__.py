"""``python -m tests.fuzz``: scan hostile inputs until time is up, and keep those that fail.

python -m tests.fuzz --minutes 60               new ones at every run
python -m tests.fuzz --inputs 2000 --seed 1     the same ones at every run
python -m tests.fuzz --replay csv:123           one again, by its name
python -m tests.fuzz --replay failures/csv-123  one again, as it is stored (and perhaps edited)
python -m tests.fuzz --minimise failures/csv-123
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz.case import read, write
from tests.fuzz.kinds import KINDS, make, numbered
from tests.fuzz.running import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzz.case import Case, Content
    from tests.fuzz.outcome import Fault

KEPT = 3
"""Inputs that are stored of those that fail in the same way."""


def main() -> int:
    """Exit status 1 if anything failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Scan hostile inputs; keep those that fail."
    )
    parser.add_argument("--minutes", type=float, help="how long")
    parser.add_argument("--inputs", type=int, help="how many")
    parser.add_argument("--seed", type=int, help="the same inputs for the same seed")
    parser.add_argument("--kinds", default="", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"), help="folder of what failed")
    parser.add_argument("--replay", metavar="NAME", help="scan one again: KIND:NUMBER or a stored folder")
    parser.add_argument(
        "--minimise", metavar="NAME", help="the same, and make it smaller as long as it fails in the same way"
    )
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="datalint-fuzz-"))
    try:
        server = Server(work)
        if asked.replay or asked.minimise:
            return _again(server, asked.replay or asked.minimise, asked.failures, smaller=bool(asked.minimise))
        return _many(server, asked)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _many(server: Server, asked: argparse.Namespace) -> int:
    seed = random.SystemRandom().randrange(10**9) if asked.seed is None else asked.seed
    kinds = set(asked.kinds.split(",")) if asked.kinds else set(KINDS)
    end = None if asked.minutes is None else time.monotonic() + 60 * asked.minutes
    limit = asked.inputs if asked.inputs or end else 2_000
    signatures: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    began = time.monotonic()
    for kind, number in numbered(seed):
        if (limit and counts.total() >= limit) or (end and time.monotonic() > end):
            break
        if kind not in kinds:
            continue
        counts[kind] += 1
        case = make(kind, number)
        for fault in server.faults(case, number):
            signature = f"{kind}: {fault.signature}"
            signatures[signature] += 1
            if signatures[signature] <= KEPT:
                place = asked.failures / f"{kind}-{number}"
                _store(case, fault, place, f"{kind}:{number}")
                print(f"{signature}\n    python -m tests.fuzz --replay {kind}:{number}", flush=True)
    print(
        f"\n{counts.total():,} inputs of seed {seed} in {time.monotonic() - began:,.0f} s: {dict(sorted(counts.items()))}"
    )
    for signature, times in signatures.most_common():
        print(f"{times:6,}  {signature}")
    print("nothing failed" if not signatures else f"{len(signatures)} ways to fail")
    return 1 if signatures else 0


def _store(case: Case, fault: Fault, place: Path, name: str) -> None:
    shutil.rmtree(place, ignore_errors=True)
    (place / "data").mkdir(parents=True)
    write(case.data, place / "data")
    write(case.more, place)
    words = f"{fault.kind}\npython -m tests.fuzz --replay {name}\ndatalint {' '.join([*case.command, *case.options])}\n\n{fault.detail}\n"
    (place / "fault.txt").write_text(words, encoding="utf-8", errors="backslashreplace")


def _named(name: str) -> tuple[str, int]:
    kind, sign, number = (
        name if ":" in name else Path(name).name.replace("-", ":")[::-1].replace(":", "-", 0)[::-1]
    ).rpartition(":")
    if not sign or kind.replace(":", "-") not in KINDS or not number.isdigit():
        sys.exit(f"{name} is neither KIND:NUMBER nor a stored folder")
    return kind.replace(":", "-"), int(number)


def _again(server: Server, name: str, failures: Path, *, smaller: bool) -> int:
    kind, number = _named(name)
    case = make(kind, number)
    if ":" not in name:
        case = replace(case, data=read(Path(name) / "data"))
    found = server.faults(case, number)
    for fault in found:
        print(f"{fault.signature}\n{fault.detail}\n")
    if not found:
        print("does not fail")
        return 0
    if smaller:
        case = minimised(case, found[0].signature, lambda tried: server.faults(tried, number))
        place = failures / f"{kind}-{number}"
        _store(case, found[0], place, name)
        print(f"{sum(len(c) for c in case.data.values() if isinstance(c, bytes)):,} bytes left in {place}")
    return 1


def minimised(case: Case, signature: str, run: Callable[[Case], list[Fault]]) -> Case:
    """The smallest input found that fails in the same way: without files, then without blocks of bytes of what is left."""

    def fails(data: dict[str, Content]) -> bool:
        return any(fault.signature == signature for fault in run(replace(case, data=data)))

    data = dict(case.data)
    for name in list(data):
        fewer = {other: content for other, content in data.items() if other != name}
        if fails(fewer):
            data = fewer
    for name, content in list(data.items()):
        if not isinstance(content, bytes):
            continue
        block = max(1, len(content) // 2)
        tried = 0
        while block and tried < 400:
            at = 0
            while at < len(content) and tried < 400:
                fewer_bytes = content[:at] + content[at + block :]
                tried += 1
                if fails(data | {name: fewer_bytes}):
                    content = fewer_bytes  # noqa: PLW2901
                    data[name] = content
                else:
                    at += block
            block //= 2
    return replace(case, data=data)


if __name__ == "__main__":
    sys.exit(main())
