"""The figures of the notebooks. Each function returns a closed `Figure`: a cell shows it once."""

from hpatches_kit.plots.benchmark import distances, neighbours, pools, precision_recall, scores
from hpatches_kit.plots.data import inaccuracy, lengths, light, noise, point, sequence
from hpatches_kit.plots.mining import distance_matrix, over, percentiles
from hpatches_kit.plots.patches import patch_rows, triplets, views
from hpatches_kit.plots.reported import reported
from hpatches_kit.plots.training import curves, ranking

__all__ = [
    "curves",
    "distance_matrix",
    "distances",
    "inaccuracy",
    "lengths",
    "light",
    "neighbours",
    "noise",
    "over",
    "patch_rows",
    "percentiles",
    "point",
    "pools",
    "precision_recall",
    "ranking",
    "reported",
    "scores",
    "sequence",
    "triplets",
    "views",
]
