"""The course: what teachers and learners use around the lessons.

In: patches, descriptors, and the files of participants. Out: a challenge, and its marks.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
