"""The order in which patches are dealt: a permutation that only the key can undo.

The permutations come from SHAKE-256 instead of a random generator of NumPy: participants who match
some patches by eye learn a part of the order, and must not be able to compute the rest from it.
"""

import hashlib
import secrets

import numpy as np

from hpatches_kit.patches.views import VIEWS

SECRET_BYTES = 32
CONTROLS = 100  # one patch in so many is dealt twice
FEWEST_CONTROLS = 16


def new_secret():
    """Draw a secret, 32 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_order(secret, purpose, count):
    """Return a permutation of `0 .. count - 1` that depends on the secret and the purpose."""
    stream = hashlib.shake_256(secret + purpose.encode()).digest(8 * count)
    return np.argsort(np.frombuffer(stream, "<u8"), kind="stable")


def secret_number(secret, purpose):
    """Return an integer of 128 bits that depends on the secret and the purpose."""
    return int.from_bytes(hashlib.shake_256(secret + purpose.encode()).digest(16), "little")


def secret_name(secret, text):
    """Return 12 hexadecimal digits for a text, from which nobody can guess the text."""
    return hashlib.shake_256(secret + b"name" + text.encode(errors="surrogatepass")).hexdigest(6)


def dealt_rows(secret, points):
    """Return the patch that each dealt row shows, `int64 (dealt,)`.

    Patch `16 * point + view` is one view of one point. All patches of all sequences and views are
    shuffled together, so a row number tells neither the sequence nor the point nor the view.

    One patch in a hundred is dealt twice, as a control: a function of the pixels gives both rows
    the same descriptor. Rows in another order, random numbers and row numbers do not.
    """
    patches = points * len(VIEWS)
    controls = min(max(FEWEST_CONTROLS, patches // CONTROLS), patches)
    rows = np.concatenate(
        [np.arange(patches), secret_order(secret, "controls", patches)[:controls]]
    )
    return rows[secret_order(secret, "rows", len(rows))]


def control_pairs(rows):
    """Return the pairs of dealt rows that show the same patch, `(controls, 2)`."""
    order = np.argsort(rows, kind="stable")
    same = np.flatnonzero(np.diff(rows[order]) == 0)
    return np.stack([order[same], order[same + 1]], axis=1)


def undo(values, rows, points):
    """Bring descriptors of dealt rows into the order of the points.

    `float32 (dealt, dim)` becomes `(points, 16, dim)`. The second row of a control is ignored.
    """
    _, first = np.unique(rows, return_index=True)
    return values[first].reshape(points, len(VIEWS), -1)
