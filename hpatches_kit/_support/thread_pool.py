"""A thread pool with a progress bar."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from hpatches_kit._support.deadline import time_check
from hpatches_kit._support.processor import cores


def parallel_map(function, items, title, progress=True, unit="it"):
    """`[function(item) for item in items]`, with one thread per core; raises the first error.

    It is faster only for functions that release the global interpreter lock: those that spend
    their time in NumPy, SciPy or compiled loops. No step begins after the end of a `time_limit`,
    which then raises UserError.
    """
    items, check_time = list(items), time_check()

    def step(item):
        check_time()
        return function(item)

    with _single_threaded_products(), ThreadPoolExecutor(cores()) as pool:
        try:
            results = pool.map(step, items)
            bar = {"unit": unit, "disable": not progress, "delay": 2, "leave": False}
            return list(tqdm(results, title, len(items), **bar))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _Limit:
    """The limit of this process: the first pool sets it, the last one removes it."""

    lock, users, limits = Lock(), 0, None


@contextmanager
def _single_threaded_products():
    """Limit matrix products to one thread each, because the pool already uses all cores."""
    with _Limit.lock:
        if not _Limit.users:
            _Limit.limits = threadpool_limits(1, "blas")
        _Limit.users += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if not _Limit.users:
                _Limit.limits.restore_original_limits()
