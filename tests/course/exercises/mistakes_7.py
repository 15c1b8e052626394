"""Mistakes in the exercises of lesson 7, and what the checks say of them."""

PLANTED = ()
