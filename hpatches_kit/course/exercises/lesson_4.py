"""Exercises of lesson 4."""

EXERCISES = ()
