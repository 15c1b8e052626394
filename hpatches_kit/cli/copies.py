"""The command `hpatches course make`: copies of the lessons."""

from hpatches_kit import course


def add_make(commands):
    """Add `make` to the commands of `hpatches course`."""
    command = commands.add_parser(
        "make",
        help="copy the lessons for learners, or with solutions",
        description="Copy the lessons without outputs, with stubs where learners write code.",
        epilog="The checks of a copy need nothing but hpatches_kit: there is no server.",
    )
    command.set_defaults(run=make)
    add = command.add_argument
    add("out", metavar="OUT", help="folder for the copies")
    add("--solutions", action="store_true", help="with the solutions, for teachers")
    add("--otter", action="store_true", help="with the marks of otter-grader, for `otter assign`")
    text = "of the lessons; default: notebooks of the checkout"
    add("--notebooks", metavar="FOLDER", help=text)  # course.NOTEBOOKS would import nbformat here


def make(options):
    """Copy the lessons, and say where they are."""
    notebooks = options.notebooks or course.NOTEBOOKS
    copies = course.make_copies(options.out, options.solutions, options.otter, notebooks)
    print(f"{len(copies)} lessons in {options.out}")
