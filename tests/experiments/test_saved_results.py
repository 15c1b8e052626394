"""docs/results: tables, pages and prose agree with `numbers.csv` and `effects.csv`."""

import re
from pathlib import Path

import pandas as pd
import pytest

from hpatches_kit.experiments import REPORTS, TABLES, pages, table_markdown

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
README = (RESULTS / "README.md").read_text()
SEEDS = [0, 1, 2]
# At the reports' length, some rows of these tables.
AT_LENGTH = ["A-table-1", "A-table-2", "A-figure-2", "A-figure-3"]
SEARCHES = ["recipe-search", "denoiser-search"]
FOLDERS = {RESULTS: REPORTS, RESULTS / "report-scale": AT_LENGTH, RESULTS / "search": SEARCHES}
each_folder = pytest.mark.parametrize(
    ("folder", "names"), FOLDERS.items(), ids=[folder.name for folder in FOLDERS]
)


@pytest.fixture(scope="module")
def values():
    return pd.read_csv(RESULTS / "numbers.csv")


@each_folder
def test_a_page_shows_the_numbers_and_conclusions_of_its_table(folder, names):
    values, effects = (pd.read_csv(folder / f"{part}.csv") for part in ("numbers", "effects"))
    for name in names:
        assert_shows_its_table(folder / f"{name}.md", name, values, effects)


def assert_shows_its_table(page, name, values, effects):
    parts = page.read_text().rstrip("\n").split("\n\n")
    assert parts[0] == f"### {name}: {TABLES[name].title}"
    assert f"`python -m hpatches_kit reproduce {name} --data photos" in parts[1]
    expected = [
        TABLES[name].note,
        table_markdown.cells(name, values),
        table_markdown.verdicts(name, effects),
    ]
    assert parts[2:] == [part for part in expected if part]


@pytest.mark.parametrize("name", REPORTS)
def test_every_row_has_a_number_for_every_column_and_seed_unless_the_readme_counts_them(
    name, values
):
    table = TABLES[name]
    of_table = values[values.table == name].dropna(subset="value")
    cells = of_table.groupby(["row", "column"]).seed.apply(list)
    complete = [cells.get((row, column)) == SEEDS for row in table.rows for column in table.columns]
    assert all(complete) or f"{name}: not complete" in README


def test_the_numbers_are_those_of_the_tables_and_no_others(values):
    assert set(values.table) <= set(REPORTS)


@each_folder
def test_the_readme_lists_every_conclusion(folder, names):
    section = (folder / "README.md").read_text().split("<!-- conclusions -->")[1]
    overview = pages.overview(names, pd.read_csv(folder / "effects.csv"))
    assert overview in section.split("<!-- end -->")[0]


@each_folder
def test_every_decimal_number_of_the_readme_is_in_a_table(folder, names):
    tables = "\n".join(page.read_text() for page in RESULTS.rglob("*-*.md"))
    known = set(re.findall(r"\d*\.\d+", tables))
    before, rest = (folder / "README.md").read_text().split("<!-- conclusions -->")
    prose = re.sub(r"`[^`]*`", "", before + rest.split("<!-- end -->")[1])  # without code
    numbers = re.findall(r"\d*\.\d+", prose)
    assert [number for number in numbers if number not in known] == []


@each_folder
def test_the_readme_links_every_table_and_figure_and_nothing_that_is_missing(folder, names):
    text = (folder / "README.md").read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^):]+)\)", text)]
    assert {f"{name}.{kind}" for name in names for kind in ("md", "png")} <= set(links)
    assert [link for link in links if not (folder / link).exists()] == []
