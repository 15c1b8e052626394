"""Pretrained networks. Each has a card: a JSON file that describes it and its training."""

import json
from pathlib import Path

import numpy as np

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import atomic_file, write_text
from hpatches_kit._support.checksums import digest
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json
from hpatches_kit.models.end_to_end import end_to_end
from hpatches_kit.models.hynet import hynet
from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.nafnet import nafnet
from hpatches_kit.models.tfeat import tfeat
from hpatches_kit.models.unet import unet
from hpatches_kit.models.unet_variants import framing_unet, unet_plus_plus

FOLDER = Path(__file__).resolve().parent / "weights"
FIELDS = {"what": str, "network": list, "sha256": str, "scores": list}  # of a card
BUILDERS = unet, unet_plus_plus, framing_unet, nafnet, l2net, tfeat, hynet
PARTS = {builder.__name__: builder for builder in BUILDERS}
ABOUT = ["data", "points per sequence", "kind"]  # of a score: what it is of
COLUMNS = [*ABOUT, "verification", "matching", "retrieval", "PSNR in dB"]


def pretrained(name=None, folder=FOLDER):
    """Load a pretrained network, or list the scores of all.

        l2net = hk.models.pretrained("descriptor")

    Args:
        name: of the network; None for the list.
        folder: of weights and cards. Default: those of this package.

    Returns a `keras.Model`, not compiled, from patches `(batch, 32, 32, 1)` in 0..255. The list is
    a DataFrame of the scores on the cards, with a row for each network, patch set and kind of
    patches: `data`, `points per sequence` (the median; matching is harder the more there are),
    `kind`, the mean average precision of descriptors in each task, the PSNR of denoisers. Baselines
    on the same patches are rows, too: pixels, RootSIFT, and the noisy input of denoisers.

    Raises UserError for an unknown name, and for weights that are missing or do not match the card.
    """
    if name is None:
        return _table([card(available, folder) for available in names(folder)])
    settings, file = card(name, folder), Path(folder).expanduser() / f"{name}.npz"
    advice = "Install hpatches_kit again, or train the network again."
    if not file.exists():
        raise UserError(f"{file} is missing, although its card exists. {advice}")
    if (actual := digest(file)) != settings["sha256"]:
        raise UserError(
            f"{file} does not match its card: its SHA-256 begins with {actual[:12]}, expected"
            f" {settings['sha256'][:12]}. {advice}"
        )
    model = build(settings["network"])
    set_weights(model, [array.astype(np.float32) for array in read_weights(file)], file)
    return model


def read_weights(file, links=True):
    """Read a file with the weights of a model: a list of arrays. Raises UserError if damaged."""
    what = "a file of weights"
    arrays = read_npz(file, what, links=links)
    if set(arrays) != set(map(str, range(len(arrays)))):
        raise UserError(f"{file} is not {what}: expected arrays named 0, 1, 2 and so on.")
    return [arrays[str(k)] for k in range(len(arrays))]


def set_weights(model, weights, file):
    """Set the weights of a model; UserError, which names the file, if they do not fit it."""
    shapes, expected = [w.shape for w in weights], [tuple(w.shape) for w in model.weights]
    if shapes != expected:
        raise UserError(
            f"{file} has {len(shapes)} arrays of weights: expected {len(expected)}, with the shapes of"
            f" {model.name}."
        )
    if not all(np.isfinite(array).all() for array in weights):
        raise UserError(f"{file} has weights that are not finite.")
    model.set_weights(weights)


def card(name, folder=FOLDER):
    """Read the card of a pretrained network: a dictionary of its data, seed, command, scores, ...

    `"scores"` is a list of dictionaries, as the table of `pretrained()` but with more numbers: each
    says what it is of (`"data"`, `"points"`, `"points per sequence"`, `"kind"`), whose it is
    (`"descriptor"` or `"denoiser"`, a network or a baseline), and the scores themselves.

    Args: as for `pretrained`. Raises UserError for an unknown name and for a damaged card.
    """
    if name not in (known := names(folder)):
        raise UserError(f"Unknown network {name!r}: expected one of {', '.join(known) or 'none'}.")
    file = Path(folder).expanduser() / f"{name}.json"
    settings = read_json(file, "a card", FIELDS)
    if not all(isinstance(score, dict) for score in settings["scores"]):
        raise UserError(f"{file} is not a card: expected objects in 'scores'.")
    return settings


def build(network):
    """Build a network from a card: one part `["l2net", {options}]`, or denoiser and descriptor.

    Raises UserError for anything else.
    """
    try:
        names = [part for part, options in network if isinstance(options, dict)]
        known = 0 < len(names) == len(network) < 3 and PARTS.keys() >= set(names)
    except (TypeError, ValueError):
        known = False
    if not known:
        raise UserError(
            f"A card has the network {network}: expected one part, or denoiser and descriptor, each"
            f" a list of name and options. Known names: {', '.join(PARTS)}."
        )
    parts = [PARTS[part](**options) for part, options in network]
    return parts[0] if len(parts) == 1 else end_to_end(*parts)


def write(model, settings, name, folder):
    """Write the weights of a model as float16, and its card: the settings and a checksum.

    Raises UserError for weights outside the range of float16.
    """
    folder = Path(folder)
    file = folder / f"{name}.npz"
    with np.errstate(over="ignore"):  # reported below
        arrays = {str(k): array.astype(np.float16) for k, array in enumerate(model.get_weights())}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise UserError(f"{name} has weights outside the range of float16.")
    with atomic_file(file) as partial:
        np.savez_compressed(partial, **arrays)
    write_card({**settings, "sha256": digest(file)}, name, folder)


def write_card(settings, name, folder):
    """Write the card of a network whose weights are in this folder already."""
    write_text(Path(folder).expanduser() / f"{name}.json", json.dumps(settings, indent=1) + "\n")


def names(folder=FOLDER):
    """The names of the networks in a folder, sorted."""
    return sorted(file.stem for file in Path(folder).expanduser().glob("*.json"))


def _table(cards):
    """The scores of the cards as a `WideTable`; those of the same patches are next to each other."""
    import pandas as pd  # only here

    from hpatches_kit._support.wide_table import WideTable

    scores = [score for settings in cards for score in settings["scores"]]
    labels = [score.get("denoiser") or score.get("descriptor") for score in scores]
    frame = pd.DataFrame(scores, pd.Index(labels, name="network"), COLUMNS)
    frame = frame.reset_index().drop_duplicates().set_index("network")  # baselines of two networks
    of_denoiser = frame["PSNR in dB"].notna()
    groups = frame.groupby([*ABOUT, of_denoiser], sort=False, dropna=False).ngroup()
    return WideTable(frame.iloc[groups.argsort(kind="stable")])
