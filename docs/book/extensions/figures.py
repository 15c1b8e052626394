"""The directive `gallery`: every figure of other pages, each with a link to the place it is from.

    ```{gallery} notebooks/ docs/results/
    ```
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Gallery(nodes.General, nodes.Element):
    """The place of a gallery; `folders` says from which pages."""


class GalleryDirective(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        return [Gallery(folders=self.arguments[0].split())]


def setup(app):
    app.add_node(Gallery)
    app.add_directive("gallery", GalleryDirective)
    app.connect("doctree-resolved", fill, priority=900)
    app.connect("env-updated", lambda app, env: [d for d in env.found_docs if d.endswith("gallery")])
    return {"parallel_read_safe": True}


def fill(app, doctree, page):
    """Replace the marks of the galleries on a page, when all pages have been read."""
    for mark in doctree.findall(Gallery):
        pages = [
            name
            for name in reading_order(app.env)
            if any(name.startswith(folder) for folder in mark["folders"])
        ]
        mark.replace_self([part for name in pages for part in figures_of(app, name, page)])


def reading_order(env):
    """All pages, in the order of the tables of contents."""

    def below(page):
        yield page
        for child in env.toctree_includes.get(page, []):
            yield from below(child)

    return list(dict.fromkeys(below(env.config.root_doc)))


def figures_of(app, name, page):
    """The title of a page and its figures, as nodes; nothing for a page without figures."""
    tiles = [tile(app, image, name, page) for image in app.env.get_doctree(name).findall(nodes.image)]
    if not tiles:
        return []
    address = app.builder.get_relative_uri(page, name)
    title = app.env.titles[name].astext()
    heading = nodes.paragraph("", "", link(address, nodes.Text(title)), classes=["gallery-title"])
    return [heading, nodes.container("", *tiles, classes=["gallery"])]


def tile(app, image, name, page):
    """A figure, with the heading that it stands under, as a link to there."""
    section = image
    while section and not isinstance(section, nodes.section):
        section = section.parent
    address = app.builder.get_relative_uri(page, name)
    heading = section.next_node(nodes.title).astext()
    picture = nodes.image(uri=image["uri"], candidates=image["candidates"], alt=heading)
    target = link(f"{address}#{section['ids'][0]}", picture)
    label = nodes.paragraph("", "", link(target["refuri"], nodes.Text(heading)))
    return nodes.container("", nodes.paragraph("", "", target), label, classes=["gallery-tile"])


def link(address, child):
    return nodes.reference("", "", child, refuri=address, internal=True)
