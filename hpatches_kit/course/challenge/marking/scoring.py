"""Score a folder of submissions, and write everything that follows from the scores."""

import warnings
from pathlib import Path

from hpatches_kit._support.atomic import atomic_folder, check_replaceable
from hpatches_kit._support.disk import check_writable
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.benchmark.tie_warnings import CollapseWarning
from hpatches_kit.course.challenge.dealing.halves import HALVES
from hpatches_kit.course.challenge.dealing.key_files import load_key
from hpatches_kit.course.challenge.marking.copies import find_copies
from hpatches_kit.course.challenge.marking.ranking import compare, ranks, tied_ranks
from hpatches_kit.course.challenge.marking.results import Marker
from hpatches_kit.course.challenge.pages.feedback import write_feedback
from hpatches_kit.course.challenge.pages.site import write_site
from hpatches_kit.course.challenge.pages.tables import score_table, write_table
from hpatches_kit.course.challenge.submissions.folders import find_submissions

DIGITS = 12 * "[0-9a-f]"
FILES = ("scores.csv", f"*-{DIGITS}.md", "index.html", f"{DIGITS}.html")  # that `score` writes


def score(submissions, key, out, public_only=False, references=None, progress=True):
    """Score submissions, and write the table, the feedback files and the page.

    Args:
        submissions: folder with `NAME.npz` and `NAME.json` of each participant, or with a subfolder
            for each; see `find_submissions`.
        key: file that `make` wrote.
        out: folder for the results, replaced if this function wrote it:

            - `scores.csv`: every submission, best first, with problems and possible copies;
            - `feedback/`: a file for each participant;
            - `site/index.html`: the page to publish. It shows names of model cards, no file names.
        public_only: score the public half alone, for a page that is shown before the deadline.
        references: folder of submissions that are shown without a rank, such as a baseline.
        progress: show progress bars.

    Each submission is read in a limited process of its own. One that cannot be scored gets a
    sentence with what is wrong and what to do, and stops no other.

    Submissions are ranked by the mean of the three tie-neutral scores on the private half, or on
    the public half with `public_only`.

    Returns the list of `Result`, best first, then references, then those with a problem; and the
    table of `scores.csv`. Raises FileNotFoundError and UserError for a missing folder, a folder
    without submissions, a wrong key and an `out` inside of `submissions`; FileExistsError if `out`
    contains other files.
    """
    out = Path(out).expanduser()
    if out.resolve().is_relative_to(Path(submissions).expanduser().resolve()):
        raise UserError(
            f"The results would lie in {submissions}, where the next call would take them for a"
            " submission: choose another folder."
        )
    check_replaceable(out, FILES)
    check_writable(out)
    entries = [(entry, False) for entry in find_submissions(submissions)]
    if references is not None:
        entries += [(entry, True) for entry in find_submissions(references)]
    key = load_key(Path(key).expanduser())
    marker = Marker(key, HALVES[:1] if public_only else HALVES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # becomes a note
        results = parallel_map(
            lambda entry: marker.mark(*entry), entries, "Scoring", progress, "submission"
        )
        results += marker.references()
    results = _rank(results)
    table = score_table(results)
    with atomic_folder(out, FILES) as partial_folder:
        write_table(table, partial_folder / "scores.csv")
        write_feedback(results, partial_folder / "feedback")
        write_site(results, key, partial_folder / "site")
    return results, table


def _rank(results):
    """Fill in ranks, ties and copies; sort the results as `score` returns them."""
    scored = [result for result in results if result.halves]
    ranked = [result for result in scored if not result.is_reference]
    scored.sort(key=lambda result: (result.is_reference, -result.ranking.mean))
    ranked.sort(key=lambda result: -result.ranking.mean)
    numbers = ranks([result.ranking.mean for result in ranked])
    if ranked:
        tied = tied_ranks([result.ranking.draws for result in ranked], numbers)
        for result, rank, ties in zip(ranked, numbers, tied):
            result.rank, result.tied = rank, ties
        _compare_with_references(ranked, [result for result in scored if result.is_reference])
    compared = [k for k, result in enumerate(scored) if result.profile is not None]
    if compared:
        for k, copies in zip(compared, find_copies([scored[k].profile for k in compared])):
            scored[k].copies = [compared[other] for other in copies]
    return scored + [result for result in results if not result.halves]


def _compare_with_references(ranked, references):
    """Fill in `against`."""
    words = {1: "above", 0: "tied with", -1: "below"}
    for reference in sorted(references, key=lambda reference: reference.ranking.mean):
        order = compare([result.ranking.draws for result in ranked], reference.ranking.draws)
        for result, sign in zip(ranked, order.tolist()):
            result.against[reference.name] = words[sign]
