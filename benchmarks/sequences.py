"""Time to extract the patches of one image sequence, on one core.

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/sequences.py

Six images of 800x640 pixels (an enlarged built-in photograph and five virtual views), 600 points,
keypoint detection included; the median of five runs.
"""

import statistics
import time

from skimage.transform import resize

import hpatches_kit as hk

image = resize(hk.images.photograph("china"), (640, 800), preserve_range=True)
sequence = hk.images.viewpoint_sequence("v_china", image)
seconds = []
for seed in range(5):
    start = time.perf_counter()
    patches, _ = hk.patches.extract(sequence, count=600, seed=seed)
    seconds.append(time.perf_counter() - start)
print(
    f"{len(patches)} points, {patches.shape[1]} views: median {statistics.median(seconds):.1f} s,"
)
print(f"fastest {min(seconds):.1f} s, slowest {max(seconds):.1f} s")
