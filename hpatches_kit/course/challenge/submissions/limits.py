"""Limits of a process that reads files of strangers: memory, processor time, files, network.

They are a second line of defence: the reader already checks what a file claims. Which of them a
platform can enforce differs; `apply` returns those that hold.
"""

import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hpatches_kit._support.units import format_bytes

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # namespaces, from Linux's sched.h


@dataclass
class Limits:
    """Most that reading one submission may use.

    Attributes:
        memory: bytes of address space.
        output: bytes of the largest file that it may write.
        cpu_seconds: of processor time.
        wall_seconds: until the parent process ends it.
    """

    memory: int
    output: int
    cpu_seconds: int = 30
    wall_seconds: int = 600


def apply(limits):
    """Limit this process for good; returns sentences on what holds and on what does not."""
    sentences = []
    try:
        import resource  # not on Windows
    except ImportError:
        sentences.append("memory and processor time: not limited on this platform")
    else:
        wanted = {
            "RLIMIT_AS": (limits.memory, "memory", format_bytes(limits.memory)),
            "RLIMIT_CPU": (limits.cpu_seconds, "processor time", f"{limits.cpu_seconds} s"),
            "RLIMIT_FSIZE": (limits.output, "written files", format_bytes(limits.output)),
        }
        for name, (value, what, text) in wanted.items():
            try:
                # The signal of the soft limit says why the process ended; that of the hard does not.
                hard = value + 5 if name == "RLIMIT_CPU" else value
                resource.setrlimit(getattr(resource, name), (value, hard))
                sentences.append(f"{what}: at most {text}")
            except (AttributeError, ValueError, OSError):  # macOS refuses some of them
                sentences.append(f"{what}: not limited on this platform")
    sentences.append(f"network: {'none' if _leave_network() else 'not cut off on this platform'}")
    return sentences


def _leave_network():
    """Move this process to a namespace without network devices; whether that succeeded.

    Works on Linux, as root or where users may create namespaces; many containers forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return any(unshare(flags) == 0 for flags in (NEW_NETWORK, NEW_USER | NEW_NETWORK))


def expected_limits(bytes_expected):
    """`Limits` for a submission of so many bytes.

    The zip, its bytes and the array are in memory at once; the rest is Python and NumPy.
    """
    return Limits(memory=(1 << 30) + 4 * bytes_expected, output=bytes_expected)


def environment():
    """The environment of the process: it finds this package, and NumPy starts one thread.

    Nothing is imported from the working directory, where submissions may lie.
    """
    single = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    package = str(Path(__file__).resolve().parents[4])
    paths = [path for path in sys.path if os.path.isabs(path) and path != os.getcwd()]
    paths = paths if package in paths else [package, *paths]
    return os.environ | single | {"PYTHONPATH": os.pathsep.join(paths)}
