from . import opencv as opencv
from .describe_image import cut_patches as cut_patches
from .describe_image import describe_keypoints as describe_keypoints
from .geometry import estimate as estimate
from .image_matches import ImageMatches as ImageMatches
from .match_images import match as match
from .neighbours import nearest_pairs as nearest_pairs
