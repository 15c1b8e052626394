"""Text from files of others as it is, not as commands, in HTML, Markdown, LaTeX and figures."""

import html
import re

# A character that Markdown or LaTeX reads as a command, and the same as text.
MARKDOWN = {character: f"\\{character}" for character in "\\|`*_[]~$"}  # $: formulas on GitHub
LATEX = {character: f"\\{character}" for character in "&%$#_{}"}
LATEX |= {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}"}


def one_line(text):
    """Text without line breaks and control characters, which would end a cell or a heading."""
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in str(text)))


def html_text(text):
    """Escape text between the tags of HTML."""
    return html.escape(str(text), quote=False)


def markdown_text(text):
    """Escape text for a line or a cell of Markdown, which may contain HTML."""
    return _replaced(html_text(one_line(text)), MARKDOWN)


def latex_text(text):
    """Escape text for a cell of LaTeX."""
    return _replaced(one_line(text), LATEX)


def figure_text(text):
    """Escape text for a label of Matplotlib, which reads `$...$` as a formula."""
    text = one_line(text).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # legends leave out names that begin with _


def _replaced(text, table):
    return "".join(table.get(character, character) for character in text)
