"""Where the work runs: one task per partition, results in the order of the partitions."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Protocol

from datalint import __version__
from datalint.core.dataset import Batch, Problem
from datalint.core.errors import DatalintError
from datalint.engine.processes import processes_for
from datalint.engine.processes import settings as processes
from datalint.measures.base import Measurement, Settings
from datalint.sources.files import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from datalint.core.dataset import Aspect, Partition
    from datalint.engine.processes import Starting

States = dict[str, tuple[Measurement, ...]]
"""What was measured on one partition, by split."""

Task = tuple[int, "Partition"]
"""A partition and its number within the data set."""

EngineName = Literal["local", "dask"]

CHECKED = 100
"""Partitions whose files the workers of a cluster are asked for before they are read."""

WORKERLESS = 30
"""Seconds to wait for the first worker of a cluster."""

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

    def measure(
        self,
        partitions: Sequence[Task],
        kinds: Sequence[type[Measurement]],
        settings: Settings,
        progress: Callable[[int], None],
    ) -> Iterator[States]:
        """Yield the states of each partition, in order; ``progress`` is told how many samples were read."""


class Serial:
    """All in this process."""

    name = "serial"
    jobs = 1

    def measure(
        self,
        partitions: Sequence[Task],
        kinds: Sequence[type[Measurement]],
        settings: Settings,
        progress: Callable[[int], None],
    ) -> Iterator[States]:
        """One partition after the other."""
        for number, partition in partitions:
            yield measure_partition(partition, number, kinds, settings, progress)


class Workers:
    """Processes of this machine or of a Dask cluster, through joblib; they get descriptors and return summaries."""

    def __init__(self, jobs: int, scheduler: str | None = None, starting: Starting | None = None) -> None:
        self.name = "local" if scheduler is None else "dask"
        self.jobs = jobs
        self._scheduler = scheduler
        self._starting = starting

    def measure(
        self,
        partitions: Sequence[Task],
        kinds: Sequence[type[Measurement]],
        settings: Settings,
        progress: Callable[[int], None],
    ) -> Iterator[States]:
        """
        Several partitions at once, in order.

        Raises:
            DatalintError: the cluster cannot be reached, or a worker of it cannot see the data.

        A worker that dies takes only its partitions with it: they are tried again, and one that kills its worker every
        time becomes a problem of the data set.
        """
        left = list(partitions)
        with self._backend(partitions) as run:
            while left:
                before = len(left)
                try:
                    # In windows: joblib runs ahead of whoever takes the results, and they would pile up.
                    for states in run(tuple(left[: WINDOW * self.jobs]), kinds, settings):
                        progress(_samples(states))
                        left.pop(0)
                        yield states
                except _deaths():
                    # Which partition it was is not known. If nothing came through, it may well be the first.
                    if len(left) == before:
                        number, partition = left.pop(0)
                        yield self._alone(run, number, partition, kinds, settings)

    def _alone(
        self, run: Any, number: int, partition: Partition, kinds: Sequence[type[Measurement]], settings: Settings
    ) -> States:
        for _ in range(ATTEMPTS):
            with contextlib.suppress(*_deaths()):
                return next(iter(run([(number, partition)], kinds, settings)))
        message = f"reading it took its process down {ATTEMPTS} times; it was left out"
        return _states([_failure(partition, message)], number, kinds, settings, lambda _: None)

    @contextlib.contextmanager
    def _backend(self, partitions: Sequence[Task]) -> Iterator[Any]:
        from joblib import Parallel, delayed

        def run(tasks: Sequence[Task], kinds: Sequence[type[Measurement]], settings: Settings) -> Iterator[States]:
            parallel = Parallel(n_jobs=max(2, self.jobs), return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
            found = parallel(delayed(_remote)(partition, number, kinds, settings) for number, partition in tasks)
            try:
                # Not `yield from`, which would close it before the warnings are off.
                for states in found:  # noqa: UP028
                    yield states
            finally:
                # Whoever stops early knows that the rest is not done; joblib need not say so.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found.close()

        if self._scheduler is None:
            if self._starting is not None:
                self._starting.wait()
            with processes():
                yield run
            return
        from joblib import parallel_config

        client = connect(self._scheduler)
        try:
            _check_workers(client, self._scheduler, partitions)
            with parallel_config("dask", client=client, wait_for_workers_timeout=WORKERLESS):
                yield run
        finally:
            client.close()


class Last:
    """
    An engine that is the last to use processes which were started early, and lets them go when all is read.

    While they read, this process has little to do: it loads what it will need then.
    """

    def __init__(self, engine: Engine, starting: Starting, load: Callable[[], None]) -> None:
        self._engine, self._starting, self._load = engine, starting, load
        self.name, self.jobs = engine.name, engine.jobs

    def measure(
        self,
        partitions: Sequence[Task],
        kinds: Sequence[type[Measurement]],
        settings: Settings,
        progress: Callable[[int], None],
    ) -> Iterator[States]:
        """What the engine measures."""
        try:
            for k, states in enumerate(self._engine.measure(partitions, kinds, settings, progress)):
                if k == 0:
                    self._load()
                yield states
        finally:
            self._starting.let_go()


def connect(scheduler: str) -> Any:
    """
    A client of a Dask cluster.

    Raises:
        DatalintError: Dask is not installed, or nobody answers at that address.
    """
    try:
        import distributed
    except ImportError as error:
        raise DatalintError("--engine dask needs Dask: pip install 'datalint[dask]'") from error
    try:
        client: Any = distributed.Client
        return client(scheduler, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise DatalintError(f"--scheduler {scheduler}: no Dask scheduler answers there") from error


def _check_workers(client: Any, scheduler: str, partitions: Sequence[Task]) -> None:
    """Before any work: do all workers that are there run this datalint, and do they see the data?"""
    try:
        client.wait_for_workers(1, timeout=WORKERLESS)
    except TimeoutError as error:
        raise DatalintError(f"--scheduler {scheduler}: the cluster has no worker; start one and scan again") from error
    step = max(1, len(partitions) // CHECKED)
    paths = [partition.files_read[0] for _, partition in partitions[::step] if partition.files_read]
    try:
        answers: dict[str, tuple[str, str | None]] = client.run(_seen, paths)
    except Exception as error:  # whatever goes wrong on a machine of somebody else's
        raise DatalintError(f"--scheduler {scheduler}: a worker cannot run datalint: {error}") from error
    for worker, (version, missing) in sorted(answers.items()):
        if version != __version__:
            raise DatalintError(f"the Dask worker {worker} has datalint {version}, and this is {__version__}")
        if missing is not None:
            raise DatalintError(
                f"the Dask worker {worker} cannot see {missing}: all workers must see the data at the same path"
            )


def _seen(paths: Sequence[str]) -> tuple[str, str | None]:
    """This process's version of datalint, and the first path that it cannot read."""
    return __version__, next((path for path in paths if not os.access(path, os.R_OK)), None)


def _deaths() -> tuple[type[BaseException], ...]:
    """What is raised when a worker dies."""
    import sys
    from concurrent.futures.process import BrokenProcessPool

    dask = sys.modules.get("distributed")
    return (BrokenProcessPool, *([dask.KilledWorker] if dask else []))


def _remote(partition: Partition, number: int, kinds: Sequence[type[Measurement]], settings: Settings) -> States:
    return measure_partition(partition, number, kinds, settings, lambda _: None)


def measure_partition(
    partition: Partition,
    number: int,
    kinds: Sequence[type[Measurement]],
    settings: Settings,
    progress: Callable[[int], None],
) -> States:
    """Read one partition once and take all measurements of it."""
    aspects = frozenset(aspect for kind in kinds for aspect in kind.reads)
    return _states(read(partition, aspects), number, kinds, settings, progress)


def read(partition: Partition, aspects: frozenset[Aspect]) -> Generator[Batch]:
    """
    The batches of a partition; of a file that a library stumbles over, those before it and a problem.

    Each source turns the errors that it foresees into problems of its own words; no other may end the scan of all files.
    """
    split = partition.split or "all"
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


def _failure(partition: Partition, why: str) -> Batch:
    return Batch(partition.split or "all", 0, 0, problems=[Problem("failed", partition.sample_id(0), why)])


def failed(states: Iterable[Measurement]) -> bool:
    """Whether reading broke down, so that the same data may give another result the next time."""
    from datalint.measures.problems import Problems

    met = (found for state in states if isinstance(state, Problems) for _, _, found in state.found)
    return any(problem.kind == "failed" for problem in met)


def _states(
    batches: Any, number: int, kinds: Sequence[type[Measurement]], settings: Settings, progress: Callable[[int], None]
) -> States:
    states: dict[str, tuple[Measurement, ...]] = {}
    for batch in batches:
        batch.part = number
        if batch.split not in states:
            states[batch.split] = tuple(kind(settings) for kind in kinds)
        for state in states[batch.split]:
            state.update(batch)
        progress(batch.size)
    return {split: tuple(state.close() for state in found) for split, found in states.items()}


def _samples(states: States) -> int:
    from datalint.measures.problems import Problems

    return sum(state.samples for found in states.values() for state in found if type(state) is Problems)


def weight_of(partition: Partition) -> int:
    """Bytes to be read; none of a file that has vanished, which reading it will tell."""
    try:
        return partition.weight
    except OSError:
        return 0


class Tally:
    """
    Tells how far a scan is: samples as they are read, and the share of the bytes that is done.

    What listens may have a method ``stage`` as well, which is told each other thing that is done by name, and the share of
    that.
    """

    def __init__(self, partitions: Sequence[Partition], tell: Callable[[int, float], None]) -> None:
        self._tell = tell
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


def choose(
    partitions: Sequence[Task],
    jobs: int | None,
    engine: EngineName = "local",
    scheduler: str | None = None,
    starting: Starting | None = None,
) -> Engine:
    """
    Where to run: in this process while the data is small or cannot be read elsewhere.

    Args:
        partitions: what is to be measured.
        jobs: processes; None for as many as pay.
        engine: ``local`` processes or a ``dask`` cluster.
        scheduler: address of the cluster.
        starting: what starts the processes already, if anything.
    """
    if engine == "dask":
        if not scheduler:
            raise DatalintError("--engine dask needs the address of the cluster: --scheduler tcp://HOST:PORT")
        return Workers(jobs or len(partitions), scheduler)
    movable = all(partition.files_read for _, partition in partitions)
    weight = sum(weight_of(partition) for _, partition in partitions)
    count = min(processes_for(weight, jobs), len(partitions))
    return Workers(count, starting=starting) if count > 1 and movable else Serial()
