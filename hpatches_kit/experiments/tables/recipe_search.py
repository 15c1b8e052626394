"""The search for the recipe of the shipped descriptor: each row changes one thing."""

from dataclasses import replace

from hpatches_kit.benchmark.task_names import TASKS
from hpatches_kit.experiments.rows import Descriptor
from hpatches_kit.experiments.tables.table import (
    NOISY,
    REAL,
    Table,
    better,
    real_column,
    score_columns,
)

BASE = "The base"
SEARCH_BASE = Descriptor(
    "search-base",
    network_options={"standardise": True, "affine": False, "final_batch_norm": True},
    learning_rate=2e-3,
    cosine_decay=True,
    loss_options={"margin": 1.0, "negative": "minimum"},
    batch_options={"noise": (4, 35), "noise_share": 0.5},
    scored_on_noisy_too=True,
)


def _changed(name, **changes):
    """The base with other fields; the entries of `..._options` are added to its own."""
    for key, value in changes.items():
        if key.endswith("_options") and key != "loss_options":
            changes[key] = getattr(SEARCH_BASE, key) | value
    return replace(SEARCH_BASE, name=f"search-{name}", **changes)


ROWS = {
    BASE: SEARCH_BASE,
    "Learning rate 1e-3": _changed("rate-1e-3", learning_rate=1e-3),
    "Learning rate 4e-3": _changed("rate-4e-3", learning_rate=4e-3),
    "Dropout 0.1": _changed("dropout-0.1", network_options={"dropout": 0.1}),
    "No dropout": _changed("dropout-0", network_options={"dropout": 0.0}),
    "256 pairs per batch": _changed("256-pairs", batch_size=256),
    "512 pairs per batch": _changed("512-pairs", batch_size=512),
    "No noise": _changed("no-noise", batch_options={"noise": None}),
    "Photometric changes": _changed("photometric", batch_options={"photometric": 1.0}),
    "Flips and rotations": _changed("flips", batch_options={"augment": True}),
    "Margin 0.5": _changed("margin-0.5", loss_options={"margin": 0.5, "negative": "minimum"}),
    "SOSNet's loss": _changed("sosnet-loss", loss="SOSNetLoss", loss_options={}),
    "HyNet's loss": _changed("hynet-loss", loss="HyNetLoss", loss_options={}),
    "256-D, reduced to 128-D by PCA": _changed(
        "pca", network_options={"dim": 256}, reduced_dim=128
    ),
    "Averaged weights": _changed("average", ema_momentum=0.99),
    "Distilled from the base": _changed("distilled", teacher=SEARCH_BASE),
}
COLUMNS = score_columns(*TASKS)
for column, key in (
    ("Matching, noisy", f"{NOISY}matching"),
    (real_column("Matching, noisy"), f"{REAL}{NOISY}matching"),
):
    COLUMNS[column] = key, 1

TABLES = {
    "recipe-search": Table(
        "the recipe, one change at a time",
        COLUMNS,
        ROWS,
        {},
        [
            better(f"{label}: better than the base", label, BASE, tuple(COLUMNS))
            for label in ROWS
            if label != BASE
        ],
        note="For `--scale search`, which scores on the validation photographs. The recipe is chosen"
        " by them and by the real sequences together, so scores of a network that is trained by it"
        " are too high on both; only other pictures judge it. One network sees clean and noisy"
        " patches, without a denoiser. A row sees 40,960 patches in 10 epochs of 16 batches of 128"
        " pairs, which with all scores fits ten minutes of one ordinary core; what helps so early may"
        " not help a network that is trained for longer. Learning rates are meant for 128 pairs per"
        " batch: for the same number of patches, larger batches take fewer steps. `Distilled from the"
        " base` is trained after the base, by the distance from its descriptors as well.",
    ),
}
