"""Scores for the cards of pretrained networks, beside those of baselines on the same patches.

A score says little without the patches it is of: each is a dictionary with

- `data`: the test photographs of a built-in patch set, or the names of real image sequences;
- `points`, and `points per sequence`, the median: matching is harder the more points share one;
- `kind`: `"clean"`, `"noisy"` or `"denoised"`;
- `descriptor`: the name of a pretrained network or of a baseline, with the mean average precision
  of each task; or `denoiser`, with PSNR in dB, of all patches and of each noise level.
"""

from importlib.util import find_spec

import numpy as np

from hpatches_kit import benchmark
from hpatches_kit.datasets.denoised import denoise
from hpatches_kit.datasets.loading import load
from hpatches_kit.descriptors import baselines
from hpatches_kit.descriptors.describe_patches import describe
from hpatches_kit.experiments.run_data import check_not_shared, load_sides
from hpatches_kit.metrics.denoising_quality import quality

BASELINES = {"pixels": baselines.pixels, "RootSIFT": baselines.rootsift}
NOISY_INPUT = "noisy input"  # the baseline of denoisers: patches that nothing was done to
PSNR = "PSNR in dB"
KEY = "data", "points", "kind", "descriptor", "denoiser"
LEVELS = "reference", "easy", "hard", "tough"


def patches_of_test_side(data, sequences=None):
    """The test side of a patch set: `{what it is: PatchSet}`.

    `sequences` is the number of whole sequences to draw; default: all.
    """
    *_, test_set = load_sides(data)
    if sequences is None or sequences >= len(test_set.names):
        return {f"test photographs of {data}": test_set}
    title = f"test photographs of {data}, {sequences} of {len(test_set.names)} sequences"
    return {title: test_set.sample(sequences, seed=0)}


def patches_of_real_sequences(real, data):
    """Patches of real image sequences: `{names of the sequences: PatchSet}`.

    `real` is a name or a path for `hk.load`. Raises UserError if the patches share sequences or
    places with those that networks were trained on or chosen by, the first two sides of `data`.
    """
    patches = load(real)
    check_not_shared(patches, real, data)
    return {", ".join(patches.names): patches}


class CardScores:
    """Scores networks, and the baselines beside them, on the same patch sets.

    Both methods yield one score after another, because a set takes minutes on a CPU.

    Args:
        sets: `{what it is: PatchSet}`, of `patches_of_test_side` and `patches_of_real_sequences`.

    Baselines are scored once, also if several networks are.
    """

    def __init__(self, sets):
        self.sets, self.baselines = sets, {}

    def of_denoiser(self, model, name="denoiser", known=()):
        """PSNR of noisy patches and of the denoised ones, as `hk.denoise` rounds them.

        `known` are scores of the same network, which are not computed again.
        """
        known = {key_of(score): score for score in known}
        for title, patches in self.sets.items():
            for kind, label in (("noisy", NOISY_INPUT), ("denoised", name)):
                entry = about(title, patches, kind) | {"denoiser": label}
                if key_of(entry) in known:
                    yield known[key_of(entry)]
                    continue
                shown = denoise(model, patches) if kind == "denoised" else patches
                psnr = quality(shown, kind=kind)[PSNR].round(2)
                levels = {f"{PSNR}, {level}": float(psnr[level]) for level in LEVELS}
                yield entry | {PSNR: float(psnr["all"])} | levels

    def of_descriptor(
        self, model, name="descriptor", kinds=("clean", "noisy"), denoiser=None, known=()
    ):
        """Mean average precision of a descriptor and of the baselines, on patches of these kinds.

        `denoiser` is necessary for the kind `"denoised"`; `known` is as for `of_denoiser`.
        """
        known = self.baselines | {key_of(score): score for score in known}
        models = available_baselines() | {name: model}
        for title, patches in self.sets.items():
            for kind in kinds:
                for label, describer in models.items():
                    entry = about(title, patches, kind) | {"descriptor": label}
                    key = key_of(entry)
                    if key not in known:
                        shown = denoise(denoiser, patches) if kind == "denoised" else patches
                        known[key] = entry | evaluate(describer, shown, kind, label)
                    if label != name:
                        self.baselines[key] = known[key]
                    yield known[key]


def key_of(score):
    """What tells the scores of a card apart."""
    return tuple(score.get(key) for key in KEY)


def evaluate(model, patches, kind, name):
    """The mean average precision of each task, rounded as on the cards."""
    scores = benchmark.evaluate(describe(model, patches, kind, name=name), progress=False)
    return {task: round(float(value), 3) for task, value in scores.by_task.items()}


def about(title, patches, kind):
    """The entries of a score that say what it is of."""
    density = int(np.median(list(patches.lengths.values())))
    of_set = {"data": title, "points": len(patches), "points per sequence": density}
    return of_set | {"kind": kind}


def available_baselines():
    """`{name: function of patches}` of the baselines that can run: RootSIFT needs OpenCV."""
    return {name: f for name, f in BASELINES.items() if name != "RootSIFT" or find_spec("cv2")}
