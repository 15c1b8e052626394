"""Two processes do the same work in the same folder at once: both succeed, with the same result."""

import shutil

from campaigns.lying_server import mirror
from campaigns.outcomes import must_succeed, outcomes_of, result_of
from campaigns.work import WORK


def run(folder, times=10, work=WORK, **limits):
    """Do each kind of work in two processes, `times` times; returns `{label: (outcome, text)}`."""
    outcomes, place = {}, folder / "place"
    with mirror():
        for name, (begin, result) in work.items():
            place.mkdir()
            expected = result_of(result, place)  # without another process
            for k in range(times):
                shutil.rmtree(place)
                place.mkdir()
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
