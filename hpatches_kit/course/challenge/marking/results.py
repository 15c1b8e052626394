"""The result of one submission: scores, notes for the participant, and what the page shows."""

from dataclasses import dataclass, field

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.dealing.key_files import Key
from hpatches_kit.course.challenge.dealing.secret_order import secret_name, undo
from hpatches_kit.course.challenge.marking.control_rows import depends_on_pixels_alone
from hpatches_kit.course.challenge.marking.copies import distance_profile
from hpatches_kit.course.challenge.marking.failures import choose_queries, find_failures
from hpatches_kit.course.challenge.marking.half_scores import draw_half_tasks, score_half
from hpatches_kit.course.challenge.submissions.folders import Entry
from hpatches_kit.course.challenge.submissions.limited_reading import read_limited
from hpatches_kit.descriptors.baselines import pixels
from hpatches_kit.patches.views import VIEWS

CONTROLS_DIFFER = (
    "Identical patches have different descriptors. Either the rows are in another order than in"
    " patches.npz, or a descriptor depends on more than the pixels of its patch, such as random"
    " numbers, dropout, or the other patches of a batch."
)
MANY_TIES = (
    "Many of its distances are exactly equal, or its descriptors hardly differ from each other. Ties"
    " count at their expected position, so they gain nothing. Compare the descriptors of a few"
    " different patches."
)


@dataclass
class Result:
    """What marking made of one submission.

    Attributes:
        entry: where it was found.
        card: dictionary with the fields of `MODEL_CARD`; empty for a problem before it was read.
        problem: why it is not scored, and what to do; `""` if it is scored.
        limits: what limited the process that read it.
        dim: numbers per descriptor.
        halves: `{"public": HalfScores, "private": HalfScores}`, or the first alone.
        notes: sentences for the participant.
        profile: see `distance_profile`.
        failures: list of `Failure`.
        is_reference: shown for comparison, without a rank.
        page: name of its page, from which nobody can guess the name of its file.
        rank, tied: its rank, and the ranks of the others with which it is tied.
        against: `{name of a reference: "above", "tied with" or "below"}`, the lowest first.
        copies: positions of almost equal results in the list of all results.
    """

    entry: Entry
    card: dict = field(default_factory=dict)
    problem: str = ""
    limits: list = field(default_factory=list)
    dim: int = 0
    halves: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    profile: np.ndarray | None = None
    failures: list = field(default_factory=list)
    is_reference: bool = False
    page: str = ""
    rank: int | None = None
    tied: list = field(default_factory=list)
    against: dict = field(default_factory=dict)
    copies: list = field(default_factory=list)

    @property
    def name(self):
        """The name on the model card, else that of the file."""
        return self.card.get("name") or self.entry.name

    @property
    def ranking(self):
        """`HalfScores` of the half that ranks: the private one if it is scored."""
        return list(self.halves.values())[-1]


class Marker:
    """Marks submissions to one challenge. The task lists and queries are the same for all.

    Args:
        key: `Key` of the challenge.
        halves: the halves to score.
    """

    def __init__(self, key: Key, halves):
        self.key = key
        self.tasks = {half: draw_half_tasks(key, half) for half in halves}
        self.queries = choose_queries(key)

    def mark(self, entry, is_reference=False):
        """Read and score one submission; returns a `Result`, whatever its files hold."""
        page = secret_name(self.key.secret, f"{is_reference} {entry.name}")
        result = Result(entry, is_reference=is_reference, page=page, problem=entry.problem)
        if not entry.problem:
            files = entry.file, entry.card
            reading = read_limited(*files, len(self.key.rows), self.key.challenge, is_reference)
            result.card, result.problem = reading.card, reading.problem
            result.limits = reading.limits
            if not reading.problem:
                self._score(result, reading.values)
        return result

    def _score(self, result, dealt):
        result.dim = dealt.shape[1]
        result.profile = distance_profile(dealt, self.key.secret)
        if not depends_on_pixels_alone(dealt, self.key.rows):
            result.notes.append(CONTROLS_DIFFER)
        values = undo(dealt, self.key.rows, len(self.key.sequence))
        try:
            for half, tasks in self.tasks.items():
                points = self.key.points_of(half)
                result.halves[half] = score_half(self.key, half, tasks, values[points])
        except UserError as error:  # no checked file should get here, and none may stop the others
            result.halves, result.problem = {}, f"The benchmark refuses the descriptors: {error}"
        if any(scores.has_ties for scores in result.halves.values()):
            result.notes.append(MANY_TIES)
        result.failures = find_failures(self.key, values, self.queries)

    def references(self):
        """Return the `Result` of random descriptors and of pixels, for comparison."""
        rng, results = np.random.default_rng(0), []
        functions = {
            "chance": (lambda patches: rng.normal(size=(len(patches), 8)), "Random numbers.", 8),
            "pixels": (pixels, "All pixels of a patch, at mean 0 and norm 1.", 1024),
        }
        for name, (function, method, dim) in functions.items():
            card = {"name": name, "method": method}
            page = secret_name(self.key.secret, f"{name} built in")
            result = Result(Entry(name), card, dim=dim, is_reference=True, page=page)
            for half, tasks in self.tasks.items():
                patches = self.key.patches[self.key.points_of(half)]
                values = function(patches.reshape(-1, *patches.shape[2:]))
                values = np.asarray(values, np.float32).reshape(len(patches), len(VIEWS), -1)
                result.halves[half] = score_half(self.key, half, tasks, values)
            results.append(result)
        return results
