"""The version of the kit, kept here alone."""

__version__ = "0.1.0"
