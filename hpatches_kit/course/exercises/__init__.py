"""The exercises: a learner writes a function or a class, and a check says what is wrong with it.

In: what a learner wrote. Out: a verdict with a reason. Files are named by lesson. The solutions
are real functions, from which the stubs in the notebooks are made.
"""
