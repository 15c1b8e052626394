"""How long an image sequence takes to become patches, on one core.

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/sequences.py

Six images of 800x640 pixels (a built-in photograph, enlarged, and five virtual views), 600 points,
detection included; the median of five runs.
"""

import statistics
import time

from skimage.transform import resize

from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.virtual_sequences import viewpoint_sequence
from hpatches_kit.patches.extraction import extract

image = resize(photograph("china"), (640, 800), preserve_range=True)
sequence = viewpoint_sequence("v_china", image)
seconds = []
for seed in range(5):
    began = time.perf_counter()
    patches, _ = extract(sequence, count=600, seed=seed)
    seconds.append(time.perf_counter() - began)
print(
    f"{len(patches)} points, {patches.shape[1]} views: median {statistics.median(seconds):.1f} s,"
)
print(f"fastest {min(seconds):.1f} s, slowest {max(seconds):.1f} s")
