"""datasets.releases."""

import re
import zipfile
from pathlib import Path

from tqdm import tqdm

from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.atomic import atomic_folder, remove_leftovers
from hpatches_kit._support.disk import check_disk_space, data_folder
from hpatches_kit._support.downloads import _beginning, download
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked

HUB = "https://huggingface.co/datasets/vbalnt/hpatches/resolve/main"


FILES = {
    "hpatches": f"{HUB}/hpatches-release.zip",  # patches, 4.2 GB
    "sequences": f"{HUB}/hpatches-sequences-release.zip",  # the images they were cut from, 1.3 GB
}


def download_release(name, folder=None, progress=True):
    """Download a release of HPatches as a zip, or find the one that is already here.

    Args:
        name: `"hpatches"` (4.2 GB) or `"sequences"` (1.3 GB).
        folder: where the zip goes. Default: `downloads` below `$HPATCHES_KIT_DATA` or the kit's data.
        progress: whether to say what is going on and draw a bar.

    Returns:
        The path of the zip. Raises UserError for an unknown name, and what `download` raises.
    """
    if name not in FILES:
        raise UserError(f"Unknown file {name!r}: expected {', '.join(map(repr, FILES))}.")
    file = Path(folder or data_folder() / "downloads") / FILES[name].rpartition("/")[2]
    return download(FILES[name], file, progress=progress, check=check_zip)


def check_zip(file):
    """Raise UserError when a file is not a zip, or is one without its end."""
    try:
        zipfile.ZipFile(file).close()
    except (zipfile.BadZipFile, NotImplementedError):
        beginning = _beginning(file)
        if beginning.startswith("PK"):
            raise UserError("is a zip file that is cut off") from None
        raise UserError(f"is not a zip file; it begins with {beginning!r}") from None


SEQUENCE_FILE = re.compile(r"[1-6]\.(ppm|png|jpg)|H_1_[2-6]")


def image_sequences(folder=None, source=None, progress=True):
    """Path of the folder with the image sequences that HPatches was cut from; see `hk.sequences`.

    The first time they are downloaded, 1.3 GB, and unpacked; what is there already stays.

    Args:
        folder: where they are kept. Default: as for `load`.
        source: zip of the release that is on this computer already: no network is used.
        progress: show bars.

    Raises UserError for a zip without sequences, and as `fetch` and `open_zip` do.
    """
    home = Path(folder).expanduser() if folder else data_folder()
    place = home / "hpatches-sequences"
    if place.is_dir():
        return place
    with locked(place):
        remove_leftovers(place)
        if not place.is_dir():  # another process may have unpacked it meanwhile
            _unpack(home, place, source, progress)
    return place


def _unpack(home, place, source, progress):
    source = (
        Path(source).expanduser()
        if source
        else download_release("sequences", home / "downloads", progress)
    )
    if source.is_dir():
        raise UserError(f"{source} is a folder: its sequences can be read where they are.")
    with open_zip(source) as (files, read):
        wanted = [
            path for path in files if len(path.parts) > 1 and SEQUENCE_FILE.fullmatch(path.name)
        ]
        if not wanted:
            raise UserError(f"{source} holds no image sequence: expected 1.ppm and H_1_2.")
        folders = {path.parent for path in wanted}
        if len({folder.name for folder in folders}) < len(folders):
            raise UserError(f"{source} holds two sequences of one name.")
        with atomic_folder(place, ["*"]) as unpacked:
            check_disk_space(unpacked, sum(files[path][0] for path in wanted), "Unpacking")
            for path in tqdm(wanted, "Unpacking", unit="file", disable=not progress, delay=2):
                target = unpacked / path.parent.name / path.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(read(path))
