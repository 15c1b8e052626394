"""The three tasks, in the order of every table. A small file, so that `hpatches --help` is fast."""

TASKS = ("verification", "matching", "retrieval")
PROTOCOL_VERSION = 1  # raise it when scores change: it is part of the key of every trained run
