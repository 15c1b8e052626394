"""descriptors.files."""

from pathlib import Path

from hpatches_kit._support.errors import UserError
from hpatches_kit.descriptors.csv_files import (
    _check_lengths,
    _choose,
    _find_sequences,
    _open,
    read_csv,
)
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.descriptors.npz_files import load_npz


def load(path, delimiter=",", sequences=None, progress=True, patches=None):
    """Read `Descriptors` from a CSV folder, from a `.zip` of one, or from a `.npz` of `save`.

    Args and errors are those of `read_csv`. A `.npz` needs no delimiter, and has labels, flat and
    an order of its own, which `patches` and `sequences` replace.
    """
    path = Path(path)
    if _kind(path) == "text":
        return read_csv(path, delimiter, patches, sequences, progress)
    found = load_npz(path)
    if sequences is None and patches is None:
        return found
    names, patches = _choose(found.names, sequences, patches, path)
    _check_lengths(found.lengths, names, patches, path)
    chosen = found.select(names)
    if patches is not None:
        chosen = Descriptors(
            chosen.values, chosen.sequence, patches.label, patches.flat, found.name, found.kind
        )
    return chosen


def _kind(path):
    """`"text"` for a folder or zip, `"npz"`; an error for anything else."""
    if path.is_dir() or path.is_file() and path.suffix.lower() == ".zip":
        return "text"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: expected a folder, a .zip or a .npz.")
    if path.suffix.lower() != ".npz":
        raise UserError(f"{path} is of no known kind: expected a folder, a .zip or a .npz.")
    return "npz"


def sequence_names(path):
    """Names of the sequences that `read` would find, in its order; no numbers are read."""
    path = Path(path)
    if _kind(path) == "npz":
        return load_npz(path).names
    with _open(path) as (files, _):
        return sorted(_find_sequences(files, path))
