"""The book: Sphinx configuration. `make book` builds it into `results/book/`.

The source folder is the project itself, so that each page stays where it is and a link between two
pages works on a code host as well as in the book.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT), str(Path(__file__).parent)]

from hpatches_kit._support.version import __version__  # noqa: E402

project = "hpatches_kit"
author = copyright = "the hpatches_kit authors"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "extensions.api_links",
    "extensions.commands",
    "extensions.docstrings",
    "extensions.figures",
    "extensions.mathematics",
    "extensions.pages",
    "extensions.tables",
]
root_doc = "README"
include_patterns = [
    "README.md",
    "docs/*.md",
    "docs/results/*.md",
    "docs/teaching/*.md",
    "docs/results/report-scale/*.md",
    "docs/results/search/*.md",
    "docs/book/*.md",
    "docs/book/*.rst",
    "docs/book/api/*.rst",
    "notebooks/*.ipynb",
    "data/README.md",
    "benchmarks/*.md",
    "hpatches_kit/models/weights/README.md",
]
exclude_patterns = [".*", "results", "build", "**/.ipynb_checkpoints", "**/__pycache__"]
suppress_warnings = ["myst.header"]  # the pages of tables begin with a heading of the third level

nb_execution_mode = "off"  # the committed outputs are the lesson
nb_merge_streams = True
nb_render_markdown_format = "gfm"  # outputs have tables
nb_code_prompt_show = "Show the setup cell"
nb_code_prompt_hide = "Hide the setup cell"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
highlight_language = "none"

default_role = "code"  # `single backquotes` in docstrings, as in Markdown
autodoc_inherit_docstrings = False  # those of Keras are not ours
autodoc_preserve_defaults = True
autodoc_member_order = "groupwise"
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Call args", "params_style"), ("Batches", "params_style")]
napoleon_use_ivar = True
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = html_short_title = "hpatches_kit"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "hpatches_kit"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "search_as_you_type": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "back_to_top_button": True,
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
}
html_sidebars = {"README": [], "docs/book/gallery": []}
