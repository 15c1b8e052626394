"""The recipe's table once more, on pictures that no part of the recipe was chosen by: is it ahead there?

    python -m hpatches_kit reproduce recipe --seeds 3   # two hours, unless it is done
    python -m hpatches_kit data sequences               # 1.3 GB of photographs
    cd data/hpatches-sequences && python -m hpatches_kit data make v_dogman v_wormhole --out ../elsewhere
    cd ../.. && python benchmarks/elsewhere.py data/elsewhere

Takes 20 minutes; `--save` keeps the table.
"""

import argparse
from pathlib import Path

from measure import into_page, machine
from tqdm import tqdm

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import pages
from hpatches_kit.experiments.results import tabulate
from hpatches_kit.experiments.training import denoiser_of, evaluate_row, has_model, load_trained

NAME = "recipe"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patches", help="folder of the patches to score on")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--results", default="results/reports", help="default: results/reports")
    parser.add_argument("--save", action="store_true", help="renew the table in benchmarks/")
    options = parser.parse_args()
    patches, root = hk.load(options.patches), Path(options.results)
    runs = experiments.runs_of_tables([NAME], seeds=options.seeds)
    if lost := [str(run) for run in experiments.in_order(runs) if not has_model(run, root)]:
        raise SystemExit(f"{len(lost)} networks are missing in {root}: {lost[0]}, ...")
    scores = {run.folder: scores_of(run, root, patches) for run in tqdm(runs, unit="network")}
    values = tabulate(
        [NAME], runs, lambda run, columns: [scores[run.folder][key] for key, _ in columns]
    )
    seen = f"{len(patches):,} points of {' and '.join(patches.names)}. {machine()}."
    text = "\n\n".join([pages.cells(NAME, values), pages.verdicts(NAME, values), seen])
    print(text)
    if options.save:
        into_page("elsewhere", text)


def scores_of(run, root, patches):
    """The three scores of a network on patches of the kind that its row is scored on."""
    return evaluate_row(run.row, load_trained(run, root), patches, denoiser_of(run, root)).by_task


if __name__ == "__main__":
    main()
