"""The course: what teachers and learners use around the lessons.

In: what a learner writes, patches, and the files of participants. Out: verdicts that say what is
wrong, hints and solutions, copies of the lessons, a challenge, and its marks.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
