"""The book: every page is in it and can be reached. `make book` builds it and checks its links."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
BOOK = PROJECT / "docs" / "book"
sys.path.append(str(BOOK))

from check_links import broken  # noqa: E402
from extensions.docstrings import to_restructured_text  # noqa: E402
from extensions.pages import below, fold_setup_cell  # noqa: E402

CONFIGURATION = runpy.run_path(str(BOOK / "conf.py"))
CONTENTS = {"README": BOOK / "contents.txt"}  # appended to this page
TOCTREE = re.compile(r"```\{toctree\}\n([^`]*)```|\.\. toctree::\n((?:   [^\n]*\n|\n)+)")
ENTRY = re.compile(r"([^\s<]+?)>?$")  # a page, or a title and `<page>`


def pages():
    """The names of all pages that the configuration takes, such as `docs/install`."""
    files = {f for pattern in CONFIGURATION["include_patterns"] for f in PROJECT.glob(pattern)}
    paths = [f.relative_to(PROJECT) for f in files if f.suffix in (".md", ".rst", ".ipynb")]
    return {str(path.with_suffix("")) for path in paths}


def children(page):
    """The pages in the tables of contents of a page; none for a page that does not exist."""
    files = [f for suffix in ("md", "rst", "ipynb") if (f := PROJECT / f"{page}.{suffix}").exists()]
    if not files:
        return []
    text, folder = CONTENTS.get(page, files[0]).read_text(), files[0].parent
    if page.startswith("docs/results/") and page.endswith("/README"):
        return [str(folder.relative_to(PROJECT) / name) for name in below(folder)]
    blocks = TOCTREE.findall(text)
    lines = [line.strip() for block in blocks for line in "".join(block).splitlines()]
    entries = [ENTRY.search(line)[1] for line in lines if line and line[0] != ":"]
    paths = [PROJECT / entry[1:] if entry[0] == "/" else folder / entry for entry in entries]
    return [str(path.relative_to(PROJECT)) for path in paths]


def reachable(page="README"):
    return [page, *(name for child in children(page) for name in reachable(child))]


def test_every_page_is_in_the_contents_once_and_none_is_listed_that_does_not_exist():
    assert sorted(reachable()) == sorted(pages())


def test_no_page_of_the_project_is_left_out_of_the_book():
    written = [
        f for name in ("docs", "benchmarks", "hpatches_kit") for f in (PROJECT / name).rglob("*.md")
    ]
    files = [
        *PROJECT.glob("*.md"),
        PROJECT / "data" / "README.md",
        *PROJECT.glob("notebooks/*.ipynb"),
        *written,
    ]
    assert {str(f.relative_to(PROJECT).with_suffix("")) for f in files} <= pages()


def test_every_public_folder_has_a_page_in_the_reference():
    stub = (PROJECT / "hpatches_kit" / "__init__.pyi").read_text()
    folders = set(re.findall(r"^from \. import (\w+)", stub, re.MULTILINE))
    documented = {f.stem for f in BOOK.glob("api/*.rst")} - {"commands"}
    assert documented == folders
    for name in folders:
        assert (
            f".. automodule:: hpatches_kit.{name}\n" in (BOOK / "api" / f"{name}.rst").read_text()
        )


def test_every_cover_is_a_figure_of_its_lesson():
    covers = re.findall(r"^(notebooks/\S+) (\d+)$", (BOOK / "lessons.md").read_text(), re.MULTILINE)
    lessons = {page for page in pages() if page.startswith("notebooks/")}
    with_figure = {p for p in lessons if '"image/png"' in (PROJECT / f"{p}.ipynb").read_text()}
    assert {page for page, _ in covers} == with_figure and len(lessons - with_figure) <= 1
    for page, number in covers:
        assert 1 <= int(number) <= (PROJECT / f"{page}.ipynb").read_text().count('"image/png"')


def test_the_gallery_takes_every_page_with_a_figure():
    (folders,) = re.findall(r"^```\{gallery\} (.+)$", (BOOK / "gallery.md").read_text(), re.M)
    with_figure = {
        p for p in pages() if (f := PROJECT / f"{p}.md").exists() and "![" in f.read_text()
    }
    assert "README" in with_figure  # docs/pipeline.png
    for page in with_figure | {p for p in pages() if p.startswith("notebooks/")}:
        assert page.startswith(tuple(folders.split())), page


def test_the_setup_cell_of_a_lesson_is_folded_and_no_other():
    cells = json.loads(fold_setup_cell((PROJECT / "notebooks/1-quickstart.ipynb").read_text()))[
        "cells"
    ]
    folded = [cell for cell in cells if "hide-input" in cell["metadata"].get("tags", [])]
    assert ["".join(cell["source"])[:13] for cell in folded] == ["# @title Setu"]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("All `PatchSet`s.", r"All ``PatchSet``\ s."),
        ("A name\n`of two\nlines`.", "A name\n``of two lines``."),
        ("Use it:\n\n    hk.load()", "Use it:\n\n.. code-block:: python\n\n    hk.load()"),
        ("Args:\n    size: in pixels.", "Args:\n    size: in pixels."),
        ("Then\n\n    `d = 1`", "Then\n\n    ``d = 1``"),
    ],
)
def test_a_docstring_becomes_restructured_text(docstring, expected):
    lines = docstring.split("\n")
    to_restructured_text(None, "function", "name", None, None, lines)
    assert "\n".join(lines) == expected


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="b.html#here">', None),
        ('<a href="c.html">', "a.html links c.html, which does not exist."),
        ('<a href="b.html#there">', "a.html links b.html#there, but that page has no such place."),
        ('<a href="https://example.org">', None),
        ('<img src="https://x.org/i.png">', "a.html loads https://x.org/i.png from the network."),
        ('<script src="//x.org/i.js">', "a.html loads //x.org/i.js from the network."),
    ],
)
def test_links_that_lead_nowhere_and_files_from_the_network_are_found(body, problem, tmp_path):
    (tmp_path / "a.html").write_text(body)
    (tmp_path / "b.html").write_text('<p id="here">')
    assert list(broken(tmp_path)) == ([problem] if problem else [])
