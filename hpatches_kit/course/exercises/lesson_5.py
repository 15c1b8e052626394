"""Exercises of lesson 5: L2-Net, triplet losses, distances, and mining."""

from hpatches_kit.course.exercises.lesson_5_losses import DISTANCES, TRIPLET_LOSS
from hpatches_kit.course.exercises.lesson_5_mining import HARDEST_NEGATIVES, PERCENTILE_NEGATIVES
from hpatches_kit.course.exercises.lesson_5_network import L2NET

EXERCISES = (L2NET, TRIPLET_LOSS, DISTANCES, HARDEST_NEGATIVES, PERCENTILE_NEGATIVES)
