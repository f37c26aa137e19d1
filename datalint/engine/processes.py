"""The worker processes of this machine: how many pay, starting them early, and letting them go."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Any

WORTH_WORKERS = 400 << 20
"""Bytes from which more than one process pays: starting a worker costs about as much as reading 50 MB."""


def cores() -> int:
    """Cores that this process may use, within the limits of a container."""
    from joblib import cpu_count

    return int(cpu_count())


def processes_for(weight: int, jobs: int | None) -> int:
    """Processes for reading so many bytes: as many as were asked for, else all cores if it pays."""
    return jobs if jobs is not None else cores() if weight >= WORTH_WORKERS else 1


def settings() -> Any:
    """The setting in which joblib runs processes of this machine; in the same setting it finds them again."""
    from joblib import parallel_config

    # One thread each: as many processes as cores are busy already.
    return parallel_config("loky", inner_max_num_threads=1, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    """Let this worker end when its parent is gone, however that ended.

    By itself it would wait for work for five minutes, and hold open what its parent wrote to.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Starting:
    """Processes that are being started while the data is still recognised: both take as long.

    Whoever started them lets them go again, so that they neither hold memory while rules judge nor delay the end.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._executor: Any = None
        # Here, not in the thread: during this process's own imports it would take twice as long until they start.
        import joblib.externals.loky  # noqa: F401

        self._thread = threading.Thread(target=self._start)
        self._thread.start()

    def wait(self) -> None:
        """Until they are there, or could not be started; whoever uses them will be told why."""
        self._thread.join()

    def let_go(self) -> None:
        """End them: nothing is left for them to do. Does not wait for it."""
        self._thread.join()
        if self._executor is not None:
            with contextlib.suppress(Exception):
                self._executor.shutdown(wait=False)

    def _start(self) -> None:
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor

        with contextlib.suppress(Exception), settings():
            Parallel(n_jobs=self._jobs, batch_size=1)(delayed(_ready)() for _ in range(self._jobs))
            self._executor = get_reusable_executor(reuse=True)


def start_workers(jobs: int | None, weight: int) -> Starting | None:
    """Start the processes for reading so many bytes; None where it will not take several, or might not."""
    jobs = processes_for(weight, jobs)
    return None if jobs < 2 or weight < WORTH_WORKERS else Starting(jobs)


def _ready() -> None:
    """Load what reading anything needs."""
    import datalint.measures.sample  # noqa: F401 - loaded, not used
