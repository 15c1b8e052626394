"""Every row of every table in the two reports, as resumable runs.

In: rows (`Denoiser`, `Descriptor`) as data, a data set, a scale, a seed. Out: run folders, tables, figures and
conclusions.

    python -m hpatches_kit reproduce A-table-2 --data photos --scale quick --seeds 3

A row of your own:

    mine = hk.experiments.Descriptor("mine", loss="HyNetLoss", optimizer="Nadam")
    hk.experiments.run(mine, "results/mine", data="photos", scale="quick")
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
