"""Formulas as MathML, which browsers draw themselves: no script, and nothing from the network."""

import re

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

SIZED = re.compile(r"\\([bB]igg?)([()\[\]|])")


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True}


def mathml(formula, **options):
    """Convert LaTeX. docutils knows `\\bigl` and `\\bigr`, but not `\\big`."""
    sides = {"(": "l", "[": "l", "|": "", ")": "r", "]": "r"}
    formula = SIZED.sub(lambda m: f"\\{m[1]}{sides[m[2]]}{m[2]}", formula)
    return tex2mathml(formula, **options)


def inline(translator, node):
    translator.body.append(mathml(node.astext()))
    raise SkipNode


def block(translator, node):
    translator.body.append(mathml(node.astext(), as_block=True))
    raise SkipNode
