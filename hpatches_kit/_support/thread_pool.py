"""The cores of this machine, and independent pieces of work side by side on all of them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from hpatches_kit._support.processor import cores


def parallel_map(function, items, title, progress=True, unit="it"):
    """`[function(item) for item in items]`, one thread a core; the first error is raised.

    Only for functions that spend their time in NumPy, SciPy or compiled loops, which let other
    threads work.
    """
    items = list(items)
    with _one_thread_a_product(), ThreadPoolExecutor(cores()) as pool:
        try:
            done = pool.map(function, items)
            bar = {"unit": unit, "disable": not progress, "delay": 2, "leave": False}
            return list(tqdm(done, title, len(items), **bar))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _Limit:  # of the whole process: set by whoever comes first, lifted by whoever leaves last
    lock, users, limits = Lock(), 0, None


@contextmanager
def _one_thread_a_product():
    """One thread for each matrix product: the threads here already fill the cores."""
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
