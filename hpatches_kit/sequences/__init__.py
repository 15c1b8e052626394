"""Image sequences and photographs, real and virtual, and the patches cut from them.

    import hpatches_kit as hk

    patches = hk.sequences.from_photographs("my_photographs")

keypoints.py finds points, images.py reads files, extraction.py cuts the 16 views of each point,
virtual.py makes a sequence of a single photograph, scenes.py does all of it for many scenes, and
photographs.py finds the scenes in a folder.
"""

from hpatches_kit.sequences.extraction import extract
from hpatches_kit.sequences.images import ImageSequence, read_grey, read_sequence
from hpatches_kit.sequences.keypoints import detect
from hpatches_kit.sequences.photographs import find, from_photographs
from hpatches_kit.sequences.virtual import lighting_sequence, viewpoint_sequence

__all__ = [
    "ImageSequence",
    "detect",
    "extract",
    "find",
    "from_photographs",
    "lighting_sequence",
    "read_grey",
    "read_sequence",
    "viewpoint_sequence",
]
