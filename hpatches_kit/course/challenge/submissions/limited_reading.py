"""Read submissions in limited processes, one process for each."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hpatches_kit.course.challenge.submissions import limits, rules
from hpatches_kit.course.challenge.submissions.model_cards import visible

READER = "hpatches_kit.course.challenge.submissions.limited_reader"
OUT_OF_TIME = 24  # SIGXCPU, which Windows does not have
MOST_OUTPUT = 1 << 16  # bytes that the process may print


@dataclass
class Reading:
    """What reading a submission gave: numbers and a card, or a problem.

    Attributes:
        values: `float32 (patches, dim)`, or None.
        card: dictionary with the fields of `MODEL_CARD`.
        problem: one or two sentences, `""` for none.
        limits: sentences on what limited the process.
    """

    values: np.ndarray | None = None
    card: dict = field(default_factory=dict)
    problem: str = ""
    limits: list = field(default_factory=list)


def read_limited(file, card, patches, challenge, is_reference=False):
    """Check one submission in a process of its own; returns a `Reading`, whatever the files hold.

    Args: as for `check_submission`.
    """
    file, card = Path(file).absolute(), Path(card).absolute()
    allowed = limits.expected_limits(rules.largest_file(patches))
    with TemporaryDirectory() as folder:
        out = Path(folder) / "values"
        job = {
            "folder": str(file.parent),
            "out": str(out),
            "limits": asdict(allowed),
            "arguments": {
                "file": file.name,
                "card": os.path.relpath(card, file.parent),
                "patches": patches,
                "challenge": challenge,
                "is_reference": is_reference,
            },
        }
        try:
            process = subprocess.run(
                # -P, and a working directory without files: a module that lies beside a submission
                # must not be imported.
                [sys.executable, "-P", "-m", READER],
                input=json.dumps(job).encode(),
                capture_output=True,
                cwd=folder,
                env=limits.environment(),
                timeout=allowed.wall_seconds,
            )
        except subprocess.TimeoutExpired:
            return Reading(problem=_too_slow(f"{allowed.wall_seconds} s"))
        return _reading(process, out, patches, allowed)


def _reading(process, out, patches, allowed):
    """The `Reading` of an ended process."""
    if process.returncode == -OUT_OF_TIME:
        return Reading(problem=_too_slow(f"{allowed.cpu_seconds} s of processor time"))
    first, _, second = process.stdout[:MOST_OUTPUT].partition(b"\n")
    # What the process of the kit printed, and the numbers that it wrote, are not files of strangers:
    # they have no name that an error could give, and the process has checked what is in them.
    try:
        held = json.loads(first)
    except ValueError:  # the process ended before it opened a file
        *_, reason = [b"no output", *process.stderr.strip().splitlines()[-1:]]
        return Reading(
            problem="The process that reads it did not start, which is not the fault of the"
            " submission: score it again. The process ended with"
            f" {visible(reason.decode(errors='replace'))[:200]!r}."
        )
    try:
        answer = json.loads(second)
    except ValueError:  # the process ended early, with a traceback or a signal
        return Reading(
            problem="Its files could not be read, for a reason that the checks do not know: save"
            " both again, with hk.course.challenge.save_submission.",
            limits=held,
        )
    if "problem" in answer:
        return Reading(problem=visible(answer["problem"]), limits=held)
    values = np.fromfile(out, "<f4").reshape(patches, answer["dim"])
    return Reading(values, answer["card"], "", held)


def _too_slow(time):
    return f"Reading it took more than {time}: save it again, with np.savez."
