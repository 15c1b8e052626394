from .noisy_clean import NoisyClean as NoisyClean
from .pairs import Pairs as Pairs
from .triplets import Triplets as Triplets
