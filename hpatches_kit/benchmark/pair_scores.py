"""Descriptors scored as they are used: matches of image pairs, and homographies from them.

All descriptors get the same keypoints and patches. Image 1 of each sequence is matched to each of
the others.
"""

from collections.abc import Iterable
from functools import partial
from os import PathLike

import numpy as np
import pandas as pd
from tqdm import tqdm

from hpatches_kit._support.errors import UserError, errors_about
from hpatches_kit._support.options import check_longest, check_whole_number
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.own_photographs import LONGEST_OF_SEQUENCE
from hpatches_kit.image_matching.describe_image import (
    describe_images,
    find_descriptor,
    name_of,
)
from hpatches_kit.image_matching.geometry import ESTIMATORS, check_options, estimate
from hpatches_kit.image_matching.neighbours import nearest_pairs
from hpatches_kit.images.homographies import project, transfer_errors
from hpatches_kit.images.keypoints import detect_keypoints
from hpatches_kit.images.sequences import ImageSequence, read_sequence, sequence_folders

ACCURACY_PIXELS = range(1, 11)
AUC_PIXELS = (1, 3, 5)
GROUPS = {"viewpoint": "v", "illumination": "i"}  # by the first letter of a sequence's name


def image_pairs(sequences, descriptor="descriptor", **options):
    """Score descriptors on image pairs: mean matching accuracy (MMA) and homography AUC.

        coffee = hk.images.photograph("coffee")[:250, :300]
        sequences = [hk.images.viewpoint_sequence("v_coffee", coffee)]
        table = hk.benchmark.image_pairs(sequences, ["rootsift", "orb"])
        hk.plots.matching_accuracy(table)

    Args: as for `each_image_pair`.

    Returns a `pandas.DataFrame` with a row for each descriptor and each group of sequences: all,
    viewpoint and illumination, as far as there are any. Columns: the number of image pairs, and
    means over them:

    - matches, and inliers of the estimated homography;
    - `MMA 1 px` to `MMA 10 px`: the fraction of matches that the true homography maps to within
      this distance (Mikolajczyk & Schmid, PAMI 2005; Dusmanu et al., D2-Net, CVPR 2019);
    - `AUC 1 px`, `3 px`, `5 px`: the area below the cumulative curve of corner errors, up to this
      error and divided by it. The corner error is the mean distance between the four corners of
      image 1 mapped by the estimated and by the true homography (DeTone et al., SuperPoint, CVPRW
      2018; Sarlin et al., SuperGlue, CVPR 2020); without a homography, it is infinite;
    - the estimator of the homography and its threshold, on which the AUC depends.
    """
    return summarise(each_image_pair(sequences, descriptor, **options))


def each_image_pair(
    sequences,
    descriptor="descriptor",
    points=1000,
    estimator="ransac",
    threshold=3.0,
    seed=0,
    longest=LONGEST_OF_SEQUENCE,
    progress=True,
):
    """Score descriptors on each image pair: a `pandas.DataFrame` with a row for each.

    Args:
        sequences: a list of `ImageSequence`, such as `hk.datasets.builtin_sequences()`; or a folder
            that is an image sequence in the layout of HPatches or contains some, such as
            `hk.datasets.image_sequences()`; or a list of such folders.
        descriptor: as for `hk.match`, or several: a list, or `{name: descriptor}`.
        points: greatest number of keypoints per image, the strongest.
        estimator, threshold: of the homography, see `hk.image_matching.estimate`.
        seed: of the estimator; or several, a list, with a row of each pair for each of them: the
            AUC of few pairs depends on the seed.
        longest: larger images of a folder are reduced to this number of pixels along the longer
            side; homographies are adapted.
        progress: show a progress bar, one step per sequence and descriptor.

    Columns: descriptor, sequence, image, seed; numbers of keypoints in image 1 and in this image,
    matches and inliers; `MMA 1 px` .. `MMA 10 px`, corner_error in pixels, estimator. Descriptors
    are matched as mutual nearest neighbours. Raises UserError for no descriptor, sequence or seed,
    images too small for keypoints and points below 1, and the errors of `read_sequence`,
    `hk.image_matching.estimate` and `hk.image_matching.describe_keypoints`.
    """
    check_whole_number("points", points, 1)
    check_longest(longest)
    if not (seeds := list(seed) if isinstance(seed, list | tuple | range | np.ndarray) else [seed]):
        raise UserError("There is no seed for the estimator.")
    for seed in seeds:
        check_options("homography", estimator, threshold, seed)
    models = _named_models(descriptor)
    sequences = _list_sequences(sequences)
    total, rows = len(sequences) * len(models), []
    bar = tqdm(total=total, desc="Matching", unit="sequence", disable=not progress, delay=2)
    with bar:
        for sequence in sequences:
            if not isinstance(sequence, ImageSequence):
                sequence = read_sequence(sequence, longest)
            with errors_about(f"the sequence {sequence.name}"):
                detect = partial(detect_keypoints, strongest=points)
                keypoints = parallel_map(detect, sequence.images, "", progress=False)
            for name, descriptors in describe_images(sequence.images, keypoints, models).items():
                options = {"estimator": estimator, "threshold": threshold}
                for row in _score_sequence(sequence, keypoints, descriptors, seeds, options):
                    rows.append({"descriptor": name, **row})
                bar.update()
    return pd.DataFrame(rows).assign(estimator=f"{ESTIMATORS[estimator]}, {threshold:g} px")


def _score_sequence(sequence, keypoints, descriptors, seeds, options):
    """Yield a row for each image but the first and each seed.

    `keypoints` and `descriptors` are lists; `options` are those of the estimator.
    """
    for k, homography in enumerate(sequence.homographies, start=1):
        pairs, _ = nearest_pairs(descriptors[0], descriptors[k])
        xy = keypoints[0][pairs[:, 0], :2], keypoints[k][pairs[:, 1], :2]
        accuracy = matching_accuracy(transfer_errors(homography, *xy))
        for seed in seeds:
            matrix, inliers, _ = estimate(*xy, sequence.images[k].shape, seed=seed, **options)
            yield {
                "sequence": sequence.name,
                "image": k + 1,
                "seed": seed,
                "keypoints_1": len(keypoints[0]),
                "keypoints": len(keypoints[k]),
                "matches": len(pairs),
                "inliers": int(inliers.sum()),
                **accuracy,
                "corner_error": corner_error(matrix, homography, sequence.images[0].shape),
            }


def summarise(pairs):
    """Turn the table of `each_image_pair` into that of `image_pairs`."""
    means = ["matches", "inliers", *(f"MMA {pixels} px" for pixels in ACCURACY_PIXELS)]
    rows = {}
    for name in dict.fromkeys(pairs.descriptor):
        of_descriptor = pairs[pairs.descriptor == name]
        letters = of_descriptor.sequence.str[0]
        groups = {group: of_descriptor[letters == letter] for group, letter in GROUPS.items()}
        for group, members in {"all": of_descriptor, **groups}.items():
            if len(members):
                rows[name, group] = {
                    "pairs": len(members) // members.seed.nunique(),
                    **members[means].mean(),
                    **homography_auc(members.corner_error),
                    "estimator": members.estimator.iloc[0],
                }
    index = pd.MultiIndex.from_tuples(rows, names=["descriptor", "sequences"])
    return pd.DataFrame(list(rows.values()), index)


def matching_accuracy(errors):
    """Return `{"MMA 1 px": .., ..}`, the fraction of matches with at most this error in pixels.

    `errors` are `(matches,)`; without matches, every fraction is 0.
    """
    return {
        f"MMA {pixels} px": float(np.mean(errors <= pixels)) if len(errors) else 0.0
        for pixels in ACCURACY_PIXELS
    }


def corner_error(matrix, homography, shape):
    """Return the mean distance in pixels of four corners mapped by two homographies.

    Args:
        matrix: the estimated homography, or None, whose error is infinite.
        homography: the true one.
        shape: `(height, width)` of image 1, whose corners these are.
    """
    if matrix is None:
        return np.inf
    height, width = shape
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    expected = np.column_stack([c[0] for c in project(homography[None], corners)])
    return float(transfer_errors(matrix, corners, expected).mean())


def homography_auc(corner_errors):
    """Return `{"AUC 1 px": .., ..}` of corner errors, with linear interpolation as in SuperGlue."""
    errors = np.sort(corner_errors)
    fractions = np.arange(len(errors) + 1) / len(errors)
    errors = np.concatenate([[0.0], errors])
    areas = {}
    for pixels in AUC_PIXELS:
        below = np.searchsorted(errors, pixels)
        x = np.append(errors[:below], pixels)
        y = np.append(fractions[:below], fractions[below - 1])
        areas[f"AUC {pixels} px"] = float(np.trapezoid(y, x) / pixels)
    return areas


def _named_models(descriptor):
    several = descriptor if isinstance(descriptor, list | tuple | dict) else [descriptor]
    if not several:
        raise UserError("There is no descriptor to score.")
    if isinstance(several, dict):
        return {name: find_descriptor(model) for name, model in several.items()}
    # A pretrained network has the name that was asked for, not that of its architecture.
    named = [
        (model if isinstance(model, str) else name_of(model), find_descriptor(model))
        for model in several
    ]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise UserError(f"Two descriptors have the same name: {names}. Use {{name: descriptor}}.")
    return dict(named)


def _list_sequences(sequences):
    if isinstance(sequences, str | PathLike | ImageSequence):
        sequences = [sequences]
    listed = []
    for sequence in sequences if isinstance(sequences, Iterable) else [sequences]:
        if not isinstance(sequence, str | PathLike | ImageSequence):
            raise UserError(f"{sequence!r} is not an image sequence: expected one, or a folder.")
        listed += [sequence] if isinstance(sequence, ImageSequence) else sequence_folders(sequence)
    if not listed:
        raise UserError("There is no image sequence to score on.")
    return listed
