"""The HPatches benchmark: verification, matching and retrieval (Balntas et al., CVPR 2017).

The benchmark sees descriptors, never a model. It needs neither Keras nor TensorFlow.
"""

from hpatches_kit.benchmark.scores import Scores, evaluate, save, table
from hpatches_kit.benchmark.tasks import Tasks, generate

__all__ = ["Scores", "Tasks", "evaluate", "generate", "save", "table"]
