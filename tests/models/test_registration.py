"""Saved models load without extra imports or `custom_objects`, in either order of imports."""

import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from processes import run_python

import hpatches_kit as hk

PACKAGE = Path(hk.__file__).parent
IMPORTS = {
    "kit first": "import hpatches_kit; import keras",
    "keras first": "import keras; import hpatches_kit",
}
LOAD = """
import sys
import numpy as np

for file in sys.argv[1:]:
    model, batch = keras.saving.load_model(file), np.load(file + ".npz")
    options = {"batch_size": len(batch["x"]), "verbose": 0, "return_dict": True}
    scores = model.evaluate(batch["x"], batch["y"], **options)
    for name, value in scores.items():
        np.testing.assert_allclose(value, batch[name], rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(sorted(scores), batch["names"])
    print("loaded", type(model.loss).__name__)
"""


def descriptor_model(model, loss):
    metrics = hk.metrics.diagnostics(loss)
    model.compile("adam", loss, metrics=metrics, run_eagerly=True)  # compiling takes longer
    return model


def denoising_model():
    model = hk.models.unet(encoder=(2, 2), decoder=(2,))
    metrics = [hk.metrics.psnr, hk.metrics.ssim]
    model.compile("adam", hk.losses.SSIMAndMAE(), metrics=metrics, run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
    """Files of compiled models; beside each a batch and its scores."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    patches = rng.integers(0, 256, (8, 32, 32, 1)).astype("float32")
    tfeat = descriptor_model(hk.models.tfeat(dim=16), hk.losses.AnchorSwapTriplet(0.7))
    hynet = hk.models.hynet(dim=16, norm_regularizer=0.1)
    hynet = descriptor_model(hynet, hk.losses.HardNegativeTriplet(0.7, "minimum"))
    cases = {
        "tfeat": (tfeat, np.repeat(np.arange(4), 2)),
        "hynet": (hynet, np.repeat(np.arange(4), 2)),
        "unet": (denoising_model(), rng.integers(0, 256, (8, 32, 32, 1)).astype("float32")),
    }
    files = []
    for name, (model, targets) in cases.items():
        scores = model.evaluate(patches, targets, batch_size=8, verbose=0, return_dict=True)
        file = folder / f"{name}.keras"
        model.save(file)
        np.savez(f"{file}.npz", x=patches, y=targets, names=sorted(scores), **scores)
        files.append(str(file))
    return files


@pytest.mark.slow
@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
def test_saved_models_load_whichever_package_is_imported_first(imports, saved_models):
    environment = {**os.environ, "KERAS_BACKEND": keras.backend.backend()}
    printed = run_python(imports + LOAD, *saved_models, cwd=PACKAGE.parent, env=environment)
    losses = re.findall(r"^loaded (\w+)$", printed, re.MULTILINE)
    assert losses == ["AnchorSwapTriplet", "HardNegativeTriplet", "SSIMAndMAE"]


def test_every_module_with_registered_classes_is_in_the_list_that_is_imported_with_keras():
    modules = {
        ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        for file in PACKAGE.rglob("*.py")
        if "@keras.saving.register_keras_serializable" in file.read_text(encoding="utf-8")
    }
    assert modules == set(hk.REGISTERED)
