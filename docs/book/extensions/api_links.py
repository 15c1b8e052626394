"""Inline code such as `hk.losses.SOSNetLoss()` links to the API reference, in pages and docstrings."""

import re
from pathlib import Path

from docutils import nodes

from hpatches_kit import __file__ as package

CALL = re.compile(r"(?:hk|hpatches_kit)\.(\w+(?:\.\w+)*)")
SHORT = re.compile(r"^from \.(\w+)\.?\S* import (\w+) as \2$", re.MULTILINE)


def setup(app):
    app.connect("doctree-resolved", link_names)
    return {"parallel_read_safe": True}


def short_names():
    """`{"load": "datasets.load"}`: the names that the package itself offers."""
    stub = Path(package).with_suffix(".pyi").read_text()
    return {name: f"{folder}.{name}" for folder, name in SHORT.findall(stub)}


def link_names(app, doctree, page):
    """Make each inline code that begins with a documented name a link to it."""
    targets = {name: (o.docname, o.node_id) for name, o in app.env.domains["py"].objects.items()}
    short = short_names()
    for code in list(doctree.findall(nodes.literal)):
        match = CALL.match(code.astext())
        if not match or isinstance(code.parent, (nodes.reference, nodes.title)):
            continue
        head, dot, rest = match[1].partition(".")
        name = f"hpatches_kit.{short.get(head, head)}{dot}{rest}"
        if name in targets:
            document, anchor = targets[name]
            address = f"{app.builder.get_relative_uri(page, document)}#{anchor}"
            link = nodes.reference("", "", code.deepcopy(), refuri=address, internal=True)
            code.replace_self(link)
