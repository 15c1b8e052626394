"""patches.views."""

import numpy as np

from hpatches_kit._support.errors import UserError

VIEWS = ("ref", *(f"{level}{i}" for level in "eht" for i in range(1, 6)))


LEVELS = {"e": "easy", "h": "hard", "t": "tough"}


PATCH_SIZE = 32  # pixels along the side of a patch


SOURCE_SIZE = 65  # and of one in the HPatches release


ORIGINAL = "original"  # patches as the release has them, of 65x65 pixels


FLAT = 10.0  # standard deviation in grey levels


def view_index(view):
    """Column of a view: `"ref"` is 0, `"e1"` is 1, `"t5"` is 15. Raises UserError when unknown."""
    if view not in VIEWS:
        raise UserError(f"Unknown view {view!r}: expected one of {', '.join(VIEWS)}.")
    return VIEWS.index(view)


def level_columns():
    """Columns of the views of the reference and of each level: `{"reference": [0], "easy": [1, ...]}`."""
    return {
        level: [k for k, view in enumerate(VIEWS) if view[0] == letter]
        for letter, level in {"r": "reference", **LEVELS}.items()
    }


def patch_shape(kind):
    """Shape of the patches of one point: `(16, 32, 32)`, for `"original"` `(16, 65, 65)`."""
    size = SOURCE_SIZE if kind == ORIGINAL else PATCH_SIZE
    return len(VIEWS), size, size


def is_flat(references):
    """`(points,)` true where a reference patch spreads by 10 grey levels or less."""
    return references.std(axis=(1, 2), dtype=np.float64) <= FLAT
