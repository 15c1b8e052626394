"""Mistakes in the exercises of lesson 1, and what the checks say of them.

Each is `(exercise, code of the solution, what stands there instead, a part of the reason)`.
"""

PLANTED = (("psnr", "axis=(1, 2, 3)", "axis=None", "Average over axes 1, 2 and 3"),)
