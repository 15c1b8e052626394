"""docs/results: its tables are what its runs give, and its page says nothing that is not in them."""

import re
from pathlib import Path

import pandas as pd
import pytest

from hpatches_kit import experiments
from hpatches_kit.experiments import TABLES

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
WHAT = "photos", "quick", 3  # data, scale, seeds
FILES = "run.json", "log.csv"  # what is kept of a run


@pytest.fixture(scope="module")
def kept():
    """Numbers and origins of all tables, from the records of the runs."""
    root = RESULTS / "runs"
    return experiments.numbers(TABLES, root, *WHAT), experiments.provenance(TABLES, root, *WHAT)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_runs_give(name, kept):
    assert (RESULTS / f"{name}.md").read_text() == experiments.markdown(name, *kept, *WHAT)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_was_trained_with_every_seed(name, kept):
    values = kept[0]
    for row in TABLES[name].rows:
        here = values[(values.table == name) & (values.row == row)]
        assert set(here.seed) == {0, 1, 2}, row
        assert here.value.notna().all(), row


def test_the_list_of_numbers_is_that_of_the_runs(kept):
    listed = pd.read_csv(RESULTS / "numbers.csv")
    pd.testing.assert_frame_equal(listed, kept[0], check_dtype=False)


def test_the_page_says_which_conclusions_hold(kept):
    page = (RESULTS / "README.md").read_text()
    assert experiments.pages.overview(TABLES, *kept, *WHAT) in page


def test_nothing_else_is_kept_of_a_run(kept):
    files = {file for file in (RESULTS / "runs").rglob("*") if file.is_file()}
    wanted = {RESULTS / "runs" / run / file for run in kept[1].folder for file in FILES}
    assert files == wanted
    assert {"b-final-unet", "recipe-unet"} <= set(kept[1].run)  # which others need


def test_every_number_of_the_page_is_in_a_table():
    tables = "\n".join((RESULTS / f"{name}.md").read_text() for name in TABLES)
    known = set(re.findall(r"\d*\.\d+", tables))
    before, rest = (RESULTS / "README.md").read_text().split("<!-- conclusions -->")
    said = re.sub(
        r"`[^`]*`", "", before + rest.split("<!-- end -->")[1]
    )  # no commands, no settings
    numbers = re.findall(r"\d*\.\d+", said)
    assert len(numbers) > 20
    assert [number for number in numbers if number not in known] == []


def test_the_page_leads_to_every_table_and_figure():
    links = re.findall(r"\]\(([^)#:]+)\)", (RESULTS / "README.md").read_text())
    assert {f"{name}.{kind}" for name in TABLES for kind in ("md", "png")} <= set(links)
