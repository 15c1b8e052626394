"""The pages say what is true: every call on them works."""

import re
from pathlib import Path

import keras
import pytest
from conftest import toy_patches

import hpatches_kit as hk

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "reports.md").read_text()
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
