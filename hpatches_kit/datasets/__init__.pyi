from .denoised import denoise as denoise
from .loading import load as load
from .own_photographs import find_scenes as find_scenes
from .own_photographs import from_photographs as from_photographs
from .releases import image_sequences as image_sequences
from .splits import SEQUENCE_LENGTHS as SEQUENCE_LENGTHS
from .splits import split_lengths as split_lengths
from .splits import split_names as split_names
