"""One thread for linear algebra: sums of several differ in their last digits with the number of cores."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_thread(*, models: bool = True) -> Iterator[None]:
    """Run linear algebra on one thread, whatever the machine and its environment; afterwards all is as before.

    The matrices are small: more threads than one spend their time waiting for each other.

    Args:
        models: whether models are trained. Only libraries that are loaded can be limited, and SciPy, which takes long to
            load, brings a BLAS of its own in addition to NumPy's.
    """
    if models:
        import sklearn.utils  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        yield
