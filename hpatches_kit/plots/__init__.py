"""The figures and interactive figures of the notebooks.

In: patches, descriptors, scores, logs. Out: a closed matplotlib `Figure`, which a notebook cell
shows if it ends with the call.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
