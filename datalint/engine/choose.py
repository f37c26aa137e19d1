"""Which engine measures a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.engine.engine import Engine, EngineName, Serial, Work, Workers, weight_of
from datalint.engine.processes import processes_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.engine.processes import Starting


def choose(
    partitions: Sequence[Work],
    jobs: int | None,
    engine: EngineName = "local",
    scheduler: str | None = None,
    starting: Starting | None = None,
) -> Engine:
    """Where to run: in this process while the data is small or cannot be read elsewhere."""
    if engine == "dask":
        if not scheduler:
            raise DatalintError("--engine dask needs the address of the cluster: --scheduler tcp://HOST:PORT")
        from datalint.engine.cluster import Cluster

        return Cluster(scheduler, jobs or len(partitions))
    movable = all(partition.files_read for _, partition in partitions)
    weight = sum(weight_of(partition) for _, partition in partitions)
    count = min(processes_for(weight, jobs), len(partitions))
    return Workers(count, starting=starting) if count > 1 and movable else Serial()
