"""Classical denoisers, told how strong the noise is: what a network has to beat.

Both work patch by patch, so that their time counts in minutes for some hundred patches; a bar shows it.
"""

import numpy as np
from skimage.restoration import denoise_nl_means
from tqdm import tqdm

from hpatches_kit._support.errors import UserError


def non_local_means(patches, sigma, strength=1.0):
    """Each pixel becomes a mean of pixels whose surroundings look alike, wherever they are.

    Args:
        patches: `(batch, height, width, 1)`, grey levels 0..255.
        sigma: standard deviation of the noise, in grey levels, of each patch `(batch,)`.
        strength: the filter's `h`, in units of sigma.

    Returns:
        `float32 (batch, height, width, 1)`, 0..255.

    Reference: Buades et al., CVPR 2005; the filter is scikit-image's.
    """

    def one(patch, noise):
        # A patch is small enough to look at all of it.
        reach = {"patch_size": 5, "patch_distance": 13, "fast_mode": False}
        return denoise_nl_means(patch, h=strength * noise, sigma=noise, **reach)

    return _each(one, patches, sigma, "Non-local means")


def bm3d(patches, sigma):
    """Block matching and 3D filtering, long the best denoiser without learning.

    Args, returns: as for `non_local_means`.

    Raises ImportError without the package bm3d, which is free for research and study only and so is not
    installed with the kit: `pip install bm3d`.

    Reference: Dabov et al., TIP 2007; the code is that of its authors.
    """
    try:
        from bm3d import bm3d as filter_one
    except ImportError as error:
        raise ImportError("BM3D needs the package of its authors: pip install bm3d") from error
    return _each(filter_one, patches, sigma, "BM3D")


def _each(filter_one, patches, sigma, what):
    patches = np.asarray(patches, np.float32)
    if patches.ndim != 4 or patches.shape[-1] != 1:
        raise UserError(f"Patches have shape {patches.shape}: expected (batch, 32, 32, 1).")
    sigma = np.broadcast_to(np.asarray(sigma, float), len(patches))
    pairs = tqdm(zip(patches[..., 0], sigma), what, len(patches), unit="patch", delay=1)
    clean = np.array([filter_one(patch, noise) for patch, noise in pairs], np.float32)
    return np.clip(clean, 0, 255).reshape(patches.shape)
