"""The networks: functions that return a plain `keras.Model`.

In: patches `(batch, 32, 32, 1)`, grey levels 0..255. Out: clean patches of the same shape (U-Nets), or descriptors
`(batch, 128)` (L2-Net, TFeat, HyNet).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
