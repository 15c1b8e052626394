"""The releases of HPatches: patches and image sequences, downloaded by name."""

import re
import zipfile
from pathlib import Path

from tqdm import tqdm

from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.atomic import atomic_folder
from hpatches_kit._support.disk import check_disk_space, data_folder
from hpatches_kit._support.downloads import HUB, download, first_line
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.leftovers import remove_leftovers
from hpatches_kit._support.locks import locked

ADDRESS = f"{HUB}/datasets/vbalnt/hpatches/resolve/main"
FILES = {
    "hpatches": f"{ADDRESS}/hpatches-release.zip",  # patches, 4.2 GB
    "sequences": f"{ADDRESS}/hpatches-sequences-release.zip",  # their image sequences, 1.3 GB
}
SEQUENCE_FILE = re.compile(r"[1-6]\.(ppm|png|jpg)|H_1_[2-6]")


def download_release(name, folder=None, progress=True):
    """Download a release of HPatches, unless it already exists; returns the path of the zip.

    Args:
        name: `"hpatches"` (4.2 GB) or `"sequences"` (1.3 GB).
        folder: of the zip. Default: `downloads` in the data folder.
        progress: print what is downloaded, and show a bar.

    Raises UserError for an unknown name, and the errors of `download`.
    """
    if name not in FILES:
        raise UserError(f"Unknown release {name!r}: expected {' or '.join(map(repr, FILES))}.")
    file = Path(folder or data_folder() / "downloads") / FILES[name].rpartition("/")[2]
    return download(FILES[name], file, progress=progress, check=check_zip)


def check_zip(file):
    """Raise UserError if a file is not a zip, or is truncated."""
    try:
        zipfile.ZipFile(file).close()
    except (zipfile.BadZipFile, NotImplementedError):
        beginning = first_line(file)
        if beginning.startswith("PK"):
            raise UserError("is a zip file that is cut off") from None
        raise UserError(f"is not a zip file; it begins with {beginning!r}") from None


def image_sequences(folder=None, source=None, progress=True):
    """Return the folder of the image sequences of HPatches; the first call downloads 1.3 GB.

    Args:
        folder: contains the result, `hpatches-sequences`. Default: the data folder.
        source: path of the zip, if you have it; then nothing is downloaded.
        progress: show progress bars.

    Raises UserError for a zip without sequences, and the errors of `download_release` and
    `open_zip`.
    """
    home = Path(folder).expanduser() if folder else data_folder()
    sequences = home / "hpatches-sequences"
    if sequences.is_dir():
        return sequences
    with locked(sequences):
        remove_leftovers(sequences)
        if not sequences.is_dir():  # another process may have unpacked them meanwhile
            file = source or download_release("sequences", home / "downloads", progress)
            _unpack_sequences(Path(file).expanduser(), sequences, progress)
    return sequences


def _unpack_sequences(file, sequences, progress):
    if file.is_dir():
        raise UserError(
            f"{file} is a folder: expected a zip. Read each sequence with hk.images.read_sequence."
        )
    with open_zip(file) as (members, read):
        paths = [p for p in members if len(p.parts) > 1 and SEQUENCE_FILE.fullmatch(p.name)]
        if not paths:
            raise UserError(f"{file} contains no image sequence: expected 1.ppm and H_1_2.")
        folders = {path.parent for path in paths}
        if len({folder.name for folder in folders}) < len(folders):
            raise UserError(f"{file} contains two sequences with the same name.")
        with atomic_folder(sequences, ["*"]) as partial:
            check_disk_space(partial, sum(members[path][0] for path in paths), "Unpacking")
            for path in tqdm(paths, "Unpacking", unit="file", disable=not progress, delay=2):
                target = partial / path.parent.name / path.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(read(path))
