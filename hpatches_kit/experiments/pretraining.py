"""Train the pretrained networks, and write their weights and cards.

    python -m hpatches_kit.experiments.pretraining --only descriptor

Training takes a GPU, or a day of a CPU, with `--scale medium` hours; the cards give the times. It can
be interrupted: the same command resumes. Complete runs in `--results` are not trained again. The
networks in `--out` load with `hk.models.pretrained(name, "results/weights")`. `--score-only` scores
them without training.
"""

import argparse
from pathlib import Path

from hpatches_kit._support.atomic import write_text
from hpatches_kit._support.processor import speed_up_tensorflow
from hpatches_kit.datasets.builtin import BUILTIN


def main(arguments=None):
    """Train pretrained networks, by default all, and write weights, cards and their page."""
    parser = argparse.ArgumentParser(
        prog="python -m hpatches_kit.experiments.pretraining", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--data", default="photos", choices=BUILTIN, help="default: photos")
    add("--scale", default="long", help="long, medium or another one of the tables; default: long")
    add("--policy", default="float32", help="Keras's dtype policy of training; default: float32")
    text = "train these alone, and the networks whose weights they begin with; default: all"
    add("--only", nargs="+", metavar="NAME", help=text)
    text = "patches of real image sequences, a name or a folder, to score on as well"
    add("--real", metavar="PATCHES", help=text)
    text = "score on N whole test sequences; default: all, or as many as the scale says"
    add("--test-sequences", type=int, metavar="N", help=text)
    text = "train nothing; add the missing scores to the cards of the networks in --out"
    add("--score-only", action="store_true", help=text)
    add("--again", action="store_true", help="with --score-only: also those that are not missing")
    add("--results", default="results/reports", help="default: results/reports")
    add("--out", default="results/weights", help="default: results/weights")
    options = parser.parse_args(arguments)
    speed_up_tensorflow()
    _run(options)


def _run(options):
    # Here, not above: TensorFlow is imported with its faster settings.
    from hpatches_kit.experiments import pretrained_networks as kit
    from hpatches_kit.experiments.card_scores import CardScores
    from hpatches_kit.experiments.cards_page import cards_page
    from hpatches_kit.experiments.rows import check_choice
    from hpatches_kit.experiments.scales import SCALES
    from hpatches_kit.models.pretrained import card, names

    check_choice(options.scale, SCALES, "scale")
    for name in options.only or ():
        check_choice(name, kit.NETWORKS, "pretrained network")
    # In the order of the networks: a denoiser comes first.
    chosen = [name for name in kit.NETWORKS if name in (options.only or kit.NETWORKS)]
    sequences = options.test_sequences or SCALES[options.scale].test_sequences
    sets = kit.sets_to_score_on(options.data, sequences, options.real)
    folder = Path(options.out).expanduser()
    if options.score_only:
        for title, patches in sets.items():  # every network on one set before the next set
            scorer = CardScores({title: patches})
            for name in chosen:
                for entry in kit.add_scores(name, folder, scorer, options.again):
                    print(_line(entry), flush=True)
    else:
        where, scorer = (options.results, options.data, options.scale, folder), CardScores(sets)
        for name in chosen:
            extra = {"policy": options.policy, "real": options.real, "scorer": scorer}
            settings = kit.train_pretrained(name, *where, **extra)
            print("\n".join(map(_line, settings["scores"])), flush=True)
    cards = {name: card(name, folder) for name in names(folder)}
    write_text(folder / "README.md", cards_page(cards))


def _line(entry):
    """A score of a card as a line of text."""
    from hpatches_kit.experiments.card_scores import KEY

    about = *KEY, "points per sequence"
    numbers = ", ".join(f"{key} {value}" for key, value in entry.items() if key not in about)
    name = entry.get("descriptor") or entry.get("denoiser")
    return f"{name}, {entry['kind']}, {entry['data']}: {numbers}"


if __name__ == "__main__":
    main()
