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
MOST_OUTPUT = 1 << 16  # characters that the process may print
MOST_MESSAGE = 600  # characters of a problem


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


def read_limited(file, card, patches, challenge):
    """Check one submission in a process of its own; returns a `Reading`, whatever the files hold.

    Args: as for `check_submission`.
    """
    file, card = Path(file).absolute(), Path(card).absolute()
    allowed = limits.expected_limits(rules.largest_file(patches))
    with TemporaryDirectory() as folder:
        out = Path(folder) / "values"
        job = {
            "folder": str(file.parent),
            "file": file.name,
            "card": os.path.relpath(card, file.parent),
            "patches": patches,
            "challenge": challenge,
            "out": str(out),
            "limits": asdict(allowed),
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
    try:
        answer = json.loads(process.stdout[:MOST_OUTPUT])
    except ValueError:  # the process ended early, with a traceback or a signal
        return Reading(
            problem="Its files could not be read, for a reason that the checks do not know: save"
            " both again, with hk.course.challenge.save_submission."
        )
    if "problem" in answer:
        problem = visible(answer["problem"])[:MOST_MESSAGE]
        return Reading(problem=problem, limits=answer["limits"])
    values = np.fromfile(out, "<f4").reshape(patches, answer["dim"])
    return Reading(values, answer["card"], "", answer["limits"])


def _too_slow(time):
    return f"Reading it took more than {time}: save it again, with np.savez."
