"""Kill processes at random times: nothing is lost, and what is resumed ends with the same bytes."""

import os
import random
import shutil
import signal
import time

from campaigns.lying_server import mirror
from campaigns.outcomes import must_succeed, outcome_of, result_of
from campaigns.work import WORK

IN_THE_MIDDLE = ", in the middle"  # the end of the label if the work was unfinished


def run(folder, kills=30, seed=0, work=WORK, **limits):
    """Kill each kind of work at random times, `kills` times each; returns `{label: (outcome, text)}`.

    After each kill the work is done again: it resumes, or starts again. Its result has to be that
    of work without interruption.
    """
    rng, outcomes = random.Random(seed), {}
    with mirror():
        for name, (begin, result) in work.items():
            expected, seconds = _without_interruption(folder / name, begin, result)
            for k in range(kills):
                place = _new(folder / name)
                moment = rng.uniform(0, seconds)
                in_the_middle = _kill_after(moment, begin, place)
                outcome = outcome_of(result, place, (), expected, **limits)
                where = IN_THE_MIDDLE if in_the_middle else ", at the end"
                outcomes[f"{name}: kill {k}{where}"] = must_succeed(outcome)
            shutil.rmtree(folder / name)
    return outcomes


def _new(place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def _without_interruption(place, begin, result):
    """The result of work without interruption, and how many seconds the work takes."""
    began = time.perf_counter()
    result_of(begin, _new(place))
    seconds = time.perf_counter() - began
    return result_of(result, place), seconds


def _kill_after(seconds, begin, place):
    """Begin work in a new process and kill it; returns whether it was unfinished."""
    child = os.fork()
    if not child:
        try:
            begin(place)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
