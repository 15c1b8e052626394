"""The command `hpatches course`: copies of the lessons, and the challenge."""

from hpatches_kit.cli.challenge import add_challenge
from hpatches_kit.cli.copies import add_make


def add_course(commands):
    """Add `course` and its subcommands to the commands of a parser."""
    command = commands.add_parser(
        "course",
        help="copies of the lessons, and the challenge",
        description="Copy the lessons for a course, and run its challenge.",
    )
    subcommands = command.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_make, add_challenge):
        add(subcommands)
