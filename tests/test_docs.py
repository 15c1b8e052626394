"""The pages say what is true: every call on them works."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk

PROJECT = Path(__file__).resolve().parent.parent
PAGE = (PROJECT / "docs" / "reports.md").read_text()
README = (PROJECT / "README.md").read_text()
PAGES = [
    *PROJECT.glob("*.md"),
    *(
        page
        for folder in ("docs", "data", "benchmarks")
        for page in (PROJECT / folder).rglob("*.md")
    ),
    *(PROJECT / "hpatches_kit").rglob("*.md"),
]
LINES = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "`" in line]
CALLS = {
    cell.strip("`|: "): line
    for line in LINES
    for cell in line
    if cell.startswith(("`hk.", "`keras."))
}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    data = toy_patches({f"v_{k}": 850 for k in range(3)})
    return {"hk": hk, "keras": keras, "train": data, "test": data}


def test_the_page_has_a_call_for_every_line():
    assert len(CALLS) >= 45
    assert all(any("`" in cell for cell in line) for line in LINES)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_on_the_page_works(call, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "denoiser=" in call:  # which denoises all there are
        names = {**names, "train": names["train"].sample(200, 0)}
    made = eval(call, names)
    stated = [cell for cell in CALLS[call] if re.fullmatch(r"[\d,]+", cell.strip())]
    if stated:
        assert f"{made.count_params():,}" == stated[0].strip()
    if isinstance(made, keras.losses.Loss):
        assert keras.losses.deserialize(keras.losses.serialize(made)).get_config()
    if hasattr(made, "make"):
        assert made[0][0].shape[1:] == (32, 32, 1)


def test_the_rows_put_together_compile(names):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(blocks[0].splitlines()[-1], names)  # adam
    exec(blocks[1], names)
    for name in ("deeper", "improved", "final_denoiser", "final_descriptor"):
        assert names[name].compiled


def test_every_table_of_the_reports_can_be_found_on_the_page():
    named = set(re.findall(r"`([AB]-(?:table|figure)-\d+)`", PAGE))
    assert named == set(hk.experiments.TABLES) - {"recipe"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_what_a_page_links_and_which_notebook_it_names_is_there(page):
    text = page.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if ":" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    notebooks = {file.stem[2:] for file in PROJECT.glob("notebooks/?-*.ipynb")}
    named = re.findall(r"notebooks? `(\w+)`", text) + re.findall(r"run\.py (\w+)", text)
    assert set(named) - {"NAME"} <= notebooks


def test_the_code_of_the_readme_runs_from_top_to_bottom(tmp_path, monkeypatch):
    """With toy patches, a small denoiser, and two batches where the README has more."""
    data = toy_patches({f"v_{k}": 480 for k in range(4)})
    data.splits = {"halves": {"train": data.names[:2], "test": data.names[2:]}}
    filters = {"encoder": (2, 2), "decoder": (2,)}
    unet, fit = hk.models.unet, keras.Model.fit
    monkeypatch.setattr(hk, "load", lambda *args, **options: data)
    monkeypatch.setattr(hk.models, "unet", lambda *args, **options: unet(**filters))
    monkeypatch.setattr(hk.experiments, "run", lambda *args, **options: {"scores": {}})
    few = {"epochs": 1, "steps_per_epoch": 2, "verbose": 0}
    monkeypatch.setattr(keras.Model, "fit", lambda self, x, **options: fit(self, x, **few))
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).normal(size=(9, 16, 4))
    mine = hk.Descriptors(values, ["v_1"] * 5 + ["v_2"] * 4)
    hk.descriptors.write_csv(mine, "DESCRIPTORS", delimiter=";")
    names = {"others": hk.benchmark.evaluate(mine)}
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 7
    for block in blocks[1:]:  # the first shows the settings of the quickstart
        exec(block, names)
    assert set(names["scores"].tasks) == {"verification", "matching", "retrieval"}
