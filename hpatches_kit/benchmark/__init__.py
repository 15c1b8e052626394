"""The HPatches benchmark: verification, matching and retrieval (Balntas et al., CVPR 2017).

The benchmark sees descriptors, never a model. It needs neither Keras nor TensorFlow.
"""

from hpatches_kit.benchmark.collapse import CollapseWarning
from hpatches_kit.benchmark.comparison import compare, table
from hpatches_kit.benchmark.scores import Scores, evaluate, load, save
from hpatches_kit.benchmark.task_files import read_tasks, write_tasks
from hpatches_kit.benchmark.tasks import Tasks, generate
from hpatches_kit.benchmark.verification import verification_distances

__all__ = [
    "CollapseWarning",
    "Scores",
    "Tasks",
    "compare",
    "evaluate",
    "generate",
    "load",
    "read_tasks",
    "save",
    "table",
    "verification_distances",
    "write_tasks",
]
