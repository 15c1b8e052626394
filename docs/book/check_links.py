"""Check the built book: every link leads to a file and a place in it, and no page needs the network.

python docs/book/check_links.py results/book
python docs/book/check_links.py results/book --external    # also ask other sites; needs a network
"""

import argparse
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from external_links import unanswered

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


def read_pages(folder):
    """`{file: Page}` of a built book."""
    files = [file for file in sorted(folder.rglob("*.html")) if "_static" not in file.parts]
    return {file.resolve(): Page(file.read_text()) for file in files}


def broken(folder):
    """Sentences, one for each address that leads nowhere or needs the network."""
    pages = read_pages(folder)
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


def external(folder):
    """The addresses of other sites, each with the first page that links it."""
    pages = {}
    for file, page in read_pages(folder).items():
        for address in page.linked:
            if urlsplit(address).scheme in ("http", "https"):
                name = file.relative_to(folder.resolve())
                pages.setdefault(urldefrag(address).url, name)
    return pages


def main(arguments=None):
    """Check a book; returns what is wrong as text, or None."""
    parser = argparse.ArgumentParser(description="Check the links of the built book.")
    parser.add_argument("folder", type=Path, help="results/book")
    parser.add_argument("--external", action="store_true", help="also ask other sites")
    options = parser.parse_args(arguments)
    problems = list(broken(options.folder))
    if not problems:
        print("All links of the book lead somewhere.")
    if options.external:
        pages = external(options.folder)
        failed = unanswered(pages)
        print(f"{len(pages) - len(failed)} of {len(pages)} addresses of other sites answer.")
        problems += [f"{pages[a]} links {a}, which {problem}" for a, problem in failed.items()]
    return "\n".join(problems) or None


if __name__ == "__main__":
    sys.exit(main())
