"""Classical denoisers, given the noise level: the baselines of denoising networks.

They work patch by patch: a few hundred patches take minutes. A progress bar is shown.
"""

import numpy as np
from skimage.restoration import denoise_nl_means
from tqdm import tqdm

from hpatches_kit._support.errors import UserError


def non_local_means(patches, sigma, strength=1.0):
    """Replace each pixel by a weighted mean of the pixels with similar surroundings in its patch.

    Args:
        patches: `(batch, height, width, 1)`, grey levels 0..255.
        sigma: standard deviation of the noise in grey levels; a number, or `(batch,)`.
        strength: the parameter `h` of the filter, in units of sigma.

    Returns `float32 (batch, height, width, 1)`, 0..255. Raises UserError for another shape.

    Reference: Buades et al., CVPR 2005; the filter is that of scikit-image.
    """

    def denoise_patch(patch, noise):
        # A patch is small, so pixels are compared within 13 pixels of each other.
        settings = {"patch_size": 5, "patch_distance": 13, "fast_mode": False}
        return denoise_nl_means(patch, h=strength * noise, sigma=noise, **settings)

    return _denoise_each(denoise_patch, patches, sigma, "Non-local means")


def bm3d(patches, sigma):
    """Apply block matching and 3D filtering (BM3D), a strong denoiser without learning.

    Args, returns, raises: as for `non_local_means`. Raises ImportError without the package bm3d,
    which is not installed with the kit because it is free for research and study only.

    Reference: Dabov et al., TIP 2007; the code is that of its authors.
    """
    try:
        from bm3d import bm3d as denoise_patch
    except ImportError as error:
        raise ImportError("BM3D needs the package of its authors: pip install bm3d") from error
    return _denoise_each(denoise_patch, patches, sigma, "BM3D")


def _denoise_each(denoise_patch, patches, sigma, name):
    patches = np.asarray(patches, np.float32)
    if patches.ndim != 4 or patches.shape[-1] != 1:
        raise UserError(f"Patches have shape {patches.shape}: expected (batch, 32, 32, 1).")
    sigma = np.broadcast_to(np.asarray(sigma, float), len(patches))
    pairs = tqdm(zip(patches[..., 0], sigma), name, len(patches), unit="patch", delay=1)
    denoised = np.array([denoise_patch(patch, noise) for patch, noise in pairs], np.float32)
    return np.clip(denoised, 0, 255).reshape(patches.shape)
