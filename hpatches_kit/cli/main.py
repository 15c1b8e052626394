"""The program `hpatches`."""

import argparse
import sys

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.processor import speed_up_tensorflow
from hpatches_kit._support.version import __version__
from hpatches_kit.cli.course import add_course
from hpatches_kit.cli.data import add_data
from hpatches_kit.cli.evaluate import add_evaluate
from hpatches_kit.cli.match import add_match
from hpatches_kit.cli.reproduce import add_reproduce


def main(arguments=None):
    """Run one command, given as a list of words; None takes them from the command line.

    Returns the exit status: 0, or 2 for an error that the user can fix, printed as one line. Any
    other error shows its traceback.
    """
    options = make_parser().parse_args(arguments)
    speed_up_tensorflow()
    try:
        options.run(options)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def make_parser():
    """Make the parser of all commands, without slow imports: these wait until a command runs."""
    parser = argparse.ArgumentParser(
        "hpatches",
        description="Score descriptors, prepare patches, match pictures, and train the tables of"
        " the two reports.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_evaluate(commands)
    add_data(commands)
    add_match(commands)
    add_reproduce(commands)
    add_course(commands)
    return parser
