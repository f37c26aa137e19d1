"""Where the work runs: one task per partition, results in the order of the partitions."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Protocol

from datalint.core.dataset import Batch, Problem
from datalint.core.errors import DatalintError
from datalint.core.temporary import temporary_folder
from datalint.core.vocabulary import WHOLE
from datalint.engine.handover import handed_over, received
from datalint.engine.plan import Measured
from datalint.engine.processes import settings as processes
from datalint.sources.files import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.dataset import Aspect, Partition
    from datalint.engine.plan import Plan, States
    from datalint.engine.processes import Starting

Work = tuple[int, "Partition"]
"""A partition and its number within the data set."""

EngineName = Literal["local", "dask"]

WINDOW = 32
"""Partitions per process that may be measured before the first of them is merged."""

ATTEMPTS = 2
"""Times that a partition may take its worker down before it is given up."""


class Engine(Protocol):
    """Runs the measuring of partitions somewhere."""

    @property
    def name(self) -> str:
        """As the report names it."""

    @property
    def jobs(self) -> int:
        """How many partitions are measured at once."""

    def measure(self, partitions: Sequence[Work], plan: Plan, progress: Callable[[int], None]) -> Iterator[Measured]:
        """Yield what was measured on each partition, in order; ``progress`` is told how many samples were read."""


class Serial:
    """All in this process."""

    name = "serial"
    jobs = 1

    def measure(self, partitions: Sequence[Work], plan: Plan, progress: Callable[[int], None]) -> Iterator[Measured]:
        """One partition after the other."""
        for number, partition in partitions:
            yield measure_partition(partition, number, plan, progress)


class Workers:
    """Processes of this machine, through joblib; they get descriptors and return summaries."""

    name = "local"

    def __init__(self, jobs: int, starting: Starting | None = None) -> None:
        self.jobs = jobs
        self._starting = starting

    def measure(self, partitions: Sequence[Work], plan: Plan, progress: Callable[[int], None]) -> Iterator[Measured]:
        """Several partitions at once, in order.

        A worker that dies takes only its partitions with it: they are tried again, and one that kills its worker every
        time becomes a problem of the data set.
        """
        from concurrent.futures.process import BrokenProcessPool

        left = list(partitions)
        with self._backend() as run:
            while left:
                before = len(left)
                try:
                    # In windows: joblib runs ahead of whoever takes the results, and they would pile up.
                    for part in run(tuple(left[: WINDOW * self.jobs]), plan):
                        progress(part.samples)
                        left.pop(0)
                        yield part
                except BrokenProcessPool:
                    # Which partition it was is not known. If nothing came through, it may well be the first.
                    if len(left) == before:
                        number, partition = left.pop(0)
                        yield self._alone(run, number, partition, plan)

    def _alone(self, run: Any, number: int, partition: Partition, plan: Plan) -> Measured:
        from concurrent.futures.process import BrokenProcessPool

        for _ in range(ATTEMPTS):
            with contextlib.suppress(BrokenProcessPool):
                part: Measured = next(iter(run([(number, partition)], plan)))
                return part
        return failure(partition, number, plan, ATTEMPTS)

    @contextlib.contextmanager
    def _backend(self) -> Iterator[Any]:
        from joblib import Parallel, delayed

        def run(tasks: Sequence[Work], plan: Plan) -> Iterator[Measured]:
            parallel = Parallel(n_jobs=max(2, self.jobs), return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
            found = parallel(delayed(_remote)(partition, number, plan, place) for number, partition in tasks)
            try:
                for part in found:
                    yield received(part)
            finally:
                # Whoever stops early knows that the rest is not done; joblib need not say so.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found.close()

        if self._starting is not None:
            self._starting.wait()
        with processes(), temporary_folder() as place:
            yield run


class Last:
    """An engine that is the last to use processes which were started early, and lets them go when all is read.

    While they read, this process has little to do: it loads what it will need then.
    """

    def __init__(self, engine: Engine, starting: Starting, load: Callable[[], None]) -> None:
        self._engine, self._starting, self._load = engine, starting, load
        self.name, self.jobs = engine.name, engine.jobs

    def measure(self, partitions: Sequence[Work], plan: Plan, progress: Callable[[int], None]) -> Iterator[Measured]:
        """What the engine measures."""
        try:
            for k, part in enumerate(self._engine.measure(partitions, plan, progress)):
                if k == 0:
                    self._load()
                yield part
        finally:
            self._starting.let_go()


def _remote(partition: Partition, number: int, plan: Plan, place: Path) -> Path | Measured:
    return handed_over(measure_partition(partition, number, plan, lambda _: None), place)


def measure_partition(partition: Partition, number: int, plan: Plan, progress: Callable[[int], None]) -> Measured:
    """Read one partition once and take all measurements of it."""
    return _measured(read(partition, plan.aspects), number, plan, progress)


def read(partition: Partition, aspects: frozenset[Aspect]) -> Generator[Batch]:
    """The batches of a partition; of a file that a library stumbles over, those before it and a problem.

    Each source turns the errors that it foresees into problems of its own words; no other may end the scan of all files.
    """
    split = partition.split or WHOLE
    batches: Iterator[Batch] = iter(())
    try:
        batches = iter(partition.batches(aspects))
        while (batch := next(batches, None)) is not None:
            split = batch.split
            yield batch
    except Exception as error:
        if isinstance(error, DatalintError) or not partition.files_read:
            raise  # an object of the user's own: its errors are theirs to see
        # What memory or the system refuses it may grant the next time.
        kind: Literal["failed", "truncated"] = "failed" if isinstance(error, (MemoryError, OSError)) else "truncated"
        problem = Problem(kind, partition.sample_id(0), f"breaks off: {spoken(error)}")
        yield Batch(split, 0, 0, problems=[problem])
    finally:
        if isinstance(batches, Generator):
            batches.close()  # the file is not held open until somebody collects the rubbish


def failure(partition: Partition, number: int, plan: Plan, times: int) -> Measured:
    """What is known of a partition that takes down every process that reads it."""
    message = f"reading it took its process down {times} times; it was left out"
    problem = Problem("failed", partition.sample_id(0), message)
    batch = Batch(partition.split or "all", 0, 0, problems=[problem])
    return _measured([batch], number, plan, lambda _: None)


def _measured(batches: Iterable[Batch], number: int, plan: Plan, progress: Callable[[int], None]) -> Measured:
    states: States = {}
    samples, failed = 0, False
    for batch in batches:
        batch.part = number
        if batch.split not in states:
            states[batch.split] = plan.fresh()
        for state in states[batch.split]:
            state.update(batch)
        samples += batch.size
        failed |= any(problem.kind == "failed" for problem in batch.problems)
        progress(batch.size)
    closed = {split: tuple(state.close() for state in found) for split, found in states.items()}
    return Measured(closed, samples, failed)


def weight_of(partition: Partition) -> int:
    """Bytes to be read; none of a file that has vanished, which reading it will tell."""
    try:
        return partition.weight
    except OSError:
        return 0


class Tally:
    """Tells how far a scan is: samples as they are read, and the share of the bytes that is done.

    What listens may have a method ``stage`` as well, which is told each other thing that is done by name, and the share of
    that.
    """

    def __init__(self, partitions: Sequence[Partition], tell: Callable[[int, float], None] | None = None) -> None:
        self._tell = tell or (lambda _samples, _share: None)
        self._total = max(1, sum(map(weight_of, partitions)))
        self._done = 0

    def __call__(self, samples: int) -> None:
        """More samples were read."""
        self._tell(samples, min(1.0, self._done / self._total))

    def finish(self, partition: Partition) -> None:
        """A partition is done."""
        self._done += weight_of(partition)
        self(0)

    def stage(self, name: str, share: float) -> None:
        """Something else than reading is being done."""
        tell = getattr(self._tell, "stage", None)
        if tell is not None:
            tell(name, share)
