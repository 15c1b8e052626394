"""The challenge: descriptors of patches without labels, handed in as files and ranked.

In `make`: photographs. Out: a folder for the participants, and a secret key for the teacher.
In `score`: submissions and the key. Out: scores, feedback files and a static page.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
