"""Exercises of lesson 8."""

EXERCISES = ()
