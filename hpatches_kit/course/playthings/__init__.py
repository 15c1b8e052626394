"""Figures with controls, in which a learner changes a ranking, a margin, noise or a query.

In: patches, descriptors or a denoiser. Out: a `Plaything`, whose controls redraw its figure. A saved
notebook keeps the figure.
"""
