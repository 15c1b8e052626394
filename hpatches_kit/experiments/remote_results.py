"""Results at an address that fsspec knows (`s3://`, `gs://`, ...), and a copy of them here.

Keras writes to local files, so each run is trained in the copy, and after each epoch all of it goes to the
address as one zip, first under another name: what is there is always of one epoch, whatever is killed. A
complete run also has a small JSON file there, all that tables need. A local folder is its own copy, and
nothing of this happens.

One command at a time should work on an address: two would train the same rows, though neither harms what
the other has made.
"""

import hashlib
import io
import json
import warnings
import zipfile
from pathlib import Path

import keras

from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit.callbacks.resume import BEST, LOG

RECORD = "run.json"


def is_remote(root):
    return "://" in str(root)


def local_folder(root):
    """The local folder of these results: `root` itself, or where its copy is kept."""
    if not is_remote(root):
        return Path(root).expanduser()
    letters = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return data_folder() / "results" / letters


def download_records(root, folders):
    """Bring record and log of these runs here, where they are complete at the address only."""
    if not is_remote(root):
        return
    files, base = _open(root)
    for folder in folders:
        here, there = local_folder(root) / folder, f"{base}/{folder}.json"
        if not (here / RECORD).exists() and files.exists(there):
            kept = json.loads(files.cat_file(there))
            write_text(here / LOG, kept["log"])
            write_text(here / RECORD, kept["record"])  # last: with it the run counts as complete


def download_run(root, folder):
    """Bring all files of a run here, where the address has more epochs of it."""
    if not is_remote(root):
        return
    files, base = _open(root)
    here, there = local_folder(root) / folder, f"{base}/{folder}.zip"
    if not files.exists(there):
        return
    with zipfile.ZipFile(io.BytesIO(files.cat_file(there))) as archive:
        names = archive.namelist()
        more = _epochs(archive.read(LOG)) - _epochs(
            (here / LOG).read_bytes() if (here / LOG).exists() else b""
        )
        absent = RECORD in names and not (here / "model.keras").exists()
        if more > 0 or absent:
            for name in sorted(names, key=lambda name: name == RECORD):
                with atomic_file(here / name) as file:
                    file.write_bytes(archive.read(name))


def upload_run(root, folder):
    """Bring a run from here to the address."""
    if not is_remote(root):
        return
    files, base = _open(root)
    here, there = local_folder(root) / folder, f"{base}/{folder}"
    if not (here / LOG).exists():  # no epoch is complete
        return
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in sorted(here.iterdir()):
            if file.is_file() and not file.name.startswith(".") and file.name != BEST:
                archive.write(file, file.name)
    files.makedirs(there.rpartition("/")[0], exist_ok=True)
    _put(files, f"{there}.zip", stream.getvalue())
    if (here / RECORD).exists():
        kept = {"record": (here / RECORD).read_text(), "log": (here / LOG).read_text()}
        _put(files, f"{there}.json", json.dumps(kept).encode())


def is_uploaded(root, folder):
    """Whether the address has this run, complete; true of a local folder."""
    if not is_remote(root):
        return True
    files, base = _open(root)
    return files.exists(f"{base}/{folder}.json")


class UploadRun(keras.callbacks.Callback):
    """Brings a run to its address after each epoch; a failure costs that epoch's copy alone."""

    def __init__(self, root, folder):
        super().__init__()
        self.root, self.folder = root, folder

    def on_epoch_end(self, epoch, logs=None):
        try:
            upload_run(self.root, self.folder)
        except Exception as error:  # each kind of address has errors of its own
            warnings.warn(f"Epoch {epoch + 1} is not at {self.root}: {error}", stacklevel=2)


def _put(files, there, content):
    """Write a file whole or not at all, also where an address is a disk."""
    files.pipe_file(f"{there}.part", content)
    files.mv(f"{there}.part", there)


def _epochs(log):
    return max(len(log.splitlines()) - 1, 0)


def _open(root):
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UserError(
            f"Results at {root} need fsspec: pip install fsspec, and what it names for this kind of"
            " address."
        ) from error
    files, base = url_to_fs(str(root))
    files.invalidate_cache()  # others write there
    return files, base.rstrip("/")
