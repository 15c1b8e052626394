"""The three tasks, in the order of every table. Apart from the rest so that `hpatches --help` imports nothing else."""

TASKS = ("verification", "matching", "retrieval")
