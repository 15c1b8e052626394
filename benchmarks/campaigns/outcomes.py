"""Do something with files in a process of its own, and classify what happens.

- `refused`: an error that names the file, of the classes that the command line prints as one line;
- `equal`: the result is the expected one, such as that of the undamaged file;
- `changed`: the result is another one: a silent wrong result, or a loss;
- `unnamed`: an error for users that does not name the file;
- `traceback`, `hang`, `memory`: what must not happen either.
"""

import json
import os
import resource
import select
import signal
import time
import traceback
from collections import Counter

from hpatches_kit._support.errors import UserError

SECONDS = 60.0  # until a process counts as hanging
MEMORY = 1 << 30  # bytes that a process may use
SAFE = ("refused", "equal")


def outcome_of(read, path, names=(), expected=None, **limits):
    """Call `read(path)` in a new process; returns the outcome and the message or the result."""
    return outcomes_of([read], path, names, expected, **limits)[0]


def outcomes_of(reads, path, names=(), expected=None, seconds=SECONDS, memory=MEMORY):
    """Call functions of a path in new processes, at once; returns a list as of `outcome_of`.

    Args:
        reads: functions of a path; each returns a text that identifies the result.
        names: one of them has to occur in an error message.
        expected: the text if all is well.
        seconds, memory: limits for each process.
    """
    children = [_start(read, path, memory) for read in reads]
    end = time.monotonic() + seconds
    return [_classified(*child, names, expected, end, seconds, memory) for child in children]


def must_succeed(outcome):
    """The same outcome, but `lost` where an error is not an answer: the files are those of the kit."""
    kind, text = outcome
    return "lost" if kind == "refused" else kind, text


def result_of(read, path):
    """Call `read(path)` in a new process, which has to succeed; returns the result."""
    kind, text = outcome_of(read, path, seconds=600, memory=8 * MEMORY)
    if kind != "changed":  # than no expected text
        raise RuntimeError(f"{kind}: {text}")
    return text


def _start(read, path, memory):
    source, target = os.pipe()
    child = os.fork()
    if not child:
        os.close(source)
        with os.fdopen(target, "w") as stream:
            size, resident = _memory()
            resource.setrlimit(resource.RLIMIT_AS, (size + 4 * memory, size + 4 * memory))
            json.dump([resident, *_run(read, path)], stream)
            stream.flush()
            os._exit(0)
    os.close(target)
    return child, source


def _run(read, path):
    try:
        return "accepted", str(read(path))
    except (UserError, OSError) as error:
        return "refused", str(error)
    except MemoryError:
        return "memory", traceback.format_exc(limit=-3)
    except BaseException:
        return "traceback", traceback.format_exc(limit=-3)


def _classified(child, source, names, expected, end, seconds, memory):
    with os.fdopen(source) as stream:
        if not select.select([stream], [], [], max(end - time.monotonic(), 0))[0]:
            os.kill(child, signal.SIGKILL)
        answer = stream.read()
    peak = os.wait4(child, 0)[2].ru_maxrss * 1024
    before, kind, text = json.loads(answer) if answer else (peak, "hang", f"after {seconds:.0f} s")
    if (used := peak - before) > memory:
        kind, text = "memory", f"{used:,} bytes: {text}"
    if kind == "refused" and names and not any(name in text for name in names):
        kind = "unnamed"
    if kind == "accepted":
        kind = "equal" if text == expected else "changed"
    return kind, text


def _memory():
    """Bytes of address space and of memory of this process."""
    with open("/proc/self/statm") as stream:
        return [int(pages) * resource.getpagesize() for pages in stream.read().split()[:2]]


def is_safe(outcomes):
    """Whether nothing in `{label: (outcome, text)}` is unsafe."""
    return all(kind in SAFE for kind, _ in outcomes.values())


def summary(outcomes):
    """The counts of `{label: (outcome, text)}` in one line, and a line for each unsafe outcome."""
    counts = Counter(kind for kind, _ in outcomes.values())
    lines = [", ".join(f"{count} {kind}" for kind, count in counts.most_common())]
    for label, (kind, text) in outcomes.items():
        if kind not in SAFE:
            lines.append(f"  {label}: {kind}: {' '.join(text.split())[-300:]}")
    return "\n".join(lines)
