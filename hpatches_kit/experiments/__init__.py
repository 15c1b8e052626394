"""Every row of every table of the two reports, as resumable runs.

In: rows (`Denoiser`, `Descriptor`), a patch set, a scale, seeds. Out: a folder for each run, and
tables, figures and conclusions of many runs.

    hpatches reproduce A-table-2 --data photos --scale quick --seeds 3

A row of your own:

    row = hk.experiments.Descriptor("hynet-loss", loss="HyNetLoss", optimizer="Nadam")
    hk.experiments.run(row, "results/reports", data="photos", scale="quick")["scores"]
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
