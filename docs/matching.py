"""Draw `docs/matching.png`: two views of a built-in photograph, matched by the pretrained descriptor.

python docs/matching.py
"""

import sys
from pathlib import Path

from pipeline import PHOTOGRAPH, save

import hpatches_kit as hk

IMAGE = 4  # of the sequence, after the reference
LINES = 40  # of the matches that agree; all points are drawn


def draw(seed=0):
    """Match two images of a virtual viewpoint sequence. Returns the figure."""
    photograph = hk.images.photograph(PHOTOGRAPH)
    sequence = hk.images.viewpoint_sequence(f"v_{PHOTOGRAPH}", photograph, seed)
    result = hk.match(sequence.images[0], sequence.images[IMAGE])
    return hk.plots.matches(result, sequence.homographies[IMAGE - 1], lines=LINES)


if __name__ == "__main__":
    save(draw(), *sys.argv[1:] or [Path(__file__).with_suffix(".png")], dpi=80)
