"""Score the networks of the recipe's table on photographs that did not serve to choose its settings.

    hpatches reproduce recipe --seeds 3   # two hours; complete runs are not trained again
    hpatches data sequences               # 1.3 GB of photographs
    cd data/hpatches-sequences && hpatches data make v_dogman v_wormhole --out ../elsewhere
    cd ../.. && python benchmarks/elsewhere.py data/elsewhere

Takes 20 minutes; `--save` writes the table to benchmarks/README.md.
"""

import argparse
from pathlib import Path

from measure import describe_machine, save_to_page
from tqdm import tqdm

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import pages
from hpatches_kit.experiments.results import tabulate
from hpatches_kit.experiments.training import (
    evaluate_row,
    has_model,
    load_denoiser,
    load_trained,
)

TABLE = "recipe"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patches", help="folder of the patches to score on")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--results", default="results/reports", help="default: results/reports")
    parser.add_argument(
        "--save", action="store_true", help="write the table to benchmarks/README.md"
    )
    options = parser.parse_args()
    patches, root = hk.load(options.patches), Path(options.results)
    runs = experiments.runs_of_tables([TABLE], seeds=options.seeds)
    ordered = experiments.training_order(runs)
    if missing := [str(run) for run in ordered if not has_model(run, root)]:
        raise SystemExit(f"{len(missing)} networks are missing in {root}: {missing[0]}, ...")
    scores = {run.folder: score(run, root, patches) for run in tqdm(runs, unit="network")}
    values = tabulate(
        [TABLE], runs, lambda run, columns: [scores[run.folder][key] for key, _ in columns]
    )
    origin = f"{len(patches):,} points of {' and '.join(patches.names)}. {describe_machine()}."
    text = "\n\n".join([pages.cells(TABLE, values), pages.verdicts(TABLE, values), origin])
    print(text)
    if options.save:
        save_to_page("elsewhere", text)


def score(run, root, patches):
    """Score a network on the three tasks, on patches of the kind that its row is scored on."""
    return evaluate_row(run.row, load_trained(run, root), patches, load_denoiser(run, root)).by_task


if __name__ == "__main__":
    main()
