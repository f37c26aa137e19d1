"""When data sets are scanned without being asked: cron expressions, in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from datalint.core.errors import DatalintError


def following(schedule: str, now: float | None = None) -> float | None:
    """The next moment of a schedule, in seconds since 1970; None if it is empty.

    Raises:
        DatalintError: it is no cron expression, or never comes.
    """
    if not schedule:
        return None
    start = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    try:
        return next(CronSim(schedule, start)).timestamp()
    except (CronSimError, StopIteration) as error:
        raise DatalintError(
            f"{schedule[:100]!r} is no schedule: give minute, hour, day, month and weekday, such as '0 3 * * *'"
        ) from error
