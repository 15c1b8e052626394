"""Docstrings, written in the Markdown of the project, as the reStructuredText that autodoc reads."""

import re

CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)(\w?)")


def setup(app):
    app.connect("autodoc-process-docstring", to_restructured_text, priority=100)  # before napoleon
    return {"parallel_read_safe": True}


def to_restructured_text(app, what, name, obj, options, lines):
    """Change the lines of a docstring in place: inline code, and indented blocks of code."""
    text = CODE.sub(_inline_code, "\n".join(lines))
    result, previous = [], ""  # the last line that was not empty
    for line in text.split("\n"):
        starts_block = line.startswith("    ") and not (result and result[-1])
        is_formula = line.lstrip().startswith("`")
        if starts_block and not is_formula and not previous.startswith(" "):
            language = "text" if line.lstrip().startswith("hpatches ") else "python"
            result += [f".. code-block:: {language}", ""]
        result.append(line)
        previous = line or previous
    lines[:] = result


def _inline_code(match):
    code, letter = match.groups()
    return f"``{' '.join(code.split())}``" + (f"\\ {letter}" if letter else "")
