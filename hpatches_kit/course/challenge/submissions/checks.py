"""Check a submission: its two files, one after the other."""

import json
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import read_regular
from hpatches_kit.course.challenge.submissions.descriptor_files import ARRAY, read_descriptors
from hpatches_kit.course.challenge.submissions.model_cards import parse_card
from hpatches_kit.course.challenge.submissions.rules import CARD_BYTES


def check_submission(file, card, patches, challenge=None, is_reference=False):
    """Read a submission, or say what is wrong with it: the checks that the teacher's computer runs.

    Args:
        file: `.npz` with the array `descriptors`, `float32 (patches, dim)`, at most 128 numbers.
        card: JSON file, the model card; see `MODEL_CARD`.
        patches: number of patches of the challenge.
        challenge: its identifier; None accepts any.
        is_reference: accept more weights and hours than a submission may have.

    Returns `(values, card)`. Raises UserError, and OSError for files that cannot be read.
    """
    # The card first: whoever forgets it learns it at once.
    content = read_regular(card, CARD_BYTES, links=False)
    fields = parse_card(content, card, challenge, is_reference)
    return read_descriptors(file, patches), fields


def save_submission(file, values, card):
    """Write a submission, `NAME.npz` and `NAME.json`, and check both.

    Args:
        file: path `NAME.npz`.
        values: `(patches, dim)`, one descriptor for each patch, in the order of `patches.npz`. They
            are stored as float32.
        card: dictionary with the fields of `MODEL_CARD`.

    Raises UserError as `check_submission` does; the files are then not written.
    """
    file = Path(file)
    if file.suffix != ".npz":
        raise UserError(f"Cannot save as {file}: expected a name that ends in .npz.")
    text, card_file = json.dumps(card, indent=1), file.with_suffix(".json")
    parse_card(text.encode(), card_file)
    values = np.asarray(values, np.float32)
    with atomic_file(file) as partial:
        np.savez(partial, **{ARRAY: values})
        try:
            read_descriptors(partial, len(values))
        except UserError as error:
            raise UserError(str(error).replace(str(partial), str(file))) from error
    write_text(card_file, text)
