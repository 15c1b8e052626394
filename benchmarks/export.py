"""Exported models: file size, patches per second and the largest difference to Keras.

    pip install ".[export]"
    python benchmarks/export.py           # 4 minutes; --save writes the table to docs/export.md

Exports the pretrained denoiser, descriptor network and both in one, the last also with the resize
from 65x65 pixels, to SavedModel, ONNX and LiteRT. Every runtime, and Keras, takes turns on batches
of 256 random patches, with as many threads as there are cores; the speed is that of the fastest of 40
turns, which other programs on the machine disturb least.
"""

import argparse
import os
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import measure
import numpy as np

from hpatches_kit._support.processor import cores

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BATCH, ROUNDS = 256, 40
PACKAGES = ("keras", "tensorflow", "onnxruntime", "ai-edge-litert")


def models():
    import hpatches_kit as hk

    both = hk.models.pretrained("noisy-descriptor")
    return {
        "denoiser": hk.models.pretrained("denoiser"),
        "descriptor": hk.models.pretrained("descriptor"),
        "both in one": both,
        "both, with resize": hk.models.with_resize(both),
    }


def saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda patches: loaded.serve(patches).numpy()


def onnx(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    session = onnxruntime.InferenceSession(path, options)
    name = session.get_inputs()[0].name
    return lambda patches: session.run(None, {name: patches})[0]


def litert(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=cores())
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(
        place, (BATCH, *interpreter.get_input_details()[0]["shape"][1:])
    )
    interpreter.allocate_tensors()

    def run(patches):
        interpreter.set_tensor(place, patches)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


FORMATS = {
    "SavedModel": ("tf_saved_model", "model", saved_model),
    "ONNX": ("onnx", "model.onnx", onnx),
    "LiteRT": ("litert", "model.tflite", litert),
}


def size_in_mb(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def compare(title, model, folder):
    """A row of the table for Keras and for each format."""
    size = model.input_shape[1]
    patches = np.random.default_rng(0).integers(0, 256, (BATCH, size, size, 1)).astype("float32")
    runs = {"Keras": lambda patches: model.predict_on_batch(patches)}
    expected = runs["Keras"](patches)  # before the exports: ONNX needs a model that was called
    model.save(folder / "model.keras")
    sizes = {"Keras": size_in_mb(folder / "model.keras")}
    for name, (format, file, load) in FORMATS.items():
        path = str(folder / file)
        model.export(path, format=format, verbose=False)
        runs[name], sizes[name] = load(path), size_in_mb(folder / file)
    results = {name: run(patches) for name, run in runs.items()}  # the first call may compile
    seconds = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            run(patches)
            seconds[name].append(time.perf_counter() - start)
    return [
        {
            "model": title,
            "format": name,
            "file, MB": sizes[name],
            "patches per second": round(BATCH / min(seconds[name])),
            "largest difference to Keras": float(np.abs(results[name] - expected).max()),
        }
        for name in runs
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write the table to docs/export.md")
    options = parser.parse_args()
    rows = []
    for title, model in models().items():
        with tempfile.TemporaryDirectory() as folder:
            rows += compare(title, model, Path(folder))
    text = measure.table(rows)
    print(text)
    if options.save:
        versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        measure.save_to_page(
            "export", f"{text}\n\n{measure.describe_machine()}; {versions}.", "docs/export.md"
        )


if __name__ == "__main__":
    main()
