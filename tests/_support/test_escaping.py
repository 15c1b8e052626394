"""Whatever a text of a stranger contains, HTML, Markdown, LaTeX and figures show it as text."""

import re
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.cbook import is_math_text

from hpatches_kit._support.escaping import figure_text, html_text, latex_text, markdown_text

# Commands of all four are more likely than other characters.
PIECES = [*"<>&\"'\\|`*_[]()!~$#{}^%-=:.\n\r\t \x00\x1b\u2028\u202e", "<script>", "</td>", "&lt;"]
PIECES += ["\\input{x}", "](javascript:x)", "$\\frac{$", "https://x.org", "\\$", "``", "~~", "<!--"]
ALPHABET = [*2 * PIECES, *map(chr, range(0, 0x110000, 0x2001))]
# `st.text` would first make a table of all characters, which takes seconds in each process.
TEXTS = st.binary(max_size=30).map(
    lambda content: "".join(ALPHABET[byte % len(ALPHABET)] for byte in content)
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])  # HTML stays HTML
LATEX = {  # what each command of `latex_text` prints
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textbackslash{}": "\\",
    **{f"\\{character}": character for character in "&%$#_{}"},
}
LATEX_TOKEN = re.compile("|".join(map(re.escape, LATEX)) + "|.", re.DOTALL)


class Page(HTMLParser):
    """The tags, comments and the text of HTML."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        self.tags.append(tag)

    def handle_comment(self, data):
        self.tags.append("comment")

    handle_decl = handle_pi = unknown_decl = handle_comment

    def handle_data(self, data):
        self.text += data


def words(text):
    """The text without control characters, with single spaces: what is left of it on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@given(TEXTS)
def test_html_has_no_tag_and_the_same_text(text):
    page = Page(html_text(text))
    assert page.tags == [] and page.text == text


@given(TEXTS)
@example("*a* _b_ ~~c~~ $x$ `d` [e](f) \\| <g>")
def test_markdown_has_no_command_and_the_same_words(text):
    escaped = markdown_text(text)
    assert "$" not in re.sub(r"\\.", "", escaped)  # a formula on GitHub
    page = Page(MARKDOWN.render(f"Name: {escaped}."))
    assert page.tags == ["p", "p"]
    assert words(page.text) == words(f"Name: {text}.")


@given(TEXTS)
def test_a_cell_of_a_markdown_table_stays_one_cell(text):
    page = Page(MARKDOWN.render(f"| a | b |\n|:--|:--|\n| {markdown_text(text)} | c |\n"))
    assert page.tags.count("td") == 4  # two cells, begin and end
    assert words(page.text) == words(f"a b {text} c")


@given(TEXTS)
def test_latex_has_no_other_command_and_the_same_words(text):
    tokens = LATEX_TOKEN.findall(latex_text(text))
    assert not {"\\", "$", "&", "%", "#", "_", "{", "}", "~", "^", "\n"} & set(tokens)
    assert words("".join(LATEX.get(token, token) for token in tokens)) == words(text)


@given(TEXTS)
def test_a_label_of_a_figure_is_neither_a_formula_nor_a_hidden_entry(text):
    label = figure_text(text)
    assert not is_math_text(label) and not label.startswith("_")
    assert words(label.replace(r"\$", "$")) == words(text)
