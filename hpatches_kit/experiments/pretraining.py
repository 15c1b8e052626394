"""Train the networks that come with the kit again, and make weights and cards from them.

    python -m hpatches_kit.experiments.pretraining

Takes hours on a CPU; the cards say how many. What is trained already in `--results` is not trained
again. Those of `--out` load with `hk.models.pretrained(name, "results/weights")`.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.builtin import RECIPES
from hpatches_kit.datasets.loading import load
from hpatches_kit.experiments.engines import run
from hpatches_kit.experiments.remote_results import is_remote
from hpatches_kit.experiments.rows import Denoiser
from hpatches_kit.experiments.runs import Run
from hpatches_kit.experiments.tables.recipe import RECIPE_CLEAN, RECIPE_TUNED, RECIPE_UNET
from hpatches_kit.experiments.training import evaluate_row, has_model, load_trained
from hpatches_kit.metrics.quality import quality
from hpatches_kit.models.pretrained import card, write

COMMAND = "python -m hpatches_kit.experiments.pretraining"
LICENCE = (
    "MIT, as the kit; the photographs it learned from come with scikit-image and scikit-learn,"
    " under the licences that data/README.md lists."
)
NETWORKS = {
    "denoiser": (RECIPE_UNET, "a U-Net from noisy to clean patches"),
    "descriptor": (RECIPE_CLEAN, "an L2-Net for clean patches"),
    "noisy-descriptor": (RECIPE_TUNED, "a U-Net and an L2-Net in one, for noisy patches"),
}


def train_pretrained(name, root, data, scale, folder, seed=0):
    """Train a network, unless it is complete, and keep its weights under a name, with its card.

    Args:
        name: a key of `NETWORKS`.
        root: folder of the results, not an address.
        data: `"photos"` or `"mini"`: the card speaks of their photographs.
        scale, seed: as for `experiments.run`.
        folder: for weights and card.

    Returns:
        The card. Its scores are measured with the weights as they are kept, in float16.
    """
    if is_remote(root):
        raise UserError(f"{root} is an address: expected a folder of results on this machine.")
    row, what = NETWORKS[name]
    root, folder = Path(root).expanduser(), Path(folder).expanduser()
    record = run(row, root, data, scale, seed)
    this = Run(row, data, scale, seed)
    if not has_model(this, root):
        raise UserError(
            f"{root / this.folder} has numbers without a model: delete it to train anew."
        )
    model = load_trained(this, root)
    model.set_weights([weights.astype(np.float16) for weights in model.get_weights()])
    parts = [row.denoiser, row] if getattr(row, "end_to_end", False) else [row]
    begins_with = [
        other
        for other, (part, _) in NETWORKS.items()
        if part in (getattr(row, "denoiser", None), getattr(row, "init_from", None))
    ]
    points, of_denoiser = this.scale.test_points, isinstance(row, Denoiser)
    patches = this.scale.denoiser_patches if of_denoiser else this.scale.descriptor_patches
    about = {
        "what": what,
        "network": [[part.network, part.network_options] for part in parts],
        "begins with": ", ".join(begins_with) or "random weights",
        "data": f"{data}, its training photographs",
        "scale": scale,
        "patches": patches or f"as many as {row.name} says",
        "epochs": this.scale.epochs or row.epochs,
        "seed": seed,
        "command": f"{COMMAND} --data {data} --scale {scale}",
        "made with": record["made with"],
        "date": record["date"],
        "seconds": record["seconds"],
        "licence": LICENCE,
        "scored on": f"{points or 'all'} points of the test photographs of {data}, by which the"
        " parts of the recipe were chosen",
        "scores": scores_of(model, row, data, points),
    }
    write(model, about, name, folder)
    return about


def scores_of(model, row, data, points):
    """PSNR of a denoiser, mean average precision of a descriptor, on test photographs."""
    test = load(data).split()[1]
    test = test.sample(min(points or len(test), len(test)), 0)
    if isinstance(row, Denoiser):
        return {"PSNR in dB": round(float(quality(test, model).loc["all", "PSNR in dB"]), 2)}
    return {task: round(value, 3) for task, value in evaluate_row(row, model, test).by_task.items()}


def page(cards):
    """The cards as people read them, in Markdown: a section for each network."""
    lines = ["# Networks that come trained with the kit", "", f"Made by `{COMMAND}`."]
    for name, about in cards.items():
        lines += ["", f"## {name}: {about['what']}", "", f'`hk.models.pretrained("{name}")`', ""]
        scores = ", ".join(f"{key} {value}" for key, value in about["scores"].items())
        about = {**about, "scores": scores, "network": f"`{json.dumps(about['network'])}`"}
        about["command"] = f"`{about['command']}`"
        lines += [f"- {key}: {value}" for key, value in about.items() if key != "what"]
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="photos", choices=RECIPES, help="default: photos")
    parser.add_argument("--scale", default="long", help="default: long")
    parser.add_argument("--results", default="results/reports", help="default: results/reports")
    parser.add_argument("--out", default="results/weights", help="default: results/weights")
    options = parser.parse_args(arguments)
    for name in NETWORKS:
        about = train_pretrained(name, options.results, options.data, options.scale, options.out)
        print(f"{name}: {about['scores']}", flush=True)
    cards = {name: card(name, options.out) for name in NETWORKS}
    write_text(Path(options.out).expanduser() / "README.md", page(cards))


if __name__ == "__main__":
    main()
