"""Read a file in a process of its own, and classify what happens.

- `refused`: an error that names the file, of the classes that the command line prints as one line;
- `equal`: the file is read, and gives what the undamaged file gives;
- `changed`: the file is read, and gives something else: a silent wrong result;
- `unnamed`: an error for users that does not name the file;
- `traceback`, `hang`, `memory`: what must not happen either.
"""

import json
import os
import resource
import select
import signal
import traceback
from collections import Counter

from hpatches_kit._support.errors import UserError

SECONDS = 60.0  # until a reader counts as hanging
MEMORY = 1 << 30  # bytes that a reader may use
SAFE = ("refused", "equal")


def outcome_of(read, path, names=(), expected=None, seconds=SECONDS, memory=MEMORY):
    """Call `read(path)` in a new process; returns the outcome and the message or the result.

    Args:
        read: function of a path; returns a text that identifies the content.
        names: one of them has to occur in an error message.
        expected: the text for the undamaged file.
        seconds, memory: limits for the process.
    """
    source, target = os.pipe()
    child = os.fork()
    if not child:
        os.close(source)
        with os.fdopen(target, "w") as stream:
            size, resident = _pages()
            resource.setrlimit(resource.RLIMIT_AS, (size + 4 * memory, size + 4 * memory))
            json.dump([resident, *_run(read, path)], stream)
            stream.flush()
        os._exit(0)
    os.close(target)
    with os.fdopen(source) as stream:
        if not select.select([stream], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
        answer = stream.read()
    peak = os.wait4(child, 0)[2].ru_maxrss * 1024
    before, kind, text = json.loads(answer) if answer else (0, "hang", f"after {seconds:.0f} s")
    if (used := peak - before) > memory and kind != "hang":
        kind, text = "memory", f"{used:,} bytes: {text}"
    if kind == "refused" and names and not any(name in text for name in names):
        kind = "unnamed"
    if kind == "accepted":
        kind = "equal" if text == expected else "changed"
    return kind, text


def _pages():
    """Bytes of address space and of memory of this process."""
    with open("/proc/self/statm") as stream:
        return [int(pages) * resource.getpagesize() for pages in stream.read().split()[:2]]


def _run(read, path):
    try:
        return "accepted", read(path)
    except (UserError, OSError) as error:
        return "refused", str(error)
    except MemoryError:
        return "memory", traceback.format_exc(limit=-3)
    except BaseException:
        return "traceback", traceback.format_exc(limit=-3)


def summary(outcomes):
    """The counts of `{label: (outcome, text)}` in one line, and a line for each unsafe outcome."""
    counts = Counter(kind for kind, _ in outcomes.values())
    lines = [", ".join(f"{count} {kind}" for kind, count in counts.most_common())]
    for label, (kind, text) in outcomes.items():
        if kind not in SAFE:
            lines.append(f"  {label}: {kind}: {' '.join(text.split())[-300:]}")
    return "\n".join(lines)
