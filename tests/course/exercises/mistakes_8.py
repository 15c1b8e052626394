"""Mistakes in the exercises of lesson 8, and what the checks say of them."""

PLANTED = ()
