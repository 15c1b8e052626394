"""benchmark.official_lists."""

from pathlib import Path

from hpatches_kit._support.disk import data_folder
from hpatches_kit._support.downloads import _beginning, download
from hpatches_kit._support.errors import UserError
from hpatches_kit.benchmark.task_files import PAIR_COLUMNS, PAIR_FILES, POINT_COLUMNS, POINT_FILES
from hpatches_kit.datasets.splits import SPLITS

TASKS = "https://raw.githubusercontent.com/hpatches/hpatches-benchmark/master/tasks"


LISTS = dict.fromkeys(PAIR_FILES.values(), ",".join(PAIR_COLUMNS))  # and their first lines


LISTS |= dict.fromkeys(POINT_FILES.values(), ",".join(POINT_COLUMNS))


def download_tasks(split, folder=None, progress=True):
    """Download the five official task lists of a split, unless they are already here.

    Args:
        split: `"a"`, `"b"`, `"c"`, `"view"`, `"illum"` or `"full"`.
        folder: where they go. Default: `official_tasks` below `$HPATCHES_KIT_DATA` or the kit's data.
        progress: whether to say what is going on and draw a bar.

    Returns:
        The folder. Raises UserError for an unknown split, and what `download` raises.
    """
    if split not in SPLITS:
        raise UserError(f"Unknown split {split!r}: expected {', '.join(map(repr, SPLITS))}.")
    folder = Path(folder or data_folder() / "official_tasks").expanduser()
    for name, header in LISTS.items():
        file = f"{name}_split-{split}.csv"
        download(f"{TASKS}/{file}", folder / file, progress=progress, check=check_header(header))
    return folder


def check_header(header):
    """A check that the first line of a text file is `header`."""

    def check(file):
        with open(file, "rb") as stream:
            if stream.readline(1000).strip() != header.encode():
                raise UserError(f"begins with {_beginning(file)!r}, expected {header!r}")

    return check
