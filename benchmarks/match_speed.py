"""Time `hk.match` and each of its steps, from the second call on.

    python benchmarks/match_speed.py --save

Takes a minute on 2 idle cores; `--save` writes the table to docs/matching.md.
"""

import argparse
import os
import time
from functools import partial

import numpy as np
from measure import describe_machine, save_to_page, table
from skimage.transform import resize

import hpatches_kit as hk
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.image_matching.describe_image import describe_patches, find_descriptor

POINTS = 1000
REPEATS = 5
WHOLE = "`hk.match`"


def pictures():
    """Two views of a built-in photograph, 800x640 pixels."""
    photograph = resize(hk.images.photograph("china"), (640, 800), preserve_range=True)
    return hk.images.viewpoint_sequence("v_china", photograph.astype(np.float32)).images[:2]


def steps(images, model):
    """Run the steps of `hk.match`; yield the name of each when it is done."""
    detect = partial(hk.images.detect_keypoints, strongest=POINTS)
    keypoints = parallel_map(detect, images, "", progress=False)
    assert [len(points) for points in keypoints] == [POINTS, POINTS]
    yield "detecting keypoints"
    arguments = zip(images, keypoints)
    cut = parallel_map(lambda a: hk.image_matching.cut_patches(*a), arguments, "", progress=False)
    yield "cutting patches"
    descriptors = np.split(describe_patches(np.concatenate(cut), model), 2)
    yield "describing, with the kit's network"
    pairs, _ = hk.image_matching.nearest_pairs(*descriptors)
    yield "nearest neighbours"
    xy = [points[rows, :2] for points, rows in zip(keypoints, pairs.T)]
    hk.image_matching.estimate(*xy, images[1].shape)
    yield "homography"


def whole(images):
    hk.match(*images, points=POINTS, progress=False)
    yield WHOLE


def seconds(generator):
    """`{step: (wall clock, CPU)}` of a generator of steps."""
    times, start = {}, (time.perf_counter(), time.process_time())
    for step in generator:
        now = time.perf_counter(), time.process_time()
        times[step] = np.subtract(now, start)
        start = now
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", action="store_true", help="write to docs/matching.md")
    options = parser.parse_args()
    images, model = pictures(), find_descriptor("descriptor")
    load = os.getloadavg()[0]
    runs = [seconds(steps(images, model)) | seconds(whole(images)) for _ in range(REPEATS + 1)]
    rows = []
    for step in runs[0]:
        wall, cpu = np.min([run[step] for run in runs[1:]], axis=0)  # the first one compiles
        rows.append({"step": step, "CPU, s": f"{cpu:.2f}", "wall clock, s": f"{wall:.2f}"})
    text = (
        f"{table(rows)}\n\nThe least of {REPEATS} calls after the first, each column by itself. Load"
        f" average before them: {load:.1f}; other processes lengthen the wall clock, and much less"
        f" the CPU time, which is the sum over both cores. {describe_machine()}."
    )
    print(text)
    if options.save:
        save_to_page("match-speed", text, "docs/matching.md")


if __name__ == "__main__":
    main()
