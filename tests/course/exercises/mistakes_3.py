"""Mistakes in the exercises of lesson 3, and what the checks say of them."""

PLANTED = ()
