"""The commands of `hpatches` (or `python -m hpatches_kit`): evaluate, data, match, reproduce, course.

In: the arguments of a command. Out: printed tables, and the files that options name.
"""
