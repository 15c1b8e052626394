"""What the pages have in the book alone: tables of contents, figures of tables, folded setup cells."""

import json
import re
import shutil
from pathlib import Path

RESULTS = "docs/results/"
TABLE = re.compile(r"^- \[[^\]]+\]\(([\w-]+)\.md\)", re.MULTILINE)


def setup(app):
    app.connect("source-read", add_to_page)
    app.connect("build-finished", copy_start_page)
    return {"parallel_read_safe": True}


def add_to_page(app, page, source):
    """Change the source of a page, `source[0]`, before it is parsed."""
    folder = Path(app.srcdir, page).parent
    if page == app.config.root_doc:
        source[0] += Path(app.confdir, "contents.txt").read_text()
    elif page.startswith(RESULTS) and page.endswith("/README"):
        source[0] += contents(below(folder))
    elif page.startswith(RESULTS):
        name = page.rpartition("/")[2]
        figures = {f"{name}.png": "figure", f"{name}-curves.png": "learning curves"}
        for file, title in figures.items():
            if (folder / file).exists():
                source[0] += f"\n![{name}, {title}]({file})\n"
    elif page.startswith("notebooks/"):
        source[0] = fold_setup_cell(source[0])


def below(folder):
    """The tables that the README of a folder of results lists, and the README of a folder in it."""
    tables = TABLE.findall((folder / "README.md").read_text())
    return [*tables, *(f"{file.parent.name}/README" for file in sorted(folder.glob("*/README.md")))]


def contents(pages):
    """A hidden table of contents in MyST Markdown."""
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def fold_setup_cell(text):
    """Hide the source of a notebook's first code cell, which Colab hides as well."""
    notebook = json.loads(text)
    setup_cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    setup_cell["metadata"]["tags"] = ["hide-input"]
    return json.dumps(notebook)


def copy_start_page(app, error):
    """The book opens at `index.html`; its links are relative, and the folder is the same."""
    if not error and app.builder.name == "html":
        shutil.copy(Path(app.outdir, f"{app.config.root_doc}.html"), Path(app.outdir, "index.html"))
