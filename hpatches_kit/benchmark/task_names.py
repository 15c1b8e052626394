"""The three tasks, in the order of every table; a separate file, so that `--help` imports no more."""

TASKS = ("verification", "matching", "retrieval")
PROTOCOL_VERSION = 1  # raise it when scores change: it is part of the key of every trained run
