"""Mistakes in the exercises of lesson 2, and what the checks say of them."""

PLANTED = ()
