"""In tables, a mean and its deviation, as in `0.820 ± 0.020`, stay on one line."""

from docutils import nodes

SPACE = "\N{NO-BREAK SPACE}"


def setup(app):
    app.connect("doctree-resolved", join_deviations)
    return {"parallel_read_safe": True}


def join_deviations(app, doctree, page):
    for entry in doctree.findall(nodes.entry):
        for text in list(entry.findall(nodes.Text)):
            if " ± " in text:
                text.parent.replace(text, nodes.Text(text.replace(" ± ", f"{SPACE}±{SPACE}")))
