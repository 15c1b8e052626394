"""Networks that come trained with the kit, each with a card that says what it is and how it was made."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.models.end_to_end import end_to_end
from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.unet import unet

FOLDER = Path(__file__).resolve().parent / "weights"
PARTS = {"unet": unet, "l2net": l2net}


def pretrained(name=None, folder=FOLDER):
    """Load a network that is trained already, or list those that there are.

        hk.models.pretrained()                     # a table
        l2net = hk.models.pretrained("descriptor")

    Args:
        name: of the network; None for the list.
        folder: where weights and cards are; default: those that come with the kit.

    Returns:
        A `keras.Model`, not compiled, that takes patches `(batch, 32, 32, 1)` in 0..255. Or a DataFrame
        with a row for each network: what it is, and the scores of its card.

    Raises UserError for an unknown name, and when a file of weights is missing or not that of its card.
    """
    if name is None:
        cards = {one: card(one, folder) for one in _names(folder)}
        return pd.DataFrame(
            {one: {"what": of["what"], **of["scores"]} for one, of in cards.items()}
        ).T
    about, file = card(name, folder), Path(folder).expanduser() / f"{name}.npz"
    if not file.exists():
        raise UserError(f"{file}, which belongs to a card, is missing.")
    if (found := checksum_of(file)) != about["sha256"]:
        raise UserError(
            f"{file} is not the file of its card: its SHA-256 begins {found[:12]}, expected"
            f" {about['sha256'][:12]}. Install the kit, or train the network, again."
        )
    model = build(about["network"])
    with np.load(file) as arrays:
        model.set_weights([arrays[str(k)].astype(np.float32) for k in range(len(arrays.files))])
    return model


def card(name, folder=FOLDER):
    """What is known of a network that comes with the kit: data, seed, command, hardware, scores, licence.

    Args:
        name, folder: as for `pretrained`.

    Returns:
        A dict, as in the JSON file beside the weights.

    Raises UserError for an unknown name.
    """
    if name not in (names := _names(folder)):
        raise UserError(f"Unknown network {name!r}: expected one of {', '.join(names) or 'none'}.")
    return json.loads((Path(folder).expanduser() / f"{name}.json").read_text())


def build(network):
    """A network as cards have it: one part `["l2net", {options}]`, or a denoiser and a descriptor."""
    parts = [PARTS[kind](**options) for kind, options in network]
    return parts[0] if len(parts) == 1 else end_to_end(*parts)


def write(model, about, name, folder):
    """Write the weights of a model as float16, and beside them its card, with their checksum."""
    folder = Path(folder)
    file = folder / f"{name}.npz"
    arrays = {str(k): weights.astype(np.float16) for k, weights in enumerate(model.get_weights())}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise UserError(f"{name} has weights beyond the range of float16.")
    with atomic_file(file) as partial:
        np.savez_compressed(partial, **arrays)
    about = {**about, "sha256": checksum_of(file)}
    write_text(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")


def checksum_of(file):
    """The SHA-256 of a file, in hexadecimal."""
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _names(folder):
    return sorted(file.stem for file in Path(folder).expanduser().glob("*.json"))
