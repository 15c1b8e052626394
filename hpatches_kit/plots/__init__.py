"""The figures of the notebooks. Each function returns a closed `Figure`: a cell shows it once."""

from hpatches_kit.plots.benchmark import distances, neighbours, pools, precision_recall, scores
from hpatches_kit.plots.data import inaccuracy, lengths, light, noise, point, sequence
from hpatches_kit.plots.patches import patch_rows, triplets, views
from hpatches_kit.plots.training import curves

__all__ = [
    "curves",
    "distances",
    "inaccuracy",
    "lengths",
    "light",
    "neighbours",
    "noise",
    "patch_rows",
    "point",
    "pools",
    "precision_recall",
    "scores",
    "sequence",
    "triplets",
    "views",
]
