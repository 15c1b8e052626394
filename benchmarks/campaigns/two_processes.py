"""Two processes do the same work in the same folder at once: both succeed, with the same result."""

import shutil

from campaigns.outcomes import must_succeed, outcomes_of, result_of
from campaigns.work import WORK


def run(folder, times=10, work=WORK, **limits):
    """Do each kind of work in two processes, `times` times; returns `{label: (outcome, text)}`."""
    outcomes = {}
    for name, (begin, result) in work.items():
        for k in range(times + 1):
            place = folder / name
            place.mkdir(parents=True)
            if k == 0:  # without another process
                result_of(begin, place)
                expected = result_of(result, place)
            else:
                both = outcomes_of([_done(begin)] * 2, place, (), "done", **limits)
                after = outcomes_of([result], place, (), expected, **limits)
                for part, outcome in zip(("first", "second", "result"), both + after):
                    outcomes[f"{name}: {k}, {part}"] = must_succeed(outcome)
            shutil.rmtree(place)
    return outcomes


def _done(begin):
    def work(place):
        begin(place)
        return "done"

    return work
