"""The version of the kit, kept here alone."""

__version__ = "0.2.0"
