"""Independent pieces of work, side by side on all cores."""

import os
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits
from tqdm import tqdm


def cores():
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(function, items, title, progress=True):
    """`[function(item) for item in items]`, one thread a core; the first error is raised.

    Only for functions that spend their time in NumPy or SciPy, which let other threads work.
    """
    items = list(items)
    # One thread a matrix product: the threads here already fill the cores.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores()) as pool:
        try:
            done = pool.map(function, items)
            return list(tqdm(done, title, len(items), disable=not progress, delay=2, leave=False))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
