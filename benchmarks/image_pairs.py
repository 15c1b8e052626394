"""Score descriptors on image pairs, and time `hk.match`.

    python benchmarks/image_pairs.py --real FOLDER --save

Takes 10 minutes on 2 cores; `--save` writes the tables to docs/matching.md. FOLDER contains image
sequences in the layout of HPatches. Those of the table are `v_dogman` and `v_wormhole` of `hpatches
data sequences`, and `i_leuven`, `i_bikes` and `v_boat` of the affine set of Oxford. Without
`--real`, only the built-in sequences are used.
"""

import argparse
import time

import numpy as np
from measure import describe_machine, save_to_page, table
from skimage.transform import resize

import hpatches_kit as hk
from hpatches_kit.images.sequences import sequence_folders

DESCRIPTORS = ["descriptor", "rootsift", "orb", "pixels"]
COLUMNS = ["matches", "MMA 1 px", "MMA 3 px", "MMA 5 px", "AUC 1 px", "AUC 3 px", "AUC 5 px"]
REPEATS = 5


def score(title, sequences, estimator):
    """Rows of the table: a descriptor each, means over all pairs of the sequences."""
    scores = hk.benchmark.image_pairs(sequences, DESCRIPTORS, estimator=estimator)
    of_all = scores.xs("all", level="sequences")
    return [
        {"sequences": title, "descriptor": name, "estimator": row.estimator}
        | {column: row[column] if "px" in column else round(row[column]) for column in COLUMNS}
        for name, row in of_all.iterrows()
    ]


def time_match():
    """Seconds of the second and later calls of `hk.match`: `(wall clock, CPU)` of the fastest."""
    photograph = resize(hk.images.photograph("china"), (640, 800), preserve_range=True)
    sequence = hk.images.viewpoint_sequence("v_china", photograph.astype(np.float32))
    seconds = []
    for _ in range(REPEATS + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        result = hk.match(*sequence.images[:2], progress=False)
        seconds.append((time.perf_counter() - wall, time.process_time() - cpu))
    assert result.counts["keypoints_a"] == result.counts["keypoints_b"] == 1000
    return min(seconds[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", help="folder of image sequences")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="use only these of the folder")
    parser.add_argument("--estimators", nargs="+", default=["ransac", "magsac"])
    parser.add_argument("--save", action="store_true", help="write to docs/matching.md")
    options = parser.parse_args()
    sets = {"built-in": hk.datasets.builtin_sequences()}
    if options.real:
        folders = sequence_folders(options.real)
        folders = [f for f in folders if not options.only or f.name in options.only]
        sets[", ".join(folder.name for folder in folders)] = folders
    rows = []
    for title, sequences in sets.items():
        for estimator in options.estimators:
            rows += score(title, sequences, estimator)
            print(table(rows), flush=True)
    wall, cpu = time_match()
    text = "\n\n".join(
        [
            table(rows),
            f"At most 1,000 keypoints per image; seed 0. {describe_machine()}.",
            "`hk.match` of two pictures of 800x640 with 1,000 keypoints each, from the second call:"
            f" {wall:.1f} s, {cpu:.1f} s of CPU time.",
        ]
    )
    print(text)
    if options.save:
        save_to_page("image-pairs", text, "docs/matching.md")


if __name__ == "__main__":
    main()
