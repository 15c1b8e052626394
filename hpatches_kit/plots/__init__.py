"""The figures and interactive figures of the notebooks.

In: patches, descriptors, scores, logs. Out: a closed matplotlib `Figure`: a notebook cell that ends
in the call shows it once.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
