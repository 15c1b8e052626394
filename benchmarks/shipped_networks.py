"""Score the pretrained networks on real image sequences, beside what they should reach.

    hpatches data make v_dogman v_wormhole i_leuven i_bikes v_boat --points 500 --out data/real
    python benchmarks/shipped_networks.py --real data/real

Takes half an hour on 2 cores, a minute on a GPU; `--save` writes the tables to benchmarks/README.md.
docs/reproduce.md says where the five sequences come from. `--cards` reads the scores on the cards
instead of computing them, if the cards have scores of these sequences. `--weights FOLDER` takes the
networks of a folder that `python -m hpatches_kit.experiments.pretraining` has written.
"""

import argparse
from pathlib import Path

from measure import describe_machine, save_to_page, table

import hpatches_kit as hk
from hpatches_kit.experiments.card_scores import LEVELS, PSNR, CardScores, about
from hpatches_kit.experiments.pretrained_networks import NETWORKS, score
from hpatches_kit.models.pretrained import FOLDER, names

TASKS = "verification", "matching", "retrieval"
TARGETS = {"clean": (0.975, 0.8, 0.9), "noisy": (0.965, 0.72, 0.86)}  # on the five sequences
TARGET_PSNR = 33.3  # dB
TARGET = "**to reach**"


def measured_scores(folder, sets):
    """The scores of the networks in a folder on these patch sets, as on their cards."""
    scorer, scores = CardScores(sets), []
    for name in networks(folder):
        model = hk.models.pretrained(name, folder)
        scores += list(score(model, name, folder, scorer))
        print(f"{name} is scored.", flush=True)
    return scores


def scores_on_cards(folder, sets):
    """The scores on the cards of the networks that are of these patch sets."""
    known = {tuple(about(title, patches, "").values())[:3] for title, patches in sets.items()}
    scores = [row for name in networks(folder) for row in hk.models.card(name, folder)["scores"]]
    chosen = [r for r in scores if (r["data"], r["points"], r["points per sequence"]) in known]
    if not chosen:
        raise SystemExit("The cards have no scores of these sequences: leave out --cards.")
    return chosen


def networks(folder):
    return [name for name in NETWORKS if name in names(folder)]


def descriptor_rows(scores):
    """Rows of a table: a descriptor each, with three scores of each kind of patches."""
    rows = {}
    for entry in scores:
        if "descriptor" in entry:
            cell = " / ".join(f"{entry[task]:.3f}" for task in TASKS)
            rows.setdefault(entry["descriptor"], {})[entry["kind"]] = cell
    targets = {kind: " / ".join(f"{t:.3f}" for t in numbers) for kind, numbers in TARGETS.items()}
    return [
        {" / ".join(TASKS): name}
        | {kind: cells.get(kind, "") for kind in ("clean", "noisy", "denoised")}
        for name, cells in [*rows.items(), (TARGET, targets)]
    ]


def denoiser_rows(scores):
    """Rows of a table: the PSNR of the noisy patches and of each denoiser, by noise level."""
    rows = {
        entry["denoiser"]: {"all": f"{entry[PSNR]:.2f}"}
        | {level: f"{entry[f'{PSNR}, {level}']:.2f}" for level in LEVELS}
        for entry in scores
        if "denoiser" in entry
    }
    rows[TARGET] = {"all": f"{TARGET_PSNR:.2f}"} | dict.fromkeys(LEVELS, "")
    return [{PSNR: name} | cells for name, cells in rows.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", required=True, help="folder of patches of real sequences")
    parser.add_argument(
        "--weights", type=Path, default=FOLDER, help="default: those of the package"
    )
    parser.add_argument("--cards", action="store_true", help="read the scores on the cards")
    parser.add_argument("--save", action="store_true", help="write to benchmarks/README.md")
    options = parser.parse_args()
    patches = hk.load(options.real)
    sets = {", ".join(patches.names): patches}
    scores = (scores_on_cards if options.cards else measured_scores)(options.weights, sets)
    (title,), density = sets, scores[0]["points per sequence"]
    origin = f"{describe_machine()}."
    if options.cards:
        origin = f"From the cards, {hk.models.card('descriptor', options.weights)['scored']}"
    text = "\n\n".join(
        [
            table(descriptor_rows(scores)),
            table(denoiser_rows(scores)),
            f"{len(patches):,} points of {title}, {density:,} per sequence (median). {origin}",
        ]
    )
    print(text)
    if options.save:
        save_to_page("shipped-networks", text)


if __name__ == "__main__":
    main()
