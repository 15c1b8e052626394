"""The command line: `hpatches evaluate DESCRIPTORS`, `hpatches data make PHOTOS`, `hpatches reproduce`."""

import argparse
import sys

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.version import __version__
from hpatches_kit.cli.data import add_data
from hpatches_kit.cli.evaluate import add_evaluate
from hpatches_kit.cli.reproduce import add_reproduce


def main(arguments=None):
    """Run one command.

    Returns:
        The exit status: 0, or 2 for an error that the user can fix. All other errors show their traceback.
    """
    options = make_parser().parse_args(arguments)
    try:
        options.run(options)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def make_parser():
    """The parser of all commands; nothing slow is imported before a command runs."""
    parser = argparse.ArgumentParser("hpatches", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_evaluate(commands)
    add_data(commands)
    add_reproduce(commands)
    return parser
