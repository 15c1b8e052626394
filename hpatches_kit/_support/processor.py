"""The processor of this machine."""

import math
import os
import platform
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container on Linux: "200000 100000" or "max 100000"


def cores():
    """Number of processor cores that this process may use.

    Respects the affinity of the process and, on Linux, the CPU quota of a container (cgroup v2).
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    try:
        quota, period = map(int, QUOTA.read_text().split())
    except (OSError, ValueError):  # no control group, or no quota
        return allowed
    return min(allowed, math.ceil(quota / period))


def processor():
    """Name of the processor, as far as the system tells it."""
    description = Path("/proc/cpuinfo")
    for line in description.read_text().splitlines() if description.exists() else []:
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor() or platform.machine()
