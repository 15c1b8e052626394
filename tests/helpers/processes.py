"""Python processes that tests start."""

import subprocess
import sys


def run_python(code, *arguments, **options):
    """Run code in a new process, which must succeed; returns what it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, **options)
    assert process.returncode == 0, process.stderr
    return process.stdout
