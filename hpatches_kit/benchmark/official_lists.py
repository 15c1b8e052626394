"""Download the official task lists of the HPatches benchmark."""

from pathlib import Path

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.downloads import download, first_line
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.task_files import PAIR_COLUMNS, PAIR_FILES, POINT_COLUMNS, POINT_FILES
from hpatches_kit.datasets.splits import SPLITS

ADDRESS = "https://raw.githubusercontent.com/hpatches/hpatches-benchmark/master/tasks"
HEADERS = dict.fromkeys(PAIR_FILES.values(), ",".join(PAIR_COLUMNS))  # {file: its first line}
HEADERS |= dict.fromkeys(POINT_FILES.values(), ",".join(POINT_COLUMNS))


def download_tasks(split, folder=None, progress=True):
    """Download the five official task lists of a split, unless they already exist.

    Args:
        split: `"a"`, `"b"`, `"c"`, `"view"`, `"illum"` or `"full"`.
        folder: default: `official_tasks` in the data folder.
        progress: print what is downloaded, and show a bar.

    Returns the folder. Raises UserError for an unknown split, and the errors of `download`.
    """
    if split not in SPLITS:
        raise UserError(f"Unknown split {split!r}: expected {', '.join(map(repr, SPLITS))}.")
    folder = Path(folder or data_folder() / "official_tasks").expanduser()
    for name, header in HEADERS.items():
        file = f"{name}_split-{split}.csv"
        download(f"{ADDRESS}/{file}", folder / file, progress=progress, check=check_header(header))
    return folder


def check_header(header):
    """A function that raises UserError if the first line of a text file is not `header`."""

    def check(file):
        beginning = first_line(file, limit=1000)
        if beginning != header:
            raise UserError(f"begins with {beginning[:40]!r}, expected {header!r}")

    return check
