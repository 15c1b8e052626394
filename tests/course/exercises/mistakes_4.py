"""Mistakes in the exercises of lesson 4, and what the checks say of them."""

PLANTED = ()
