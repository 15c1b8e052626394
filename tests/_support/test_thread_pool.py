import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from hpatches_kit._support.thread_pool import parallel_map


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_results_stand_in_the_order_of_the_items_and_errors_are_raised():
    assert parallel_map(lambda x: x**2, range(5), "Squares") == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda x: 1 / x, [1, 0], "Ratios")


def test_matrix_products_have_one_thread_inside_and_what_they_had_afterwards():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        inside = parallel_map(lambda _: blas_threads(), range(4), "")
        assert all(count == 1 for found in inside for count in found)
        with ThreadPoolExecutor(3) as pool:  # three that begin and end at different times
            list(pool.map(lambda k: parallel_map(time.sleep, [0.02 * k] * 3, ""), range(1, 4)))
        assert blas_threads() == before


def test_loops_are_compiled_where_nothing_can_be_kept(tmp_path):
    """As on a cluster: neither the folder of the package nor the home can be written."""
    code = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "from hpatches_kit.benchmark.distances import exact_distance\n"
        "import numpy as np\n"
        "print(exact_distance(np.zeros(2), np.array([3.0, 4.0]), False))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "5.0", done.stderr
