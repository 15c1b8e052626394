"""The process that reads one submission: `python -m` this module, with a job as JSON on stdin.

It limits itself, checks the two files, writes the numbers to a file, and prints one line of JSON:
`{"card": ..., "dim": ..., "limits": [...]}` or `{"problem": "...", "limits": [...]}`.
"""

import json
import os
import sys

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.submissions.checks import check_submission
from hpatches_kit.course.challenge.submissions.limits import Limits, apply


def main():
    """Read the job, `{"folder", "file", "card", "patches", "challenge", "out", "limits"}`; do it.

    `file` and `card` are relative to `folder`, so that no message shows the teacher's folders.
    """
    job = json.load(sys.stdin)
    answer = {"limits": apply(Limits(**job["limits"]))}
    try:
        os.chdir(job["folder"])
        values, card = check_submission(job["file"], job["card"], job["patches"], job["challenge"])
        values.tofile(job["out"])
        answer |= {"card": card, "dim": values.shape[1]}
    except (UserError, OSError) as error:
        answer["problem"] = str(error)
    except MemoryError:
        answer["problem"] = "Reading it needs more memory than any valid submission."
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
