"""Score descriptors on image pairs, and find out which changes of a picture they bear.

    python benchmarks/image_pairs.py --real FOLDER --save

Takes 25 minutes on 2 cores; `--save` writes the tables to docs/matching.md, which says where the
image sequences of FOLDER come from. Without `--real`, only the built-in sequences are used.
"""

import argparse

import numpy as np
import pandas as pd
from measure import describe_machine, save_to_page, table
from skimage.filters import gaussian

import hpatches_kit as hk
from hpatches_kit.benchmark.pair_scores import summarise
from hpatches_kit.images.sequences import sequence_folders

DESCRIPTORS = ["descriptor", "rootsift", "orb", "pixels"]
ESTIMATORS = ["ransac", "magsac"]
SEEDS = range(5)  # of the estimator
PHOTOGRAPHS = ["camera", "chelsea", "china"]  # the test side of the built-in patches


def score(title, pairs):
    """Rows of the table: a descriptor each, means over all pairs of the sequences and all seeds."""
    aucs = pd.concat([summarise(rows) for _, rows in pairs.groupby("seed")]).xs("all", level=1)
    right = count_right(pairs).groupby(pairs.descriptor).mean()
    return [
        {
            "sequences": f"{title}, {row.pairs} pairs",
            "estimator": row.estimator,
            "descriptor": name,
            "matches": round(row.matches),
            "right": round(right[name]),
            **{f"MMA {t} px": f"{row[f'MMA {t} px']:.3f}" for t in (1, 3, 5)},
            **{f"AUC {t} px": f"{aucs.loc[name, f'AUC {t} px'].mean():.3f}" for t in (1, 3, 5)},
            "± at 3 px": f"{aucs.loc[name, 'AUC 3 px'].std():.3f}",
        }
        for name, row in summarise(pairs).xs("all", level="sequences").iterrows()
    ]


def count_right(pairs):
    """The number of matches of each pair that are right to 3 pixels."""
    return pairs.matches * pairs["MMA 3 px"]


def right_of_each_sequence(pairs):
    """Rows of a table: a sequence each, the mean number of right matches of each descriptor."""
    right = count_right(pairs).groupby([pairs.sequence, pairs.descriptor], sort=False).mean()
    return [
        {"sequence": name} | {d: round(count) for d, count in row.items()}
        for name, row in right.unstack()[DESCRIPTORS].iterrows()
    ]


def changes(image, keypoints):
    """Yield a change of a picture in words, the changed picture, and its keypoints."""
    rng = np.random.default_rng(0)
    for sigma in (0.7, 1.5, 2.5):
        yield (
            f"blurred, Gaussian of {sigma} px",
            gaussian(image, sigma, preserve_range=True),
            keypoints,
        )
    noisy = np.clip(image + rng.normal(0, 20, image.shape), 0, 255)
    yield "noise, standard deviation 20 grey levels", noisy, keypoints
    yield "brighter, gamma 0.5", 255 * (image / 255) ** 0.5, keypoints
    turned, moved = keypoints.copy(), keypoints.copy()
    turned[:, 3] += rng.normal(0, np.radians(15), len(keypoints))
    yield "angles off by 15 degrees (standard deviation)", image, turned
    moved[:, :2] += rng.normal(0, 0.5, (len(keypoints), 2)) * keypoints[:, 2:3]
    yield "x and y off by half a scale (standard deviation)", image, moved


def right_after_changes():
    """Rows of a table: percent of keypoints whose nearest neighbour after a change is itself."""
    right = {}
    for name in PHOTOGRAPHS:
        image = hk.images.photograph(name)
        keypoints = hk.images.detect_keypoints(image, strongest=1000)
        described = {
            d: hk.image_matching.describe_keypoints(image, keypoints, d) for d in DESCRIPTORS
        }
        for change, changed, points in changes(image, keypoints):
            for d in DESCRIPTORS:
                values = hk.image_matching.describe_keypoints(changed, points, d)
                pairs, _ = hk.image_matching.nearest_pairs(described[d], values)
                fraction = (pairs[:, 0] == pairs[:, 1]).sum() / len(keypoints)
                right.setdefault(change, {}).setdefault(d, []).append(fraction)
    return [
        {"change": change} | {d: f"{100 * np.mean(values):.0f} %" for d, values in row.items()}
        for change, row in right.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", help="folder of image sequences")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="use only these of the folder")
    parser.add_argument("--save", action="store_true", help="write to docs/matching.md")
    options = parser.parse_args()
    sets = {"built-in": hk.datasets.builtin_sequences()}
    if options.real:
        folders = sequence_folders(options.real)
        sets["real"] = [f for f in folders if not options.only or f.name in options.only]
    right, rows, of_sequences = right_after_changes(), [], []
    for title, sequences in sets.items():
        for estimator in ESTIMATORS:
            pairs = hk.benchmark.each_image_pair(
                sequences, DESCRIPTORS, estimator=estimator, seed=SEEDS
            )
            rows += score(title, pairs)
            print(table(rows), flush=True)
        of_sequences += right_of_each_sequence(pairs)
    names = ", ".join(folder.name for folder in sets.get("real", []))
    text = "\n\n".join(
        [
            table(rows),
            "At most 1,000 keypoints per image; right: matches with an error of 3 px at most. AUC:"
            " means over seeds 0 to 4 of the estimator, ±: their standard deviation."
            f"{f' Real sequences: {names}.' if names else ''}"
            f" {describe_machine()}.",
            "Right matches of each sequence, mean of its five pairs:",
            table(of_sequences),
            "Keypoints whose mutual nearest neighbour after a change of the picture, or of the"
            " keypoints, is itself; mean of three photographs, 1,000 keypoints at most, seed 0:",
            table(right),
        ]
    )
    print(text)
    if options.save:
        save_to_page("image-pairs", text, "docs/matching.md")


if __name__ == "__main__":
    main()
