"""docs/results: tables, pages and prose agree with `numbers.csv` and `effects.csv`."""

import re
from pathlib import Path

import pandas as pd
import pytest

from hpatches_kit.experiments import REPORTS, TABLES, pages, table_markdown

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
README = (RESULTS / "README.md").read_text()
SEEDS = [0, 1, 2]


@pytest.fixture(scope="module")
def values():
    return pd.read_csv(RESULTS / "numbers.csv")


@pytest.fixture(scope="module")
def effects():
    return pd.read_csv(RESULTS / "effects.csv")


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_shows_the_numbers_and_conclusions_of_its_table(name, values, effects):
    page = (RESULTS / f"{name}.md").read_text()
    parts = page.rstrip("\n").split("\n\n")
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


def test_the_readme_lists_every_conclusion(effects):
    section = README.split("<!-- conclusions -->")[1].split("<!-- end -->")[0]
    assert pages.overview(REPORTS, effects) in section


def test_every_decimal_number_of_the_readme_is_in_a_table():
    tables = "\n".join((RESULTS / f"{name}.md").read_text() for name in REPORTS)
    known = set(re.findall(r"\d*\.\d+", tables))
    before, rest = README.split("<!-- conclusions -->")
    prose = re.sub(r"`[^`]*`", "", before + rest.split("<!-- end -->")[1])  # without code
    numbers = re.findall(r"\d*\.\d+", prose.replace("version 0.2", ""))
    assert [number for number in numbers if number not in known] == []


def test_the_readme_links_every_table_and_figure_and_nothing_that_is_missing():
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^):]+)\)", README)]
    assert {f"{name}.{kind}" for name in REPORTS for kind in ("md", "png")} <= set(links)
    assert [link for link in links if not (RESULTS / link).exists()] == []
