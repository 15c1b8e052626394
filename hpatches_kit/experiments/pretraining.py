"""Train the pretrained networks, and write their weights and cards.

    python -m hpatches_kit.experiments.pretraining

Training takes hours on a CPU; the cards give the times. Complete runs in `--results` are not
trained again. The networks in `--out` load with `hk.models.pretrained(name, "results/weights")`.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.builtin import BUILTIN
from hpatches_kit.experiments.engines import run
from hpatches_kit.experiments.remote_results import is_remote
from hpatches_kit.experiments.rows import Denoiser
from hpatches_kit.experiments.run_data import load_sides, sample_test_sequences
from hpatches_kit.experiments.runs import Run
from hpatches_kit.experiments.scoring import evaluate_row
from hpatches_kit.experiments.tables.recipe import RECIPE_CLEAN, RECIPE_TUNED, RECIPE_UNET
from hpatches_kit.experiments.trained_models import has_model, load_trained
from hpatches_kit.metrics.denoising_quality import quality
from hpatches_kit.models.pretrained import card, write

COMMAND = "python -m hpatches_kit.experiments.pretraining"
LICENCE = (
    "MIT, like the kit; the training photographs are part of scikit-image and scikit-learn, under"
    " the licences listed in data/README.md."
)
NETWORKS = {
    "denoiser": (RECIPE_UNET, "a U-Net from noisy to clean patches"),
    "descriptor": (RECIPE_CLEAN, "an L2-Net for clean patches"),
    "noisy-descriptor": (RECIPE_TUNED, "a U-Net and an L2-Net in one, for noisy patches"),
}


def train_pretrained(name, root, data, scale, folder, seed=0):
    """Train a network unless it is complete, and write its weights and its card.

    Args:
        name: a key of `NETWORKS`.
        root: local folder of the results.
        data: `"photos"` or `"mini"`; the licence on the card is that of their photographs.
        scale, seed: as for `experiments.run`.
        folder: for weights and card.

    Returns the card without its checksum. Its scores are those of the written float16 weights.
    """
    if is_remote(root):
        raise UserError(f"{root} is an address: expected a folder of results on this machine.")
    row, description = NETWORKS[name]
    root, folder = Path(root).expanduser(), Path(folder).expanduser()
    record = run(row, root, data, scale, seed)
    trained = Run(row, data, scale, seed)
    if not has_model(trained, root):
        raise UserError(
            f"{root / trained.folder} holds a record without a model: delete it to train again."
        )
    model = load_trained(trained, root)
    model.set_weights([weights.astype(np.float16) for weights in model.get_weights()])
    parts = [row.denoiser, row] if getattr(row, "end_to_end", False) else [row]
    initial_rows = [getattr(row, "denoiser", None), getattr(row, "init_from", None)]
    initial = [key for key, (other_row, _) in NETWORKS.items() if other_row in initial_rows]
    scale, is_denoiser = trained.scale, isinstance(row, Denoiser)
    *_, test_set = load_sides(data)
    test_set = sample_test_sequences(test_set, scale)
    settings = {
        "what": description,
        "network": [[part.network, part.network_options] for part in parts],
        "initial weights": ", ".join(initial) or "random",
        "data": f"the training photographs of {data}",
        "scale": scale.name,
        "training patches": (scale.denoiser_patches if is_denoiser else scale.descriptor_patches)
        or f"as in the row {row.name}",
        "epochs": scale.epochs or row.epochs,
        "seed": seed,
        "command": f"{COMMAND} --data {data} --scale {scale.name}",
        "environment": record["environment"],
        "date": record["date"],
        "training seconds": record["seconds"],
        "licence": LICENCE,
        "scored on": f"{len(test_set):,} points of the test photographs of {data}, in whole"
        " sequences; the settings were chosen in version 0.1 by camera, chelsea, china and coffee,"
        " three of which are test photographs",
        "scores": score(model, row, test_set),
    }
    write(model, settings, name, folder)
    return settings


def score(model, row, test_set):
    """PSNR of a denoiser, or mean average precision of a descriptor, on test photographs."""
    if isinstance(row, Denoiser):
        return {"PSNR in dB": round(float(quality(test_set, model).loc["all", "PSNR in dB"]), 2)}
    scores = evaluate_row(row, model, test_set).by_task
    return {task: round(value, 3) for task, value in scores.items()}


def cards_page(cards):
    """Format `{name: card}` as a Markdown page with a section for each network."""
    lines = ["# Pretrained networks", "", f"Trained with `{COMMAND}`."]
    for name, entries in cards.items():
        lines += ["", f"## {name}: {entries['what']}", "", f'`hk.models.pretrained("{name}")`', ""]
        entries = entries | {
            "scores": ", ".join(f"{key} {value}" for key, value in entries["scores"].items()),
            "network": f"`{json.dumps(entries['network'])}`",
            "command": f"`{entries['command']}`",
        }
        lines += [f"- {key}: {value}" for key, value in entries.items() if key != "what"]
    return "\n".join(lines) + "\n"


def main(arguments=None):
    """Train all networks of `NETWORKS`, and write weights, cards and their page."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="photos", choices=BUILTIN, help="default: photos")
    parser.add_argument("--scale", default="long", help="default: long")
    parser.add_argument("--results", default="results/reports", help="default: results/reports")
    parser.add_argument("--out", default="results/weights", help="default: results/weights")
    options = parser.parse_args(arguments)
    for name in NETWORKS:
        settings = train_pretrained(name, options.results, options.data, options.scale, options.out)
        print(f"{name}: {settings['scores']}", flush=True)
    cards = {name: card(name, options.out) for name in NETWORKS}
    write_text(Path(options.out).expanduser() / "README.md", cards_page(cards))


if __name__ == "__main__":
    main()
