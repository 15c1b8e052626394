"""Read descriptors from a CSV folder, a zip of one, or a `.npz` file."""

from pathlib import Path

from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.csv_files import read_csv
from hpatches_kit.descriptors.csv_folders import find_sequences, open_csv_folder
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.descriptors.limits import Limits
from hpatches_kit.descriptors.npz_files import load_npz
from hpatches_kit.descriptors.selection import check_points, choose_sequences


def load(path, delimiter=",", sequences=None, progress=True, patches=None, limits=None):
    """Read `Descriptors` from a CSV folder, a `.zip` of one, or a `.npz` of `Descriptors.save`.

    Arguments and errors are those of `read_csv`. A `.npz` file has no delimiter. It contains
    labels, flat patches and the order of the sequences; `patches` and `sequences` replace them.
    `limits` are `Limits`; a file beyond them is refused before it is read.
    """
    path = Path(path)
    if not _is_npz(path):
        return read_csv(path, delimiter, patches, sequences, progress, limits)
    stored = load_npz(path, limits)
    if sequences is None and patches is None:
        return stored
    names, patches = choose_sequences(stored.names, sequences, patches, path)
    check_points(stored.lengths, names, patches, path)
    chosen = stored.select(names)
    if patches is not None:
        chosen = Descriptors(
            chosen.values, chosen.sequence, patches.label, patches.flat, stored.name, stored.kind
        )
    return chosen


def sequence_names(path, limits=None):
    """Names of the sequences that `load` finds, in its order."""
    path = Path(path)
    if _is_npz(path):
        return load_npz(path, limits).names
    with open_csv_folder(path, (limits or Limits()).unpacked_bytes) as (files, _):
        return sorted(find_sequences(files, path))


def _is_npz(path):
    """True for a `.npz` file, False for a folder or a zip; raises an error for anything else."""
    if path.is_dir() or path.is_file() and path.suffix.lower() == ".zip":
        return False
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: expected a folder, a .zip or a .npz.")
    if path.suffix.lower() != ".npz":
        raise UserError(f"{path} has an unknown type: expected a folder, a .zip or a .npz.")
    return True
