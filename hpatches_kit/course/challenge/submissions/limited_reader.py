"""The process that reads one submission: `python -m` this module, with a job as JSON on stdin.

It limits itself, and prints one line of JSON, the list of limits, before it opens a file. Then it
checks the two files, writes the numbers to a file, and prints another line:
`{"card": ..., "dim": ...}` or `{"problem": "..."}`.
"""

import json
import os
import sys

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.submissions.checks import check_submission
from hpatches_kit.course.challenge.submissions.limits import Limits, apply

MOST_MESSAGE = 600  # characters of a problem


def main():
    """Read the job and do it: `{"folder", "out", "limits"}`, and the arguments of `check_submission`.

    `file` and `card` are relative to `folder`, so that no message shows the teacher's folders.
    """
    job = json.load(sys.stdin)
    print(json.dumps(apply(Limits(**job["limits"]))), flush=True)
    try:
        os.chdir(job["folder"])
        values, card = check_submission(**job["arguments"])
        values.tofile(job["out"])
        answer = {"card": card, "dim": values.shape[1]}
    except (UserError, OSError) as error:
        answer = {"problem": str(error)[:MOST_MESSAGE]}
    except MemoryError:
        answer = {"problem": "Reading it needs more memory than any valid submission."}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
