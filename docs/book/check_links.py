"""Check the built book: every link leads to a file and a place in it, and no page needs the network.

python docs/book/check_links.py results/book
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


class Page(HTMLParser):
    """The addresses that a page links and loads, and the places in it that can be linked."""

    def __init__(self, text):
        super().__init__()
        self.linked, self.loaded, self.places = [], [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places |= {attributes.get("id"), attributes.get("name")} - {None}
        for name in ("href", "src"):
            if address := attributes.get(name):
                is_loaded = (tag, name) in LOADED and attributes.get("rel") != "canonical"
                (self.loaded if is_loaded else self.linked).append(address)


def broken(folder):
    """Sentences, one for each address that leads nowhere or needs the network."""
    files = [file for file in sorted(folder.rglob("*.html")) if "_static" not in file.parts]
    pages = {file.resolve(): Page(file.read_text()) for file in files}
    for file, page in pages.items():
        name = file.relative_to(folder.resolve())
        for address in page.loaded + page.linked:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if address in page.loaded:
                    yield f"{name} loads {address} from the network."
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.exists():
                yield f"{name} links {address}, which does not exist."
            elif target in pages and unquote(parts.fragment) not in pages[target].places:
                yield f"{name} links {address}, but that page has no such place."


if __name__ == "__main__":
    problems = list(broken(Path(sys.argv[1])))
    sys.exit("\n".join(problems) or print("All links of the book lead somewhere."))
