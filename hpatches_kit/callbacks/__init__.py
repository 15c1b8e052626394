"""Callbacks for `fit`: monitoring and resumable training.

In: what a training is evaluated on, or a folder. Out: numbers in the log, warnings, figures, and files that the next
`fit` resumes from.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
