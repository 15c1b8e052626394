"""The directives `gallery`, every figure of the pages in some folders, and `covers`, one of a page.

    ```{gallery} notebooks/ docs/results/
    ```

    ```{covers}
    notebooks/1-quickstart 4
    ```

Each figure links to its place. A line of `covers` is a page and the number of its figure.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Gallery(nodes.General, nodes.Element):
    """Marks the place of a gallery until all pages have been read."""


class GalleryDirective(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        return [Gallery(folders=self.arguments[0].split())]


class CoversDirective(SphinxDirective):
    has_content = True

    def run(self):
        return [Gallery(covers=[line.split() for line in self.content])]


def setup(app):
    app.add_node(Gallery)
    app.add_directive("gallery", GalleryDirective)
    app.add_directive("covers", CoversDirective)
    app.connect("doctree-resolved", fill, priority=900)
    return {"parallel_read_safe": True}


def fill(app, doctree, page):
    """Replace the marks on a page by figures."""
    for mark in doctree.findall(Gallery):
        if "covers" in mark:
            tiles = [cover(app, page, name, int(number)) for name, number in mark["covers"]]
            mark.replace_self([nodes.container("", *tiles, classes=["gallery"])])
        else:
            names = [n for n in reading_order(app.env) if n.startswith(tuple(mark["folders"]))]
            mark.replace_self([part for name in names for part in figures_of(app, page, name)])


def reading_order(env):
    """All pages, in the order of the tables of contents."""

    def below(page):
        yield page
        for child in env.toctree_includes.get(page, []):
            yield from below(child)

    return list(dict.fromkeys(below(env.config.root_doc)))


def figures_of(app, page, name):
    """The title of the page `name` and its figures, as nodes; nothing without figures."""
    tiles = []
    for image in images_of(app, name):
        section = image.parent
        while not isinstance(section, nodes.section):
            section = section.parent
        # The figures of lessons have no description; their section says what they show.
        label = image.get("alt") or section.next_node(nodes.title).astext()
        tiles.append(tile(address(app, page, name, section["ids"][0]), image, label))
    if not tiles:
        return []
    title = link(address(app, page, name), nodes.Text(app.env.titles[name].astext()))
    return [
        nodes.paragraph("", "", title, classes=["gallery-title"]),
        nodes.container("", *tiles, classes=["gallery"]),
    ]


def cover(app, page, name, number):
    """One figure of the page `name`, with the title of that page."""
    image = images_of(app, name)[number - 1]
    return tile(address(app, page, name), image, app.env.titles[name].astext())


def images_of(app, name):
    return list(app.env.get_doctree(name).findall(nodes.image))


def address(app, page, name, place=""):
    return app.builder.get_relative_uri(page, name) + (f"#{place}" if place else "")


def tile(target, image, label):
    picture = nodes.image(uri=image["uri"], candidates=image["candidates"], alt=label)
    parts = [nodes.paragraph("", "", link(target, child)) for child in (picture, nodes.Text(label))]
    return nodes.container("", *parts, classes=["gallery-tile"])


def link(target, child):
    return nodes.reference("", "", child, refuri=target, internal=True)
