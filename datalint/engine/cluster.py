"""A Dask cluster as the place where partitions are measured."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from datalint import __version__
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.engine.engine import WINDOW, failure, measure_partition
from datalint.sources.remote.url import is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from datalint.engine.engine import Work
    from datalint.engine.plan import Measured, Plan

CHECKED: Final = 100
"""Partitions whose files the workers are asked for before they are read."""

WORKERLESS: Final = 30.0
"""Seconds that a cluster may be without a worker before it counts as lost."""


class Cluster:
    """The workers of a Dask cluster; they get descriptors of partitions and return summaries."""

    name = "dask"

    def __init__(self, scheduler: str, jobs: int, workerless: float = WORKERLESS) -> None:
        self.jobs = jobs
        self._scheduler, self._workerless = scheduler, workerless

    def measure(self, partitions: Sequence[Work], plan: Plan, progress: Callable[[int], None]) -> Iterator[Measured]:
        """Several partitions at once, in order.

        A worker that dies takes only its partitions with it: Dask tries them again elsewhere, and one that kills its worker
        every time becomes a problem of the data set.

        Raises:
            DatalintError: the cluster cannot be reached or is lost, or a worker of it cannot see the data.
        """
        with self._client() as client:
            import cloudpickle
            from distributed import KilledWorker

            self._check(client, partitions)
            left = deque(partitions)
            waiting: deque[tuple[Work, Any]] = deque()
            while left or waiting:
                while left and len(waiting) < WINDOW * self.jobs:
                    number, partition = task = left.popleft()
                    # As bytes: a class of the user's own may be one that the scheduler cannot import.
                    work = cloudpickle.dumps((partition, number, plan))
                    waiting.append((task, client.submit(_remote, work, pure=False)))
                (number, partition), future = waiting.popleft()
                try:
                    part: Measured = self._result(client, future)
                except KilledWorker as error:
                    part = failure(partition, number, plan, error.allowed_failures + 1)
                progress(part.samples)
                yield part

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        """A client of the cluster.

        Raises:
            DatalintError: Dask is not installed, or nobody answers at that address.
        """
        try:
            import distributed
        except ImportError as error:
            raise DatalintError(f"--engine dask needs Dask: {install('dask')}") from error
        connect: Any = distributed.Client
        with _silent():
            try:
                client = connect(self._scheduler, timeout=10, set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                raise DatalintError(f"--scheduler {self._scheduler}: no Dask scheduler answers there") from error
            try:
                yield client
            finally:
                with contextlib.suppress(Exception):  # of a lost cluster nothing is left to close
                    client.close(timeout=5)

    def _check(self, client: Any, partitions: Sequence[Work]) -> None:
        """Before any work: are there workers, do all of them run this datalint, and do they see the data?"""
        place = f"--scheduler {self._scheduler}"
        try:
            client.wait_for_workers(1, timeout=self._workerless)
        except TimeoutError as error:
            raise DatalintError(f"{place}: the cluster has no worker; start one and scan again") from error
        step = max(1, len(partitions) // CHECKED)
        paths = [partition.files_read[0] for _, partition in partitions[::step] if partition.files_read]
        paths = [path for path in paths if not is_url(path)]  # reading them says what is wrong
        try:
            answers: dict[str, tuple[str, str | None]] = client.run(_seen, paths)
        except Exception as error:  # whatever goes wrong on a machine of somebody else's
            raise DatalintError(f"{place}: a worker cannot run datalint: {error}") from error
        for worker, (version, missing) in sorted(answers.items()):
            if version != __version__:
                raise DatalintError(f"the Dask worker {worker} has datalint {version}, and this is {__version__}")
            if missing is not None:
                raise DatalintError(
                    f"the Dask worker {worker} cannot see {missing}: all workers must see the data at the same path"
                )

    def _result(self, client: Any, future: Any) -> Any:
        """What a task gave, waited for only while there is somebody who may do it.

        Raises:
            DatalintError: the scheduler is gone, or there has been no worker for a while.
        """
        from concurrent.futures import CancelledError

        from distributed.comm.core import CommClosedError

        seen = time.monotonic()
        while True:
            try:
                return future.result(timeout=1)
            except (CancelledError, CommClosedError) as error:  # the second where it ends while it answers
                raise self._lost("its scheduler ended") from error
            except TimeoutError as error:
                if client.status != "running":
                    raise self._lost("its scheduler ended") from error
                if self._has_workers(client):
                    seen = time.monotonic()
                elif time.monotonic() - seen > self._workerless:
                    raise self._lost(f"it had no worker for {self._workerless:.0f} seconds") from error

    def _has_workers(self, client: Any) -> bool:
        try:
            return bool(client.sync(client.scheduler.ncores, callback_timeout=5))
        except (OSError, TimeoutError) as error:
            raise self._lost("its scheduler ended") from error

    def _lost(self, why: str) -> DatalintError:
        return DatalintError(
            f"--scheduler {self._scheduler}: the cluster was lost before all was read: {why}; scan again when it is back"
        )


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep Dask from writing to the terminal what it also raises."""
    handlers = [(handler, handler.level) for handler in logging.getLogger("distributed").handlers]
    for handler, _ in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)


def _seen(paths: Sequence[str]) -> tuple[str, str | None]:
    """This process's version of datalint, and the first path that it cannot read."""
    return __version__, next((path for path in paths if not os.access(path, os.R_OK)), None)


def _remote(work: bytes) -> Measured:
    partition, number, plan = pickle.loads(work)  # noqa: S301 - datalint's own client sent it
    return measure_partition(partition, number, plan, lambda _: None)
