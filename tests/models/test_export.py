"""Exported models: the runtimes of each format give the numbers of Keras, for any batch size."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras_tools import outputs

import hpatches_kit as hk

PAGE = Path(hk.__file__).resolve().parent.parent / "docs" / "export.md"
HARDNET = {"standardise": True, "affine": False, "final_batch_norm": True}


def denoiser():
    return hk.models.unet(encoder=(4, 4), decoder=(4,), residual=True)


def denoiser_and_descriptor():
    return hk.models.with_resize(hk.models.end_to_end(denoiser(), hk.models.tfeat(16)))


one_backend = pytest.mark.one_backend
models = pytest.mark.parametrize(
    "make",
    [
        pytest.param(denoiser, id="denoiser", marks=one_backend),
        pytest.param(lambda: hk.models.l2net(16, **HARDNET), id="descriptor", marks=one_backend),
        pytest.param(denoiser_and_descriptor, id="both, with resize"),
    ],
)


def run_saved_model(file):
    tensorflow = pytest.importorskip("tensorflow")
    loaded = tensorflow.saved_model.load(file)
    return lambda patches: loaded.serve(patches).numpy()


def run_onnx(file):
    session = pytest.importorskip("onnxruntime").InferenceSession(file)
    (patches_input,) = session.get_inputs()
    assert patches_input.shape[1:] in ([32, 32, 1], [65, 65, 1])
    return lambda patches: session.run(None, {patches_input.name: patches})[0]


def run_litert(file):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(file)
    patches_input, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(patches):
        interpreter.resize_tensor_input(patches_input["index"], patches.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(patches_input["index"], patches)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return run


FORMATS = {
    "tf_saved_model": (run_saved_model, "saved", ("tensorflow", "jax"), ("tensorflow",)),
    "onnx": (run_onnx, "model.onnx", ("tensorflow",), ("onnxruntime", "tf2onnx")),
    "litert": (run_litert, "model.tflite", ("tensorflow",), ("ai_edge_litert",)),
}


def skip_without(backends, packages, format):
    if keras.backend.backend() not in backends:
        pytest.skip(f"{format} is written on {' or '.join(backends)}")
    for package in packages:
        pytest.importorskip(package)
    if format == "litert" and tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13):
        pytest.skip("Keras writes LiteRT from version 3.13 on")


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@models
def test_an_exported_model_gives_the_numbers_of_keras_for_any_batch_size(make, format, tmp_path):
    run, name, backends, packages = FORMATS[format]
    skip_without(backends, packages, format)
    keras.utils.set_random_seed(0)
    model = make()
    size = model.input_shape[1]
    patches = np.random.default_rng(0).integers(0, 256, (5, size, size, 1)).astype("float32")
    expected = outputs(model, patches)
    file = str(tmp_path / name)  # Keras 3.13 writes LiteRT only to a text, not to a Path
    model.export(file, format=format, verbose=False)
    exported = run(file)
    tolerance = 1e-5 * max(1, np.abs(expected).max())
    for count in (5, 1, 2):
        result = exported(patches[:count])
        assert result.dtype == "float32" and result.shape == expected[:count].shape
        np.testing.assert_allclose(result, expected[:count], atol=tolerance)


@pytest.mark.one_backend
@pytest.mark.slow
def test_the_code_of_the_page_runs(tmp_path, monkeypatch):
    for format, (_, _, backends, packages) in FORMATS.items():
        skip_without(backends, packages, format)
    monkeypatch.chdir(tmp_path)
    names = {"patches": np.zeros((3, 65, 65, 1), "float32")}
    with monkeypatch.context() as context:
        use_local_hub(context, tmp_path)
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S):
            exec(block, names)


def use_local_hub(monkeypatch, folder):
    """Replace the client of the Hugging Face hub by one that copies folders."""
    import shutil

    class Api:
        def __init__(self, **_):
            pass

        def create_repo(self, repo_id, exist_ok):
            (folder / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, repo_id, folder_path, commit_message):
            shutil.copytree(folder_path, folder / repo_id, dirs_exist_ok=True)

    class Card:
        def __init__(self, content):
            self.content = content

        def push_to_hub(self, repo_id):
            (folder / repo_id / "README.md").write_text(self.content)

    def snapshot_download(repo_id, **_):
        return str(folder / repo_id)

    client = SimpleNamespace(HfApi=Api, snapshot_download=snapshot_download, ModelCard=Card)
    monkeypatch.setitem(sys.modules, "huggingface_hub", client)
    monkeypatch.setattr(sys.modules["keras.src.saving.saving_lib"], "huggingface_hub", client)


@pytest.mark.one_backend
def test_a_model_is_saved_to_a_hub_repository_and_loaded_from_it(tmp_path, monkeypatch):
    use_local_hub(monkeypatch, tmp_path)
    model = hk.models.hynet(dim=8)
    model.save("hf://somebody/hynet")
    assert {"config.json", "README.md"} <= {f.name for f in (tmp_path / "somebody/hynet").iterdir()}
    loaded = keras.saving.load_model("hf://somebody/hynet")
    patches = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(outputs(loaded, patches), outputs(model, patches), atol=1e-6)
