"""Callbacks for `fit`: resumable training and monitoring.

In: a folder, and patches or batches. Out: files from which the next `fit` resumes, metrics in the
log, warnings, and a figure that is redrawn after each epoch.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
