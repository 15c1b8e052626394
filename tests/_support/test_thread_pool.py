"""Parallel work in threads, and compiled loops."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from processes import run_python
from threadpoolctl import threadpool_info, threadpool_limits

from hpatches_kit._support.thread_pool import parallel_map


def blas_threads():
    """Number of threads of each BLAS library that is loaded."""
    libraries = threadpool_info()
    return [library["num_threads"] for library in libraries if library["user_api"] == "blas"]


def test_results_have_the_order_of_the_items_and_errors_are_raised():
    assert parallel_map(lambda x: x**2, range(5), "Squares") == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda x: 1 / x, [1, 0], "Ratios")


def test_matrix_products_use_one_thread_inside_the_pool_and_all_threads_afterwards():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        assert set(before) != {1}
        inside = parallel_map(lambda _: blas_threads(), range(4), "")
        assert all(set(threads) == {1} for threads in inside)
        with ThreadPoolExecutor(3) as pool:  # three pools that begin and end at different times
            list(pool.map(lambda k: parallel_map(time.sleep, [0.02 * k] * 3, ""), range(1, 4)))
        assert blas_threads() == before


def test_loops_are_compiled_where_no_folder_for_the_cache_is_writable():
    """As on some clusters: neither the package nor the home folder is writable."""
    code = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from hpatches_kit._support.compiled_loops import compiled\n"
        "@compiled()\n"
        "def total(n):\n"
        "    s = 0\n"
        "    for k in range(n):\n"
        "        s += k\n"
        "    return s\n"
        "print(total(5), total.signatures)\n"
    )
    assert run_python(code) == "10 [(int64,)]\n"
