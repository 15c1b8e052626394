"""The pages of the documentation: every call on them works and every link leads to a file."""

import ast
import re
import textwrap
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy_networks import random_state
from PIL import Image
from torch_pickles import write_state_dict

import hpatches_kit as hk

PROJECT = Path(__file__).resolve().parent.parent
PAGE = (PROJECT / "docs" / "reports.md").read_text()
README = (PROJECT / "README.md").read_text()
FOLDERS = [PROJECT / name for name in ("docs", "data", "benchmarks", "hpatches_kit")]
PAGES = [*PROJECT.glob("*.md"), *(page for folder in FOLDERS for page in folder.rglob("*.md"))]
LINES = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "`" in line]
CALLS = {
    cell.strip("`|: "): line
    for line in LINES
    for cell in line
    if re.fullmatch(r"`(?:hk|keras)\.[^`]+`[| ]*", cell)
}


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def many_patches():
    """As many patches as the largest batches need: four sequences of 620 points, two of 40."""
    rng, lengths = np.random.default_rng(0), [620] * 4 + [40] * 2
    coarse = rng.integers(40, 190, (sum(lengths), 1, 8, 8), np.uint8)
    coarse = coarse + rng.integers(0, 30, (sum(lengths), 16, 8, 8), np.uint8)
    clean = coarse.repeat(4, axis=2).repeat(4, axis=3)
    noisy = clean + rng.integers(0, 36, clean.shape, np.uint8)
    names = [f"v_{k}" for k in range(6)]
    sides = {"train": names[:2], "validation": names[2:4], "test": names[4:]}
    arrays = {"clean": clean, "noisy": noisy}
    return hk.PatchSet(arrays, np.repeat(names, lengths), None, {"thirds": sides})


@pytest.fixture(scope="module")
def names(many_patches):
    sides = dict.fromkeys(("train", "validation", "test"), many_patches)
    return {"hk": hk, "keras": keras, **sides}


@pytest.fixture
def small_unet(monkeypatch):
    """Every U-Net has six filters."""
    unet, small = hk.models.unet, {"encoder": (2, 2), "decoder": (2,)}
    monkeypatch.setattr(hk.models, "unet", lambda *args, **options: unet(**small))


def test_every_line_of_the_tables_on_the_page_has_a_call():
    assert len(CALLS) >= 45
    assert all(any("`" in cell for cell in line) for line in LINES)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_on_the_page_works(call, names, tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    if "denoiser=" in call:  # which denoises every patch of the set
        request.getfixturevalue("small_unet")
        names = {**names, "train": names["train"].sample_sparse_points(200)}
    result = eval(call, names)
    stated = [cell for cell in CALLS[call] if re.fullmatch(r"[\d,]+", cell.strip())]
    if stated:
        assert f"{result.count_params():,}" == stated[0].strip()
    if isinstance(result, keras.losses.Loss):
        loaded = keras.losses.deserialize(keras.losses.serialize(result))
        assert loaded.get_config() == result.get_config()
    if hasattr(result, "make_batch"):
        assert result[0][0].shape[1:] == (32, 32, 1)


def test_the_models_that_combine_several_rows_compile(names):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(blocks[0].splitlines()[-1], names)  # adam
    exec(blocks[1], names)
    for name in ("deeper", "improved", "final_denoiser", "final_descriptor"):
        assert names[name].compiled


def test_the_page_names_every_table_of_the_reports():
    named = set(re.findall(r"`([AB]-(?:table|figure)-\d+)`", PAGE))
    beyond = {name for name in hk.experiments.REPORTS if name.startswith(("beyond", "recipe"))}
    assert named == set(hk.experiments.REPORTS) - beyond


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_files_that_a_page_links_and_the_notebooks_that_it_names_exist(page):
    text = page.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if ":" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    notebooks = {file.stem[2:] for file in PROJECT.glob("notebooks/?-*.ipynb")}
    named = re.findall(r"notebooks? `(\w+)`", text) + re.findall(r"run\.py (\w+)", text)
    assert set(named) - {"NAME"} <= notebooks


@pytest.fixture
def quick(many_patches, small_unet, tmp_path, monkeypatch):
    """Toy patches, a small U-Net and two training steps, in a folder with what the pages read."""
    short = {"epochs": 1, "steps_per_epoch": 2, "verbose": 0}
    fit = keras.Model.fit
    monkeypatch.setattr(hk, "load", lambda *args, **options: many_patches)
    monkeypatch.setattr(hk.experiments, "run", lambda *args, **options: {"scores": {}})
    monkeypatch.setattr(keras.Model, "fit", lambda self, x, **options: fit(self, x, **short))
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).normal(size=(9, 16, 4))
    descriptors = hk.Descriptors(values, ["v_1"] * 5 + ["v_2"] * 4)
    descriptors.write_csv("DESCRIPTORS", delimiter=";")
    for name, left in (("A", 0), ("B", 20)):
        grey = hk.images.photograph("coffee")[60:260, 80 + left : 330 + left]
        Image.fromarray(grey.astype(np.uint8)).save(f"{name}.jpg")
    return {"others": hk.benchmark.evaluate(descriptors)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *(
            f"docs/{name}.md"
            for name in ("training", "benchmark", "two-protocols", "reproduce", "matching")
        ),
    ],
)
def test_the_code_of_a_page_runs_from_top_to_bottom(page, quick):
    blocks = re.findall(r"```python\n(.*?)```", (PROJECT / page).read_text(), re.S)
    assert blocks
    for block in blocks:
        exec(block, quick)
    if page in ("README.md", "docs/benchmark.md"):
        assert set(quick["scores"].tasks) == {"verification", "matching", "retrieval"}


def docstring_examples():
    """Blocks of indented code in docstrings that use the package, by file and name."""
    for file in sorted((PROJECT / "hpatches_kit").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
                name = getattr(node, "name", "module")
                for block in re.findall(r"\n\n((?: {4}\S.*\n?)+)", ast.get_docstring(node) or ""):
                    code = textwrap.dedent(block)
                    if "hk." in code:
                        yield pytest.param(code, id=f"{file.relative_to(PROJECT)}:{name}")


@pytest.mark.slow
@pytest.mark.parametrize("code", docstring_examples())
def test_the_example_of_a_docstring_runs(code, quick):
    patches = hk.load("mini").sample_sparse_points(60, per_sequence=True)
    train, _, test = patches.split()
    unet, loss = hk.models.unet(), hk.losses.HardNegativeTriplet()
    model, batches = hk.models.tfeat(dim=4), hk.batches.Pairs(train, pairs=4, steps=2)
    model.compile("sgd", loss)
    if "val_psnr" in code:
        model, batches = unet, hk.batches.NoisyClean(train, 8, 2)
        model.compile("sgd", "mae", metrics=[hk.metrics.psnr])
    Path("PHOTOS").mkdir()
    for name in ("coins", "camera", "coffee") if "PHOTOS" in code else ():
        grey = hk.images.photograph(name)[:160, :200].astype(np.uint8)
        Image.fromarray(grey).save(f"PHOTOS/{name}.png")
    if "HardNet++.pth" in code:
        write_state_dict(Path("HardNet++.pth"), random_state("hardnet"))
    names = {"patches": patches, "train": train, "test": test, "unet": unet, "model": model}
    names |= {"loss": loss, "batches": batches, "validation": batches}
    exec(
        code, {"hk": hk, "keras": keras, "np": np, "Descriptor": hk.experiments.Descriptor, **names}
    )


def test_the_readme_has_at_most_120_lines():
    assert len(README.splitlines()) <= 120


def test_every_name_in_a_stub_exists_and_is_listed_once():
    for stub in (PROJECT / "hpatches_kit").rglob("*.pyi"):
        package = ".".join(stub.parent.relative_to(PROJECT).parts)
        names = re.findall(r"import (\w+) as (\w+)", stub.read_text())
        assert all(name == exported for name, exported in names)
        # Before version 0.6, lazy_loader may return the module for such a name.
        modules = {file.stem for file in stub.parent.glob("*.py")}
        assert not modules & {name for name, _ in names} - {"baselines", "opencv"}, package
        assert len(names) == len(set(names))
        for name, _ in names:
            assert hasattr(import_module(package), name), f"{package}.{name}"
