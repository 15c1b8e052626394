"""Every row of every table in the two reports, as runs that can be cut off, resumed and spread.

    python -m hpatches_kit reproduce A-table-2 --data photos --scale quick --seeds 3

A row of one's own is a `Denoiser` or a `Descriptor`, and `run` trains it:

    mine = hk.experiments.Descriptor("mine", loss="HybridSimilarity", optimizer="Nadam")
    hk.experiments.run(mine, "results/mine", data="photos", scale="quick")
"""

from hpatches_kit.experiments.engines import ENGINES, missing, run
from hpatches_kit.experiments.pages import markdown, save
from hpatches_kit.experiments.results import about, conclusions, logs, numbers, runs_of, summary
from hpatches_kit.experiments.rows import SCALES, Denoiser, Descriptor, Run, Scale, in_order
from hpatches_kit.experiments.table import Claim, Table
from hpatches_kit.experiments.tables import TABLES

__all__ = [
    "ENGINES",
    "SCALES",
    "TABLES",
    "Claim",
    "Denoiser",
    "Descriptor",
    "Run",
    "Scale",
    "Table",
    "about",
    "conclusions",
    "in_order",
    "logs",
    "markdown",
    "missing",
    "numbers",
    "run",
    "runs_of",
    "save",
    "summary",
]
