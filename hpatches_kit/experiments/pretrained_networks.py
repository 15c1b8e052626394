"""The networks that come with the kit: which rows they are, and their weights, scores and cards."""

from datetime import date
from pathlib import Path

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit.experiments.card_scores import (
    CardScores,
    key_of,
    patches_of_real_sequences,
    patches_of_test_side,
)
from hpatches_kit.experiments.engines import run
from hpatches_kit.experiments.environment_report import environment
from hpatches_kit.experiments.remote_results import is_remote
from hpatches_kit.experiments.rows import Denoiser, Descriptor
from hpatches_kit.experiments.runs import Run
from hpatches_kit.experiments.tables.pretrained_rows import PRETRAINED_DESCRIPTOR, PRETRAINED_NOISY
from hpatches_kit.experiments.tables.recipe import RECIPE_UNET
from hpatches_kit.experiments.trained_models import dtype_policy, has_model, load_trained
from hpatches_kit.models.pretrained import build, card, names, pretrained, write, write_card

COMMAND = "python -m hpatches_kit.experiments.pretraining"
LICENCE = (
    "MIT, like the kit; the training photographs are part of scikit-image and scikit-learn, under"
    " the licences listed in data/README.md."
)
NETWORKS = {
    "denoiser": (RECIPE_UNET, "a U-Net from noisy to clean patches"),
    "descriptor": (PRETRAINED_DESCRIPTOR, "an L2-Net for clean patches, which also bears noise"),
    "noisy-descriptor": (PRETRAINED_NOISY, "a U-Net and an L2-Net in one, for noisy patches"),
}
KINDS = {"descriptor": ("clean", "noisy", "denoised")}  # of the scores; the last needs a denoiser
CHOSEN_BY = {
    Denoiser: "camera, chelsea, china and coffee in version 0.1, three of which are test photographs"
    " now; the validation photographs chose it again among networks that are not told the"
    " noise (table denoiser-search)",
    Descriptor: "the validation photographs and five real sequences (v_dogman, v_wormhole, i_leuven,"
    " i_bikes, v_boat): the scores on these sequences are too high, and only other pictures judge"
    " the network",
}


def train_pretrained(
    name, root, data, scale, folder, seed=0, policy="float32", real=None, scorer=None
):
    """Train a network unless it is complete, and write its weights and its card.

    Args:
        name: a key of `NETWORKS`.
        root: local folder of the results.
        data: `"photos"` or `"mini"`; the licence on the card is that of their photographs.
        scale, seed, policy: as for `experiments.run`.
        folder: for weights and card.
        real: name or path of patches of real image sequences, to score on as well.
        scorer: a `CardScores`; default: of the test side, as the scale limits it, and of `real`.

    Returns the card without its checksum. Its scores are those of the written float16 weights in a
    network of the policy float32, whatever it was trained under.
    """
    if is_remote(root):
        raise UserError(f"{root} is an address: expected a folder of results on this machine.")
    row, description = NETWORKS[name]
    root, folder = Path(root).expanduser(), Path(folder).expanduser()
    trained = Run(row, data, scale, seed, policy)
    scale = trained.scale
    # First, so that patches that cannot be scored stop the command before hours of training.
    scorer = scorer or CardScores(sets_to_score_on(data, scale.test_sequences, real))
    record = run(row, root, data, scale, seed, policy)
    if not has_model(trained, root):
        raise UserError(
            f"{root / trained.folder} holds a record without a model: delete it to train again."
        )
    network = _network(row)
    weights = load_trained(trained, root).get_weights()
    with dtype_policy("float32"):
        model = build(network)
    model.set_weights([array.astype(np.float16).astype(np.float32) for array in weights])
    command = f"{COMMAND} --data {data} --scale {scale.name} --policy {policy} --only {name}"
    settings = {
        "what": description,
        "row": row.name,
        "network": network,
        "initial weights": _initial(row),
        "data": f"the training photographs of {data}",
        "scale": scale.name,
        "training patches": _training_patches(row, scale),
        "epochs": scale.epochs or row.epochs,
        "seed": seed,
        "policy": policy,
        "command": f"{command} --real PATCHES" if len(scorer.sets) > 1 else command,
        "environment": record["environment"],
        "hardware": _in_words(record["hardware"]),
        "date": record["date"],
        "training seconds": record["seconds"],
        "hours of processor time": _hours(record),
        "licence": LICENCE,
        "chosen by": CHOSEN_BY[type(row)],
        "scored": _scored(),
        "scores": list(score(model, name, folder, scorer)),
    }
    write(model, settings, name, folder)
    return settings


def _network(row):
    """The network of a row as `build` takes it: one part, or denoiser and descriptor."""
    parts = [row.denoiser, row] if getattr(row, "end_to_end", False) else [row]
    return [[part.network, part.network_options] for part in parts]


def _initial(row):
    """The pretrained networks whose weights a row begins with, in words."""
    needed = [getattr(row, "denoiser", None), getattr(row, "init_from", None)]
    return ", ".join(name for name, (other, _) in NETWORKS.items() if other in needed) or "random"


def _training_patches(row, scale):
    """The number of patches over all epochs, or where it is said."""
    if isinstance(row, Denoiser):
        patches = scale.denoiser_patches
    else:
        patches = scale.descriptor_patches and scale.descriptor_patches * row.length_factor
    return patches or f"as in the row {row.name}"


def _hours(record):
    """Hours of one processor core, of training and of everything around it."""
    return round((record["core_seconds"] + record["other_core_seconds"]) / 3600, 2)


def _in_words(hardware):
    devices = ", ".join(hardware["accelerators"]) or "no GPU"
    return f"{hardware['cores']} cores of {hardware['processor']}, {devices}"


def score(model, name, folder, scorer, known=()):
    """Yield the scores of a network and of baselines, for its card.

    A descriptor for clean patches is also scored on patches that the denoiser in the same folder
    has denoised, if there is one. `known` are scores of the same network, which are not computed
    again.
    """
    row, _ = NETWORKS[name]
    if isinstance(row, Denoiser):
        yield from scorer.of_denoiser(model, name, known)
        return
    kinds, denoiser = KINDS.get(name, ("clean", "noisy")), None
    if "denoised" in kinds and "denoiser" in names(folder):
        with dtype_policy("float32"):
            denoiser = pretrained("denoiser", folder)
    kinds = [kind for kind in kinds if kind != "denoised" or denoiser]
    yield from scorer.of_descriptor(model, name, kinds, denoiser, known)


def add_scores(name, folder, scorer, again=False):
    """Add scores to the card of a network in a folder, one by one, and yield the new ones.

    An interruption loses the score that was being computed. `again` also computes those that the
    card has already: necessary for denoised patches when the denoiser has changed.
    """
    with dtype_policy("float32"):
        model = pretrained(name, folder)
    settings = card(name, folder)
    scores = {key_of(entry): entry for entry in settings["scores"]}
    for entry in score(model, name, folder, scorer, () if again else settings["scores"]):
        if scores.get(key_of(entry)) == entry:
            continue
        scores[key_of(entry)] = entry
        settings |= {"scored": _scored(), "scores": list(scores.values())}
        write_card(settings, name, folder)
        yield entry


def _scored():
    return f"{date.today()}, {environment(advice=False)}"


def sets_to_score_on(data, sequences, real):
    sets = patches_of_real_sequences(real, data) if real else {}
    return sets | patches_of_test_side(data, sequences)
