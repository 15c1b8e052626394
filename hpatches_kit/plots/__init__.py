"""The figures of the notebooks. Each function returns a closed `Figure`: a cell shows it once."""

from hpatches_kit.plots.benchmark import distances, neighbours, pools, precision_recall, scores
from hpatches_kit.plots.patches import patch_rows, triplets, views
from hpatches_kit.plots.training import curves

__all__ = [
    "curves",
    "distances",
    "neighbours",
    "patch_rows",
    "pools",
    "precision_recall",
    "scores",
    "triplets",
    "views",
]
