"""The command `hpatches course`: the challenge."""

from hpatches_kit.cli.challenge import add_challenge


def add_course(commands):
    """Add `course` and its subcommands to the commands of a parser."""
    command = commands.add_parser(
        "course",
        help="the challenge: deal patches, score submissions",
        description="Run a challenge: deal patches, score submissions.",
    )
    subcommands = command.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_challenge,):
        add(subcommands)
