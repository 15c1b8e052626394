"""The rules of the two official evaluators of HPatches, as nine settings.

The authors published a Python and a MATLAB evaluator. They score the same descriptors and task
lists, and disagree by several percent. Each setting below is one difference between them, so that
its effect can be measured alone:

    protocol = hk.benchmark.Protocol(precision_at_positives=True)
    scores = hk.benchmark.evaluate(hk.describe(model, test), protocol=protocol)

`docs/two-protocols.md` shows the effect of each. References: `python/utils/tasks.py` and
`matlab/+bench` of github.com/hpatches/hpatches-benchmark, `vl_pr.m` of VLFeat.
"""

import dataclasses

from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.precision_recall import average_precision, mean_precision
from hpatches_kit.benchmark.task_names import PROTOCOL_NAMES


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Rules of scoring; the defaults are those of the Python evaluator.

    Attributes:
        precision_at_positives: AP is the mean precision at the positives, not the area under the
            precision-recall curve by the trapezoid rule.
        squared_distances: verification ranks squared L2 distances in single precision, not L2
            distances rounded to single precision. The latter have more ties.
        positives_first: at equal distance, verification ranks the positive first, not the negative.
        imbalance_by_negatives: verification takes one positive per five negatives, not as many of
            the stacked lists as 1.2 times the positives. Equal for lists of equal lengths.
        balanced_ap: verification also reports the AP of all positives and all negatives.
        categories: matching averages illumination sequences (`i_..`) and viewpoint sequences
            (`v_..`) separately; the score is the mean of both.
        ratio_ap: matching also reports the AP of a ranking by the ratio of the distances of the
            second and the first nearest patch.
        distractors: None: retrieval is the mean over the pools of the task lists. A number or
            `"all"`: it ranks one pool, with this many distractors from the beginning of the list.
        mask_after_cut: retrieval cuts the list to the size of the pool before it leaves out the
            distractors of the query's own sequence, so that a pool is smaller than its name says.

    Raises UserError for other values of `distractors`.
    """

    precision_at_positives: bool = False
    squared_distances: bool = False
    positives_first: bool = False
    imbalance_by_negatives: bool = False
    balanced_ap: bool = False
    categories: bool = False
    ratio_ap: bool = False
    distractors: int | str | None = None
    mask_after_cut: bool = False

    def __post_init__(self):
        number = self.distractors
        if number not in (None, "all") and (type(number) is not int or number < 1):
            raise UserError(f"distractors={number!r}: expected a positive integer, 'all' or None.")

    @property
    def name(self):
        """The nearest of `"python"`, `"matlab"`, `"paper"`, and the settings that differ from it."""

        def changes(known):
            return [
                f"{field}={value!r}"
                for field, value in vars(self).items()
                if value != getattr(known, field)
            ]

        known, changed = min(
            ((name, changes(protocol)) for name, protocol in PROTOCOLS.items()),
            key=lambda item: len(item[1]),
        )
        return f"{known} with {', '.join(changed)}" if changed else known

    @property
    def precision(self):
        """The function that computes AP from ranks, see `precision_recall.py`."""
        return mean_precision if self.precision_at_positives else average_precision


PYTHON = Protocol()
# The default of the MATLAB evaluator, which limits the distractors to save memory.
MATLAB = Protocol(
    precision_at_positives=True,
    squared_distances=True,
    positives_first=True,
    imbalance_by_negatives=True,
    balanced_ap=True,
    categories=True,
    ratio_ap=True,
    distractors=2000,
    mask_after_cut=True,
)
# The MATLAB evaluator as `run_article.m` calls it: the tables of the paper, on the split `full`.
PAPER = dataclasses.replace(MATLAB, distractors="all")
PROTOCOLS = dict(zip(PROTOCOL_NAMES, (PYTHON, MATLAB, PAPER)))


def find_protocol(protocol):
    """A `Protocol` from its name, or the `Protocol` itself. Raises UserError for other values."""
    if isinstance(protocol, Protocol):
        return protocol
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        names = ", ".join(map(repr, PROTOCOLS))
        raise UserError(f"Unknown {protocol=}: expected {names} or a Protocol.")
    return PROTOCOLS[protocol]
