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


def keep_memory():
    """Let TensorFlow keep the memory of a step on a CPU, unless the user has set it otherwise.

    By default it returns that memory to the system, and asks for it again in the next step: training
    takes a quarter longer (`benchmarks/allocator.py`). It has no effect after the first operation.
    """
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")


def processor():
    """Name of the processor, or of its architecture if the system does not tell the name."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
