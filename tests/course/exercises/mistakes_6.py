"""Mistakes in the exercises of lesson 6, and what the checks say of them."""

PLANTED = ()
