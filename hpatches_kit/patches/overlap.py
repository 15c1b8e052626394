"""What two patch sets have in common: photographs and places that are in both."""

import re
from typing import NamedTuple

import numpy as np

VIRTUAL_NAME = re.compile(r"[vi]_(.+)_\d+")  # see `scenes.virtual_names`
NAMED = 3  # photographs named in a message; the others are counted


class Shared(NamedTuple):
    """What two patch sets have in common. It is false if both are empty.

    Attributes:
        photographs: names of photographs, in the order of the first set.
        places: labels, in ascending order.
    """

    photographs: tuple
    places: tuple

    def __bool__(self):
        return bool(self.photographs or self.places)

    def __str__(self):
        parts = []
        if self.photographs:
            named = [*self.photographs[:NAMED], *["..."] * (len(self.photographs) > NAMED)]
            parts.append(f"{_count(self.photographs, 'photograph')} ({', '.join(named)})")
        if self.places:
            parts.append(_count(self.places, "place"))
        return " and ".join(parts) or "nothing"

    def __repr__(self):
        return f"Shared({self})"


def shared(first, second):
    """Return the `Shared` photographs and places of two patch sets; see `PatchSet.shared`."""
    in_second = set(map(photograph_of, second.names))
    photographs = dict.fromkeys(map(photograph_of, first.names))  # each once, in order
    labels = np.intersect1d(first.label, second.label) if _same_arrays(first, second) else []
    return Shared(tuple(name for name in photographs if name in in_second), tuple(map(int, labels)))


def photograph_of(name):
    """Return the photograph that a sequence shows.

    `v_<photograph>_<number>` and `i_<photograph>_<number>` are virtual sequences of a photograph.
    Any other sequence counts as a photograph of its own.
    """
    match = VIRTUAL_NAME.fullmatch(name)
    return match[1] if match else name


def _same_arrays(first, second):
    """Whether labels of two sets can be compared; those of unrelated sets are unrelated numbers."""
    if first.fingerprint is not None and first.fingerprint == second.fingerprint:
        return True
    arrays = {id(array) for array in first.arrays.values()}
    return any(id(array) in arrays for array in second.arrays.values())


def _count(items, noun):
    return f"{len(items):,} {noun}{'s' if len(items) > 1 else ''}"
