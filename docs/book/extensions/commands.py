"""The directive `commands`: the help of every command of `hpatches`, as it is printed."""

import argparse
import os

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hpatches_kit.cli.main import make_parser


class Commands(SphinxDirective):
    def run(self):
        os.environ["COLUMNS"] = "88"  # argparse breaks lines there
        sections = []
        for parser in leaves(make_parser()):
            title = nodes.title("", parser.prog)
            section = nodes.section(
                "", title, ids=[nodes.make_id(parser.prog)], names=[parser.prog]
            )
            section += nodes.literal_block("", parser.format_help(), language="none")
            sections.append(section)
        return sections


def leaves(parser):
    """Every command without commands of its own."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        return [parser]
    return [leaf for group in groups for child in group.choices.values() for leaf in leaves(child)]


def setup(app):
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
