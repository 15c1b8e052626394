"""Choose the sequences of a file and their order; check that their points fit the patches."""

import numpy as np

from hpatches_kit._support.errors import UserError


def choose_sequences(available, sequences, patches, path):
    """Names of the sequences to read, in order, and the patches of these sequences.

    Args:
        available: names in the file, in the default order.
        sequences: one name or several; default: those of `patches`, a `PatchSet` or None; else all.

    Raises FileNotFoundError for names that are not available, UserError for an empty selection and
    for repeated names.
    """
    if sequences is not None:
        names = [sequences] if isinstance(sequences, str) else list(sequences)
        if not names or len(set(names)) < len(names):
            raise UserError(f"Sequences {names} of {path}: expected at least one, each once.")
        patches = None if patches is None else patches.select(names)
    else:
        names = available if patches is None else patches.names
    missing = [name for name in names if name not in available]
    if missing:
        raise FileNotFoundError(
            f"{path} has no sequence {', '.join(missing)}: expected some of {list(available)}."
        )
    return names, patches


def check_points(lengths, names, patches, path):
    """Raise UserError when the named sequences have other numbers of points in the patches.

    `lengths` is `{sequence: points}` of the file; `patches` is a `PatchSet` or None.
    """
    chosen = {name: lengths[name] for name in names}
    if patches is not None and not np.array_equal(
        np.repeat(names, list(chosen.values())), patches.sequence
    ):
        raise UserError(f"{path} has {chosen} points, the patches {patches.lengths}.")
