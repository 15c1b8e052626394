"""Small patch sets and image sequences made of random numbers."""

import numpy as np
from skimage.io import imsave

import hpatches_kit as hk


def toy_patches(lengths, label=None, seed=0, splits=None):
    """A `PatchSet` of smooth random patches; a view is its point's patch and a little of its own."""
    rng = np.random.default_rng(seed)
    points = sum(lengths.values())
    coarse = rng.uniform(40, 215, (points, 1, 8, 8)) + rng.normal(0, 12, (points, 16, 8, 8))
    clean = np.clip(np.kron(coarse, np.ones((4, 4))), 0, 255).astype(np.uint8)
    noisy = np.clip(clean + rng.normal(0, 20, clean.shape), 0, 255).astype(np.uint8)
    sequence = np.repeat(list(lengths), list(lengths.values()))
    return hk.PatchSet({"clean": clean, "noisy": noisy}, sequence, label, splits)


def write_sequence(folder, images, homographies, ending="png"):
    """Write image files `1.png`, `2.png`, ... and `H_1_2`, ...; returns the folder."""
    folder.mkdir(parents=True)
    for k, image in enumerate(images, start=1):
        imsave(folder / f"{k}.{ending}", np.asarray(image).astype(np.uint8), check_contrast=False)
    for k, matrix in enumerate(homographies, start=2):
        np.savetxt(folder / f"H_1_{k}", matrix)
    return folder
