"""Describe the keypoints of an image: a patch for each, cut as in training, and a descriptor."""

from functools import lru_cache
from inspect import isfunction, signature
from itertools import repeat

import numpy as np

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.descriptors.baselines import BASELINES
from hpatches_kit.patches.extraction import regions, sample
from hpatches_kit.patches.noise import resize
from hpatches_kit.patches.prediction import check_input_shape, predict, takes_sigma
from hpatches_kit.patches.views import ORIGINAL, SOURCE_SIZE


def describe_keypoints(image, keypoints, descriptor="descriptor"):
    """Describe keypoints of an image, `float32 (points, dim)`.

    Args:
        image: `(height, width)` grey levels 0..255, as from `hk.images.as_grey`.
        keypoints: `(points, 4)` x, y, scale and angle, as from `hk.images.detect_keypoints`.
        descriptor: as for `hk.match`.

    Raises UserError for an unknown name, a model of patches of another size, a class or function
    that makes models, and an output that is not one vector of finite numbers per patch.
    """
    model = find_descriptor(descriptor)
    return describe_patches(cut_patches(image, keypoints, takes_originals(model)), model)


def describe_images(images, keypoints, models):
    """Describe the keypoints of several images: `{name: [descriptors of each image]}`.

    Patches are cut once for all models, and each model is called once for all images. `images` and
    `keypoints` are lists, `models` is `{name: model or function}`.
    """
    ends = np.cumsum([len(points) for points in keypoints])[:-1]
    patches = {}
    for originals in {takes_originals(model) for model in models.values()}:
        arguments = zip(images, keypoints, repeat(originals))
        cut = parallel_map(lambda image: cut_patches(*image), arguments, "", progress=False)
        patches[originals] = np.concatenate(cut)
    return {
        name: np.split(describe_patches(patches[takes_originals(model)], model), ends)
        for name, model in models.items()
    }


def cut_patches(image, keypoints, originals=False):
    """Cut the patch of each keypoint, as for training: `uint8 (points, 32, 32, 1)`.

    The patch covers 5 scales to each side. It is sampled at 65x65 pixels without aliasing and
    resized to 32x32; with `originals`, it keeps 65x65. Outside the image, the nearest pixel is
    used.
    """
    patches = sample(np.asarray(image, np.float32), regions(keypoints))
    return (patches if originals else resize(patches))[..., None]


def describe_patches(patches, model):
    """Run a model or function on patches `uint8 (n, 32, 32, 1)`; returns `float32 (n, dim)`.

    A model with two inputs also gets the noise strength 0 of each patch. Errors are those of
    `describe_keypoints`.
    """
    check_input_shape(model, ORIGINAL if patches.shape[1] == SOURCE_SIZE else "clean")
    if not len(patches):
        return describe_patches(np.zeros((1, *patches.shape[1:]), np.uint8), model)[:0]
    sigma = [np.zeros(len(patches), np.float32)] if takes_sigma(model) else []
    values = np.asarray(predict(model, [patches, *sigma]))
    expected = f"expected descriptors ({len(patches)}, dim)."
    if values.dtype.kind not in "buif":
        raise UserError(f"{name_of(model)} does not return numbers: {expected}")
    if values.ndim != 2 or len(values) != len(patches) or not values.shape[1]:
        raise UserError(f"{name_of(model)} returns {values.shape}: {expected}")
    if not np.isfinite(values).all():
        raise UserError(f"{name_of(model)} returns NaN or infinite numbers.")
    return values.astype(np.float32, copy=False)


def find_descriptor(descriptor):
    """Return the model or function that `descriptor` names, or itself if it is not a name."""
    if callable(descriptor):
        _check_takes_patches(descriptor)
        return descriptor
    if not isinstance(descriptor, str):
        raise UserError(f"{descriptor!r} is not a descriptor: expected a name, model or function.")
    return BASELINES[descriptor] if descriptor in BASELINES else _pretrained(descriptor)


def _check_takes_patches(function):
    """Raise UserError for what makes models, which was meant to be called."""
    name = name_of(function)
    makes_models = str(getattr(function, "__module__", "")).startswith("hpatches_kit.models")
    if isinstance(function, type) or (makes_models and isfunction(function)):
        raise UserError(f"{name} is not a model, but makes one: add parentheses, {name}().")
    try:
        signature(function).bind(None)
    except TypeError as error:
        raise UserError(
            f"{name} cannot be called with patches alone: expected a model, or a function of"
            f" patches. If it makes a model, add parentheses: {name}()."
        ) from error
    except ValueError:  # compiled functions may have no signature
        pass


def name_of(model):
    """Return the name of a model or function, for tables and messages."""
    return getattr(model, "name", None) or getattr(model, "__name__", None) or "descriptor"


def takes_originals(model):
    """Whether a model takes patches of 65x65 pixels."""
    shape = getattr(model, "input_shape", None)
    shape = shape[0] if isinstance(shape, list) else shape
    return bool(shape) and shape[1] == SOURCE_SIZE


@lru_cache(maxsize=4)  # a network that is called again is neither read nor compiled again
def _pretrained(name):
    from hpatches_kit.models.pretrained import pretrained  # imports Keras

    try:
        return pretrained(name)
    except UserError as error:
        raise UserError(f"{error} Baselines: {', '.join(BASELINES)}.") from error
