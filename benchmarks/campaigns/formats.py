"""Every format that the kit reads: a function that writes an example, and one that reads it.

What is read is returned as a text, its hash, so that two results can be compared.
"""

import hashlib
import io
import json
import shutil
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

import hpatches_kit as hk
from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.resumable_arrays import ResumableArrays
from hpatches_kit.datasets.hpatches import convert_release
from hpatches_kit.datasets.strips import write_strips
from hpatches_kit.experiments import Denoiser, Run, Scale
from hpatches_kit.experiments.records import log_of, record_of, save_records
from hpatches_kit.images.reading import read_grey
from hpatches_kit.images.sequences import read_sequence
from hpatches_kit.patches.storage import open_patch_set

LENGTHS = {"v_a": 3, "i_b": 2, "v_c": 3}
NAMES = np.repeat(list(LENGTHS), list(LENGTHS.values()))
RNG = np.random.default_rng


@dataclass
class Format:
    """How to write and read a format.

    Attributes:
        write: function of a new folder that writes the example there.
        read: function of that folder; returns a text that identifies what was read.
        files: paths, relative to the folder, of the files that are damaged.
        has_checksum: whether every change of a byte can be noticed. Numbers in a text cannot.
    """

    write: object
    read: object
    files: tuple
    has_checksum: bool = True


def hash_of(*parts):
    """A text that identifies arrays and other values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(repr((part.shape, str(part.dtype))).encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()


def descriptors():
    return hk.Descriptors(RNG(0).normal(size=(8, 16, 4)), NAMES, name="random")


def patches(seed=1):
    clean = RNG(seed).integers(0, 256, (8, 16, 32, 32), np.uint8)
    splits = {"own": {"train": ["v_a"], "validation": ["i_b"], "test": ["v_c"]}}
    return hk.PatchSet({"clean": clean, "noisy": clean[::-1].copy()}, NAMES, splits=splits)


def _of_descriptors(d):
    return hash_of(d.values, d.sequence, d.label, d.flat)


def hash_of_patches(p):
    return hash_of(p.clean, p.noisy, p.label, p.flat, p.lengths, p.splits)


def _zip(folder, file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))


def _csv_zip(folder):
    descriptors().write_csv(folder / "set", progress=False)
    _zip(folder / "set", folder / "set.zip")
    shutil.rmtree(folder / "set")


def write_release(folder):
    """Write strips of HPatches, with their labels, to a folder `release`."""
    for name, points in LENGTHS.items():
        strips = RNG(points).integers(0, 256, (points, 16, 65, 65), np.uint8)
        write_strips(folder / "release" / name, strips)
    labels = {name: list(range(points)) for name, points in LENGTHS.items()}
    (folder / "release" / "places.json").write_text(json.dumps({"label": labels, "splits": {}}))


def _zip_of_strips(folder):
    write_release(folder)
    _zip(folder / "release", folder / "release.zip")
    shutil.rmtree(folder / "release")


def _convert(source):
    shutil.rmtree(source.parent / "arrays", ignore_errors=True)
    return hash_of_patches(convert_release(source, source.parent / "arrays", progress=False))


def _picture(name):
    def write(folder):
        grey = RNG(2).integers(0, 256, (40, 50), np.uint8)
        Image.fromarray(grey).save(folder / name)

    return Format(write, lambda folder: hash_of(read_grey(folder / name)), (name,))


def _sequence(folder):
    for k in (1, 2):
        Image.fromarray(RNG(k).integers(0, 256, (40, 50), np.uint8)).save(folder / f"{k}.png")
    np.savetxt(folder / "H_1_2", np.eye(3) + 0.01)


def _read_sequence(folder):
    sequence = read_sequence(folder)
    return hash_of(*sequence.images, sequence.homographies)


def _scores(folder):
    hk.benchmark.evaluate(descriptors(), only="matching", progress=False).save(folder / "s.json")


def _tasks(folder):
    tasks = hk.benchmark.draw_tasks(descriptors(), pairs=20)
    tasks.save(folder / "lists", "a", descriptors().lengths)


def _read_tasks(folder):
    tasks = hk.benchmark.load_tasks(folder / "lists", "a", descriptors())
    pairs = [vars(getattr(tasks, kind)) for kind in ("positive", "intra", "inter")]
    return hash_of(tasks.queries, tasks.distractors, *(a for p in pairs for a in p.values()))


def _weights(folder):
    np.savez(folder / "weights.npz", **{str(k): RNG(k).normal(size=(k + 1, 5)) for k in range(4)})


def _read_weights(folder):
    return hash_of(*sorted(read_npz(folder / "weights.npz", "a file of weights").items()))


ROW = Denoiser("campaign", network_options={"encoder": (2, 2), "decoder": (2,)})
RUN = Run(ROW, "mini", Scale("campaign", epochs=2), 0)


def _run_folder(folder):
    """The folder of a complete run, without training it."""
    run = folder / RUN.folder
    run.mkdir(parents=True, exist_ok=True)
    write_text(run / "log.csv", "epoch,loss\n0,2.0\n1,1.0\n")
    sha256 = {"log.csv": digest(run / "log.csv")}
    record = {"settings": RUN.settings, "scores": {}, "sha256": sha256, "seconds": 3.0}
    write_text(run / "run.json", json.dumps(record))


def _read_run(folder):
    record = record_of(RUN, folder)
    if record is None:
        raise FileNotFoundError("neither run.json nor runs.jsonl has the run: it is trained")
    return hash_of(record["settings"], record["scores"], log_of(RUN, folder).to_csv())


def _read_backup(folder):
    return hash_of(*sorted(read_npz(folder / "b.npz", "a backup of a run", links=False).items()))


def _interrupted_arrays(folder):
    arrays = ResumableArrays(folder / "arrays", 9, {"x": (5,)}, {"seed": 0})
    arrays.put([0, 3], x=np.full((2, 5), 7, np.uint8))


def _read_arrays(folder):
    """Continue the arrays, as denoising and conversions do."""
    arrays = ResumableArrays(folder / "arrays", 9, {"x": (5,)}, {"seed": 0})
    missing = arrays.missing()
    arrays.put(missing, x=np.full((len(missing), 5), 7, np.uint8))
    return hash_of(arrays.arrays()["x"])


def _kept_runs(folder):
    _run_folder(folder / "from")
    save_records(folder, [RUN], folder / "from")
    shutil.rmtree(folder / "from")


FORMATS = {
    "CSV folder": Format(
        lambda folder: descriptors().write_csv(folder / "set", progress=False),
        lambda folder: _of_descriptors(hk.descriptors.load(folder / "set", progress=False)),
        ("set/v_a/ref.csv", "set/v_c/t5.csv"),
        has_checksum=False,
    ),
    "CSV zip": Format(
        _csv_zip,
        lambda folder: _of_descriptors(hk.descriptors.load(folder / "set.zip", progress=False)),
        ("set.zip",),
    ),
    "npz of descriptors": Format(
        lambda folder: descriptors().save(folder / "set.npz"),
        lambda folder: _of_descriptors(hk.descriptors.load(folder / "set.npz")),
        ("set.npz",),
    ),
    "patch set": Format(
        lambda folder: patches().save(folder / "set"),
        lambda folder: hash_of_patches(open_patch_set(folder / "set")),
        ("set/patches.json", "set/label.npy", "set/clean.npy"),
    ),
    "strips": Format(
        write_release,
        lambda folder: _convert(folder / "release"),
        ("release/v_a/ref.png", "release/v_c/h2.png"),
    ),
    "labels of strips": Format(
        write_release,
        lambda folder: _convert(folder / "release"),
        ("release/places.json",),
        has_checksum=False,
    ),
    "zip of strips": Format(
        _zip_of_strips, lambda folder: _convert(folder / "release.zip"), ("release.zip",)
    ),
    "PNG": _picture("a.png"),
    "image sequence": Format(_sequence, _read_sequence, ("1.png", "2.png")),
    "homography": Format(_sequence, _read_sequence, ("H_1_2",), has_checksum=False),
    "scores": Format(
        _scores,
        lambda folder: hash_of(hk.benchmark.load_scores(folder / "s.json")[0].frame().to_numpy()),
        ("s.json",),
        has_checksum=False,
    ),
    "task lists": Format(
        _tasks,
        _read_tasks,
        ("lists/verif_pos_split-a.csv", "lists/retr_queries_split-a.csv"),
        has_checksum=False,
    ),
    "record of a run": Format(
        _run_folder,
        _read_run,
        (f"{RUN.folder}/run.json", f"{RUN.folder}/log.csv"),
        has_checksum=False,
    ),
    "kept runs": Format(_kept_runs, _read_run, ("runs.jsonl", "logs.jsonl"), has_checksum=False),
    "backup of a run": Format(
        lambda folder: np.savez(folder / "b.npz", epoch=3, ended=False, **{"0": np.eye(9)}),
        _read_backup,
        ("b.npz",),
    ),
    "interrupted arrays": Format(
        _interrupted_arrays,
        _read_arrays,
        ("arrays/plan.json", "arrays/done", "arrays/x.npy"),
        has_checksum=False,
    ),
    "weights": Format(_weights, _read_weights, ("weights.npz",)),
}
for _name in ("a.jpg", "a.ppm", "a.tif", "a.bmp"):  # formats without a checksum of their own
    FORMATS[_name[2:].upper()] = _picture(_name)
    FORMATS[_name[2:].upper()].has_checksum = False


def png_header(width, height):
    """A PNG image of a few bytes that claims any size."""
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, "png")
    content = bytearray(stream.getvalue())
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)
