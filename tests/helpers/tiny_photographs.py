"""Built-in patch sets of three photographs, and small photographs to add to them."""

import numpy as np
from PIL import Image

from hpatches_kit.datasets import builtin
from hpatches_kit.images.builtin import photograph


def use_three_photographs(monkeypatch):
    """Reduce `"mini"` and `"photos"` to three photographs: 20 training points per sequence."""
    scenes = {"train": ["coins"], "validation": ["clock"], "test": ["chelsea"]}
    monkeypatch.setattr(builtin, "SCENES", scenes)
    monkeypatch.setattr(builtin, "TEXTURES", [])
    monkeypatch.setattr(builtin, "FEWEST_POINTS", 1)
    for name in ("mini", "photos"):
        monkeypatch.setitem(builtin.BUILTIN, name, builtin.BuiltinSize(1, 1, 20, 6, 1, 8))


def write_photograph(file, name="coffee"):
    """Write a 210 x 170 crop of a built-in photograph, which is a different photograph."""
    grey = photograph(name)[60:230, 60:270]
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey.astype(np.uint8)).save(file)
    return file
