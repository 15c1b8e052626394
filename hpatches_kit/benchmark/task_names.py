"""Names of tasks and protocols, in the order of every table. Small, so that `--help` is fast."""

TASKS = ("verification", "matching", "retrieval")
PROTOCOL_NAMES = ("python", "matlab", "paper")  # see protocols.py
PROTOCOL_VERSION = 1  # raise it when scores change: it is part of the key of every trained run
