"""Do the descriptors of different places point in different directions?

    python benchmarks/mean_cosines.py --results results/reports

Takes the networks of table `beyond-B-losses` from the folder where `hpatches reproduce
beyond-B-losses --data photos --seeds 3 --policy mixed_bfloat16` keeps its runs, and prints, for the
clean validation patches of 200 places: the mean cosine between the descriptors of two places (1 if
all are equal, about 0 for random directions), and the mean norm of the 128 numbers before they are
scaled to length 1. `--save` writes the table into README.md of this folder.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from measure import describe_machine, save_to_page, table

import hpatches_kit as hk
from hpatches_kit import experiments

PLACES = 200


def mean_cosine(descriptors):
    """The mean cosine between two different rows of `(n, dim)` numbers."""
    directions = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    n = len(directions)
    return (np.square(directions.sum(0)).sum() - n) / (n * (n - 1))


def measure(row, options, patches):
    """Mean cosine and mean norm of a row, one of each for each seed."""
    for seed in range(options.seeds):
        run = experiments.Run(row, "photos", "quick", seed, options.policy)
        model = experiments.load_trained(run, options.results)
        before = keras.Model(model.inputs, model.get_layer("l2_normalisation").input)
        numbers = before.predict(patches, verbose=0).astype("float64")
        yield mean_cosine(numbers), np.linalg.norm(numbers, axis=1).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--policy", default="mixed_bfloat16", help="default: mixed_bfloat16")
    parser.add_argument(
        "--save", action="store_true", help="write the table to benchmarks/README.md"
    )
    options = parser.parse_args()
    _, validation, _ = hk.load("photos").split()
    patches = validation.sample_sparse_points(PLACES, 0).clean[:, 0][..., None]
    rows = []
    for label, row in experiments.TABLES["beyond-B-losses"].rows.items():
        cosines, norms = np.transpose(list(measure(row, options, patches)))
        rows.append(
            {
                "loss": label,
                "mean cosine": f"{cosines.mean():.3f} ({cosines.min():.3f} to {cosines.max():.3f})",
                "mean norm": f"{norms.mean():.3g}",
            }
        )
    text = f"{table(rows)}\n\nMeans of {options.seeds} seeds (lowest to highest). "
    text += f"{describe_machine()}, Keras {keras.__version__}."
    print(text)
    if options.save:
        save_to_page("mean-cosines", text)


if __name__ == "__main__":
    main()
