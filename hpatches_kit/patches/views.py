"""Terms and constants of patches: point, place, view, level and kind.

- A *point* is a keypoint of one image sequence.
- A *place* is a physical place, which several sequences may show. Its points have the same label.
- A *view* is one of the 16 patches of a point. `ref` is cut from image 1; `e1`, `h1` and `t1` are
  cut from image 2, `e2`, `h2` and `t2` from image 3, and so on up to `e5`, `h5` and `t5`.
- A *level* says how inaccurately the region of a view is placed, as by a detector that finds the
  point again in that image: easy (`e`), hard (`h`) or tough (`t`). N-HPatches also adds more noise
  at the higher levels.
- A *kind* is a version of the patches: `"clean"`, `"noisy"` and `"denoised"` have 32x32 pixels,
  `"original"` has 65x65 as in the HPatches release (Balntas et al., CVPR 2017).
"""

import numpy as np

from hpatches_kit._support.errors import UserError

VIEWS = ("ref", *(f"{level}{i}" for level in "eht" for i in range(1, 6)))
LEVELS = {"e": "easy", "h": "hard", "t": "tough"}
ORIGINAL = "original"  # the kind with patches of SOURCE_SIZE
PATCH_SIZE = 32  # side of a patch in pixels, for all other kinds
SOURCE_SIZE = 65  # side of an original patch in pixels
FLAT = 10.0  # a patch is flat up to this standard deviation in grey levels


def view_index(view):
    """Return the index of a view: 0 for `"ref"`, 15 for `"t5"`. Raises UserError if unknown."""
    if view not in VIEWS:
        raise UserError(f"Unknown view {view!r}: expected one of {', '.join(VIEWS)}.")
    return VIEWS.index(view)


def level_columns():
    """Return the view indices of each level, `{"reference": [0], "easy": [1, ...], ...}`."""
    return {
        level: [k for k, view in enumerate(VIEWS) if view[0] == letter]
        for letter, level in {"r": "reference", **LEVELS}.items()
    }


def patch_shape(kind):
    """Return the shape of the patches of one point: `(16, 32, 32)`, or `(16, 65, 65)` originals."""
    size = SOURCE_SIZE if kind == ORIGINAL else PATCH_SIZE
    return len(VIEWS), size, size


def is_flat(references):
    """Return which reference patches are flat: `(points, size, size)` -> booleans `(points,)`."""
    return references.std(axis=(1, 2), dtype=np.float64) <= FLAT
