"""Mistakes in the exercises of lesson 5, and what the checks say of them."""

PLANTED = ()
