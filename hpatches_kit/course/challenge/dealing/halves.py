"""The public and the private half of a challenge: whole photographs, as equal as possible."""

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.dealing.secret_order import secret_order
from hpatches_kit.patches.overlap import photograph_of

HALVES = ("public", "private")
FEWEST = 4  # photographs: retrieval needs two in each half


def photographs_of(names):
    """The photographs of sequences; raises UserError for fewer than four."""
    photographs = list(dict.fromkeys(map(photograph_of, names)))
    if len(photographs) < FEWEST:
        raise UserError(
            f"The patches show {len(photographs)} photographs or image sequences: expected"
            f" {FEWEST} or more, two for each half. Add photographs."
        )
    return photographs


def public_sequences(names, secret):
    """Choose the sequences of the public half; the others are private.

    The sequences of one photograph show the same places, so they stay together. Photographs with
    viewpoint sequences and those with lighting sequences alone are divided equally.

    Raises UserError for fewer than four photographs.
    """
    photographs = photographs_of(names)
    first = {photograph_of(name): name[:2] for name in reversed(names)}
    shuffled = [photographs[k] for k in secret_order(secret, "halves", len(photographs))]
    public = sorted(shuffled, key=first.get)[1::2]
    return [name for name in names if photograph_of(name) in public]
