"""Built-in photographs: images that the kit's own dependencies install, without a download."""

import matplotlib.cbook
import numpy as np
import skimage.data
from PIL import Image
from skimage.color import rgb2gray
from skimage.transform import downscale_local_mean
from sklearn.datasets import load_sample_image

# Short names for functions of `skimage.data`.
SKIMAGE_NAMES = {"hubble": "hubble_deep_field", "microscope": "immunohistochemistry"}


def photograph(name):
    """Return a built-in photograph as `float32 (height, width)`, grey levels 0..255.

    Args:
        name: `"china"` or `"flower"` (scikit-learn), `"hopper"` (Matplotlib), `"hubble"` or
            `"microscope"`, or the name of a function of `skimage.data`, such as `"coffee"`.
    """
    if name in ("china", "flower"):
        image = load_sample_image(f"{name}.jpg")
    elif name == "hopper":
        with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
            image = np.asarray(Image.open(file))
    else:
        image = getattr(skimage.data, SKIMAGE_NAMES.get(name, name))()
    grey = rgb2gray(image) * 255 if image.ndim == 3 else image
    if max(grey.shape) > 1000:  # the finest pixels of a very large photograph hold only noise
        grey = downscale_local_mean(grey, (2, 2))
    return np.asarray(grey, np.float32)
