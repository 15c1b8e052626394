"""The processor of this machine."""

import math
import os
import platform
from contextlib import suppress
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container on Linux: "200000 100000" or "max 100000"


def cores():
    """Number of processor cores that this process may use, by affinity and container quota."""
    affinity = getattr(os, "sched_getaffinity", None)  # only on Linux
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = map(int, QUOTA.read_text().split())
    except (OSError, ValueError):  # no control group, or no quota
        return allowed
    return min(allowed, math.ceil(quota / period))


def speed_up_tensorflow():
    """Choose the faster settings of TensorFlow on a CPU, unless the user has chosen.

    It keeps the memory of a step, which it would return to the system and ask for again, and
    uses the convolutions of oneDNN, which are its default only on processors with AVX-512
    (`benchmarks/tensorflow_settings.py`). Call it before TensorFlow is imported.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def processor():
    """Name of the processor, or of its architecture if the system does not tell the name."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
