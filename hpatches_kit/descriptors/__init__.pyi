from . import baselines as baselines
from .describe_patches import describe as describe
from .descriptors import Descriptors as Descriptors
from .files import load as load
from .files import sequence_names as sequence_names
from .limits import Limits as Limits
from .whitening import pca_power_law as pca_power_law
