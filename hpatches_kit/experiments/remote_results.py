"""Results at an address that fsspec knows (`s3://`, `gs://`, ...), and their local copy.

Keras writes to local files, so a run is trained in the local copy. After each epoch all its files
are uploaded as one zip, first under a temporary name, so that the zip is always complete. A
complete run also has a small JSON file there, which is all that the tables need. If the results are
in a local folder, nothing is transferred.

Use an address from one command at a time: two commands would do the same work, without harm.
"""

import hashlib
import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path, PurePosixPath

import keras

from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import LIMIT, parse_json
from hpatches_kit._support.units import format_bytes
from hpatches_kit.callbacks.resume import LOG
from hpatches_kit.experiments.records import FILES, MODEL, RECORD, run_folder

OLD_MODEL = "model.keras"  # of earlier versions: loading it could run the code of a stranger
LARGEST = 4 << 30  # bytes of the files of a run
BLOCK = 1 << 24  # bytes that are downloaded at once


def is_remote(root):
    """Whether results are at an address, not in a local folder."""
    return "://" in str(root)


def is_copy(root):
    """Whether a local folder is the copy of the results at an address."""
    return Path(root).resolve().parent == (data_folder() / "results").resolve()


def local_folder(root):
    """The local folder of results: `root` itself, or the local copy of an address."""
    if not is_remote(root):
        return Path(root).expanduser()
    digest = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return data_folder() / "results" / digest


def download_records(root, folders):
    """Download record and log of the runs that are complete at the address and not here."""
    if not is_remote(root):
        return
    filesystem, base = _filesystem(root)
    for folder in folders:
        local, remote = run_folder(local_folder(root), folder), f"{base}/{folder}.json"
        if not (local / RECORD).exists() and filesystem.exists(remote):
            text = filesystem.cat_file(remote, 0, LIMIT + 1)
            if len(text) > LIMIT:
                raise UserError(f"{root}/{folder}.json has more than {format_bytes(LIMIT)}.")
            what, fields = "a record and its log", {"log": str, "record": str}
            texts = parse_json(text, f"{root}/{folder}.json", what, fields)
            write_text(local / LOG, texts["log"])
            write_text(local / RECORD, texts["record"])  # last: it marks the run as complete


def download_run(root, folder):
    """Download all files of a run if the address has more epochs, or a model that is missing here.

    Raises UserError for an archive with another name than those of the files of a run, and for one
    that is too large.
    """
    if not is_remote(root):
        return
    filesystem, base = _filesystem(root)
    local, remote = run_folder(local_folder(root), folder), f"{base}/{folder}.zip"
    if not filesystem.exists(remote):
        return
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / f"{folder.replace('/', '-')}.zip"  # errors show this name
        with filesystem.open(remote) as stream, open(archive, "wb") as file:
            while block := stream.read(BLOCK):
                if file.tell() + len(block) > LARGEST:
                    raise UserError(f"{root}/{folder}.zip has more than {format_bytes(LARGEST)}.")
                file.write(block)
        with open_zip(archive, LARGEST) as (members, read):
            if PurePosixPath(OLD_MODEL) in members:
                raise UserError(
                    f"{root}/{folder}.zip is of an earlier version: its {OLD_MODEL} could run code."
                    " Delete it to train again."
                )
            if unknown := [str(path) for path in members if str(path) not in FILES]:
                raise UserError(
                    f"{root}/{folder}.zip holds {unknown[0]!r}: expected only files of a run."
                )
            if PurePosixPath(LOG) not in members:
                raise UserError(f"{root}/{folder}.zip holds no {LOG}: delete it to train again.")
            local_log = (local / LOG).read_bytes() if (local / LOG).exists() else b""
            has_more = _count_epochs(read(PurePosixPath(LOG))) > _count_epochs(local_log)
            is_complete = PurePosixPath(RECORD) in members
            if has_more or (is_complete and not (local / MODEL).exists()):
                for path in sorted(members, key=lambda path: path.name == RECORD):  # last
                    with atomic_file(local / path) as file:
                        file.write_bytes(read(path))


def upload_run(root, folder):
    """Upload the files of a run that has at least one complete epoch."""
    if not is_remote(root):
        return
    filesystem, base = _filesystem(root)
    local, remote = run_folder(local_folder(root), folder), f"{base}/{folder}"
    if not (local / LOG).exists():
        return
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in sorted(local.iterdir()):
            if file.name in FILES and file.is_file() and not file.is_symlink():
                archive.write(file, file.name)
    filesystem.makedirs(remote.rpartition("/")[0], exist_ok=True)
    _write(filesystem, f"{remote}.zip", stream.getvalue())
    if (local / RECORD).exists():
        texts = {"record": (local / RECORD).read_text(), "log": (local / LOG).read_text()}
        _write(filesystem, f"{remote}.json", json.dumps(texts).encode())


def is_uploaded(root, folder):
    """Whether the address has this complete run; always true for a local folder."""
    if not is_remote(root):
        return True
    filesystem, base = _filesystem(root)
    return filesystem.exists(f"{base}/{folder}.json")


class UploadRun(keras.callbacks.Callback):
    """Uploads a run after each epoch. A failed upload is a warning; training continues."""

    def __init__(self, root, folder):
        super().__init__()
        self.root, self.folder = root, folder

    def on_epoch_end(self, epoch, logs=None):
        try:
            upload_run(self.root, self.folder)
        except Exception as error:  # each kind of address raises its own errors
            message = f"Epoch {epoch + 1} was not uploaded to {self.root}: {error}"
            warnings.warn(message, stacklevel=2)


def _write(filesystem, remote, content):
    """Write a remote file under a temporary name, then rename it, so it is never incomplete."""
    filesystem.pipe_file(f"{remote}.part", content)
    filesystem.mv(f"{remote}.part", remote)


def _count_epochs(log):
    return max(len(log.splitlines()) - 1, 0)


def _filesystem(root):
    """The fsspec file system of an address, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UserError(
            f"Results at {root} need fsspec: pip install fsspec, and the package that it names for"
            " this kind of address."
        ) from error
    filesystem, base = url_to_fs(str(root))
    filesystem.invalidate_cache()  # other machines write there
    return filesystem, base.rstrip("/")
