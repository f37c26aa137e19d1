"""What the reduce step costs at 10^9 rows in 10^5 partitions: ``python -m benchmarks.scale [--partitions N]``.

Real: the measurements that the built-in rules ask for of a 30-column table, their merge and close, the reduce step of a
scan (``datalint.engine.reduce``), freezing and the cache, and the summaries of some partitions of generated rows, taken by the
code that takes them in a scan. Synthetic: a partition's summary is one of these in turn, with content hashes and places
of its own, so that no two partitions hold the same sample. Rows are not read, and nothing is sent anywhere: what that costs
is added up from the stages measured one by one.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import data, page
from datalint.api import detect
from datalint.engine.cache import Cache
from datalint.engine.engine import measure_partition
from datalint.engine.freeze import freeze, thaw
from datalint.engine.plan import Measured, plan
from datalint.engine.reduce import reduce as reduce_parts
from datalint.measures.base import Settings
from datalint.measures.contents import Contents
from datalint.measures.places import Places
from datalint.measures.sample import Sample
from datalint.rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.engine.plan import Plan, States
    from datalint.measures.base import Measurement

MB = 1e6
PHOTOS, PHOTO_PARTITIONS = 500, 400
"""Pictures in one partition, as a scan cuts them, and how many partitions of them are merged."""

SETTINGS = Settings()


@dataclass
class Course:
    """How a reduce went."""

    partitions: int
    seconds: float
    """CPU seconds in the reduce step, without making the summaries."""
    making: float
    """CPU seconds spent on making them."""
    base: int
    """Resident bytes before it began."""
    peak: int
    """The most that was resident during it."""
    merged: States
    steps: list[tuple[int, float, int]] = field(default_factory=list)
    """Partitions, CPU seconds and resident bytes along the way."""


@dataclass
class Stage:
    """What one partition costs at one stage."""

    name: str
    seconds: float
    size: int | None = None


def table(rows: int, seed: int = 0) -> Dataset:
    """A table of generated rows."""
    return detect(data.table(rows, seed)[0].to_pandas(), label="label")[0]


def photos(count: int, seed: int = 0) -> Dataset:
    """An array of colour pictures; what is on them does not matter here."""
    rng = np.random.default_rng(seed)
    return detect((rng.integers(0, 256, (count, 64, 64, 3), np.uint8), rng.integers(0, 10, count)))[0]


Maker = Callable[[int, int], "Dataset"]


def plan_of(dataset: Dataset) -> Plan:
    """The measurements that the built-in rules ask for of such a data set."""
    return plan([rule() for rule in all_rules()], dataset, SETTINGS)


def summaries(make: Maker, size: int, count: int) -> tuple[list[States], float]:
    """The summaries of some partitions, and the CPU seconds that taking one took."""
    todo = plan_of(make(size, 0))
    found, seconds = [], 0.0
    for seed in range(count):
        partition = make(size, seed).partitions[0]
        start = time.process_time()
        found.append(measure_partition(partition, 0, todo, lambda _: None).states)
        seconds += time.process_time() - start
    return found, seconds / count


def fresh(states: States, number: int, rng: np.random.Generator) -> States:
    """The summary of another partition with the same figures and samples of its own; the template stays as it is."""
    return {split: tuple(_fresh(state, number, rng) for state in found) for split, found in states.items()}


def _fresh(state: Measurement, number: int, rng: np.random.Generator) -> Measurement:
    if isinstance(state, Sample) and (payload := state.payload) is not None:
        state = copy.copy(state)  # of a closed one nothing but the list is changed in place, and its payload is large
        state._pending = []
        old, state.contents = state.contents, _hashes(len(state.contents), rng)
        state.places = _elsewhere(state.places, number, state.contents[np.searchsorted(old, state.places.content)])
        state.payload = replace(payload, inputs=state.contents ^ np.uint64(1))
        return state
    state = copy.deepcopy(state)
    state.renumber(number)
    if isinstance(state, Contents):
        for stretch in state.stretches:
            stretch.inputs, stretch.contents = (rng.permutation(_hashes(len(stretch.inputs), rng)) for _ in range(2))
    elif renewed(state):
        places: Places = vars(state)["places"]
        vars(state)["places"] = _elsewhere(places, number, rng.permutation(_hashes(len(places), rng)))
    return state


def renewed(state: Measurement) -> bool:
    """Whether a measurement holds single samples, so that its copy must hold others."""
    return isinstance(state, Contents) or isinstance(vars(state).get("places"), Places)


def _elsewhere(places: Places, number: int, content: NDArray[np.uint64]) -> Places:
    return Places(places.row, np.full(len(places), number, np.int32), places.line, content)


def _hashes(count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    return np.sort(rng.integers(0, 2**64 - 1, count, np.uint64))


def reduce(
    templates: Sequence[States], partitions: int, seed: int = 0, say: Callable[[str], None] = lambda _: None
) -> Course:
    """Feed the reduce step one summary per partition, none of which is held by anything but the step itself."""
    rng = np.random.default_rng(seed)
    making = 0.0
    steps: list[tuple[int, float, int]] = []
    marks = {partitions * k // 10 for k in range(1, 10)}
    begun = time.process_time()
    base = _resident()
    _forget_peak()

    def stream() -> Iterator[Measured]:
        nonlocal making
        for number in range(partitions):
            start = time.process_time()
            states = fresh(templates[number % len(templates)], number, rng)
            making += time.process_time() - start
            if number in marks:
                steps.append((number, time.process_time() - begun - making, _resident()))
                say(f"{number:,} partitions: {steps[-1][1]:.1f} CPU s, {steps[-1][2] / MB:,.0f} MB")
            yield Measured(states)

    merged = reduce_parts(stream()).states
    seconds = time.process_time() - begun - making
    return Course(partitions, seconds, making, base, _peak(), merged, steps)


def by_measurement(merged: States, templates: Sequence[States], merges: int = 50) -> list[Stage]:
    """CPU seconds that each measurement takes to merge one more partition, at the size it has in the end."""
    rng = np.random.default_rng(1)
    stages = []
    for split, states in merged.items():
        for k, state in enumerate(states):
            whole = copy.deepcopy(state)
            later = [_fresh(templates[n % len(templates)][split][k], n + 1, rng) for n in range(merges)]
            start = time.process_time()
            for part in later:
                whole.merge(part)
                whole.close()
            seconds = (time.process_time() - start) / merges
            stages.append(Stage(type(state).__name__, seconds, len(freeze(state))))
    return sorted(stages, key=lambda stage: -stage.seconds)


def stages(rows: int) -> list[Stage]:
    """What one partition of a table costs before it reaches the reduce step."""
    found: list[Stage] = []

    def timed(name: str, job: Callable[[], object], size: int | None = None) -> None:
        taken = []
        for _ in range(9):
            start = time.process_time()
            job()
            taken.append(time.process_time() - start)
        found.append(Stage(name, statistics.median(taken), size))

    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        data.make_table(folder, "part", rows)
        file = folder / "part.csv"
        dataset = detect(file, label="label")[0]
        partition, todo = dataset.partitions[0], plan_of(dataset)
        states = measure_partition(partition, 0, todo, lambda _: None).states
        timed("read and measure (CSV)", lambda: measure_partition(partition, 0, todo, lambda _: None))
        found[-1].size = file.stat().st_size
        descriptor, sent = pickle.dumps(partition), pickle.dumps(states, 5)
        timed("descriptor to the worker", lambda: pickle.loads(pickle.dumps(partition)), len(descriptor))
        timed("summary from the worker", lambda: pickle.loads(pickle.dumps(states, 5)), len(sent))
        cache = Cache(folder / "cache")
        key = cache.key_of("part")
        files = partition.files_read
        timed("cache: key", lambda: cache.key_of("partition", partition, cache.identity(files), todo))
        frozen = freeze(states)
        timed("cache: freeze and write", lambda: cache.put(key, freeze(states)), len(frozen))
        timed("cache: read and thaw", lambda: thaw(cache.get(key) or b""), len(frozen))
    return found


def sizes(many: Sequence[int]) -> list[tuple[int, int, int]]:
    """Rows of a partition, bytes of its frozen summary, and bytes of the same rows as numbers in memory."""
    return [(rows, len(freeze(summaries(table, rows, 1)[0][0])), rows * 30 * 8) for rows in many]


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def text(course: Course, what: str, size: int, templates: Sequence[States], taken: float, merges: int = 50) -> str:
    """The outcome of one reduce as markdown."""
    n = course.partitions
    states = [state for found in course.merged.values() for state in found]
    kinds = sorted({type(state).__name__ for state in states if renewed(state)})
    plain = sorted({type(state).__name__ for state in states if not renewed(state)})
    parts = [
        f"**{n * size:,} {what} in {n:,} partitions of {size:,}.** Real: {len(templates)} summaries of generated partitions "
        f"(each took {taken:.3f} CPU s), merge, close and reduce. Synthetic: every partition is one of these with content "
        f"hashes and places of its own ({', '.join(kinds)}); the figures of {', '.join(plain)} repeat.",
        f"The reduce took **{course.seconds:.1f} CPU s, {1000 * course.seconds / n:.2f} ms per partition** (making the "
        f"summaries: {course.making:.1f} s, not counted). Resident memory: {course.base / MB:,.0f} MB before, "
        f"{course.peak / MB:,.0f} MB at the peak, so **{(course.peak - course.base) / MB:,.0f} MB for the reduce**. One "
        f"partition's summary freezes to {len(freeze(templates[0])) / MB:.1f} MB, the merged one to "
        f"**{len(freeze(course.merged)) / MB:.1f} MB**.",
        page.table(
            ["partitions merged", "CPU s", "ms each so far", "resident MB"],
            [
                [f"{at:,}", f"{seconds:.1f}", f"{1000 * seconds / max(at, 1):.2f}", f"{memory / MB:,.0f}"]
                for at, seconds, memory in [*course.steps, (n, course.seconds, course.peak)]
            ],
        ),
        "One more partition at the end, by measurement:",
        page.table(
            ["measurement", "ms to merge and close", "kB frozen in the end"],
            [
                [stage.name, f"{1000 * stage.seconds:.3f}", f"{(stage.size or 0) / 1e3:,.1f}"]
                for stage in by_measurement(course.merged, templates, merges)
            ],
        ),
    ]
    return "\n\n".join(parts)


def costs(found: Sequence[Stage], n: int, rows: int) -> str:
    """What each stage costs for one partition and for all."""
    lines = page.table(
        ["stage", "CPU ms each", "kB each", "CPU in all", "bytes in all"], [_line(stage, n) for stage in found]
    )
    return f"Every stage of a table, for one partition of {rows:,} rows and added up for {n:,}:\n\n{lines}"


def _line(stage: Stage, n: int) -> list[str]:
    hours = stage.seconds * n / 3600
    size = "" if stage.size is None else f"{stage.size / 1e3:,.1f}"
    whole = "" if stage.size is None else f"{stage.size * n / 1e9:,.2f} GB"
    return [stage.name, f"{1000 * stage.seconds:.2f}", size, f"{hours:.2f} h", whole]


def share(found: Sequence[tuple[int, int, int]]) -> str:
    """How large a summary is against what it sums up."""
    return page.table(
        ["rows of a partition", "summary, MB", "the rows as numbers, MB", "share"],
        [[f"{n:,}", f"{a / MB:.2f}", f"{b / MB:.2f}", f"{100 * a / b:.0f} %"] for n, a, b in found],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    about = (__doc__ or "").split("\n\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=about)
    parser.add_argument("--partitions", type=int, default=100_000, metavar="N", help="how many (100,000)")
    parser.add_argument("--rows", type=int, default=10_000, metavar="N", help="rows of each (10,000)")
    parser.add_argument("--templates", type=int, default=100, metavar="N", help="summaries that are measured (100)")
    parser.add_argument("--write", action="store_true", help=f"keep the outcome in {page.PAGE.name}")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    count = min(options.templates, options.partitions)
    templates, taken = summaries(table, options.rows, count)
    course = reduce(templates, options.partitions, say=say)
    parts = [f"{page.machine()}. {page.versions({})}.", text(course, "rows", options.rows, templates, taken)]
    ways = [*stages(options.rows), Stage("reduce", course.seconds / options.partitions)]
    parts.append(costs(ways, options.partitions, options.rows))
    many = [rows for rows in (1_000, 10_000, 100_000, 1_000_000) if rows <= 100 * options.rows]
    parts += ["A summary of a table against the rows it sums up:", share(sizes(many))]
    del templates, course
    few = max(2, min(PHOTO_PARTITIONS, options.partitions))
    templates, taken = summaries(photos, PHOTOS, min(count, 20))
    parts.append(text(reduce(templates, few, say=say), "pictures", PHOTOS, templates, taken))
    outcome = "\n\n".join(parts)
    print(outcome)
    if options.write:
        page.put("scale", outcome)
    return 0


if __name__ == "__main__":
    sys.exit(main())
