"""Numbers that must be the same on every backend, and how two networks learn.

KERAS_BACKEND=torch python tests/helpers/backend_numbers.py        # prints them as JSON
"""

import json

import keras
import numpy as np
from toy_data import toy_patches

import hpatches_kit as hk


def measure():
    """Numbers by name, PSNR and loss of each epoch, and the matching mAP of the trained network."""
    patches = toy_patches({"v_one": 8, "v_two": 8})
    labels, rows = np.repeat(np.arange(8), 2), np.random.default_rng(0).normal(size=(16, 128))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("float32")
    clean, noisy = (kind[0][..., None].astype("float32") for kind in (patches.clean, patches.noisy))
    minimum = hk.losses.HardNegativeTriplet(1.0, "minimum")
    numbers = {
        "hard negatives, averaged": float(hk.losses.HardNegativeTriplet()(labels, rows)),
        "hard negatives, minimum": float(minimum(labels, rows)),
        "triplets": float(hk.losses.TripletMargin()(np.arange(15), rows[:15])),
        "psnr": float(keras.ops.mean(hk.metrics.psnr(clean, noisy))),
    }
    pretrained = hk.models.pretrained("noisy-descriptor").predict(noisy, verbose=0)
    numbers["pretrained"] = float(np.abs(pretrained[:, ::2]).sum())
    keras.utils.set_random_seed(0)
    unet = hk.models.unet(encoder=(8, 16), decoder=(16,))
    unet.compile(keras.optimizers.Adam(3e-3), "mae", metrics=[hk.metrics.psnr])
    psnr = unet.fit(hk.batches.NoisyClean(patches, 32), epochs=6, verbose=0).history["psnr"]
    l2net = hk.models.l2net(dropout=0)
    l2net.compile("adam", minimum)
    pairs = hk.batches.Pairs(patches, 12, 6, kind="denoised", denoiser=unet)
    loss = l2net.fit(pairs, epochs=3, verbose=0).history["loss"]
    scores = hk.benchmark.evaluate(hk.describe(l2net, pairs.patches, "denoised"))
    return hk.environment(), numbers, psnr, loss, scores["matching"]["mean_ap"]


if __name__ == "__main__":
    print(json.dumps(measure()))
