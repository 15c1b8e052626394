"""The patches of a challenge: of photographs, of a saved patch set, or of HPatches."""

from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.dealing.builtin_sequences import (
    BUILTIN_PHOTOGRAPHS,
    copied_sequence,
)
from hpatches_kit.course.challenge.dealing.halves import photographs_of
from hpatches_kit.course.challenge.dealing.secret_order import secret_number
from hpatches_kit.datasets.builtin import BUILTIN
from hpatches_kit.datasets.builtin_copies import copied_photograph
from hpatches_kit.datasets.loading import RELEASES, load
from hpatches_kit.datasets.own_photographs import find_scenes, list_paths
from hpatches_kit.datasets.splits import SEQUENCE_NAMES
from hpatches_kit.patches.overlap import photograph_of
from hpatches_kit.patches.scenes import extract_scenes
from hpatches_kit.patches.storage import METADATA_FILE

WHY = (
    "everybody has the kit, and can cut the same patches with their labels. Use photographs that"
    " only you have."
)


def find_patches(photos, secret, viewpoint=2, lighting=2, points=100, progress=True):
    """Return the `PatchSet` of a challenge.

    Args:
        photos: photographs and image sequences as for `hk.datasets.from_photographs`, or the path
            of a saved patch set, or `"hpatches"` or `"n-hpatches"`, whose test side of split a is
            used.
        secret: bytes. Viewpoints, lights and noise depend on it: whoever finds a photograph cannot
            make the same patches.
        viewpoint, lighting: virtual sequences per photograph.
        points: greatest number of points per sequence.
        progress: show progress bars.

    Raises UserError for built-in photographs and for fewer than four, and the errors of
    `from_photographs` and `load`.
    """
    paths = list_paths(photos)
    for path in paths:
        if str(path) in BUILTIN and not path.exists():
            raise UserError(f"{str(path)!r} consists of built-in photographs: {WHY}")
        is_release = str(path) in RELEASES and not path.exists()
        if is_release or (path / METADATA_FILE).exists():
            if len(paths) > 1:
                raise UserError(f"{path} is a patch set: expected it alone, or only photographs.")
            return _of_saved_set(str(path), secret, points, progress)
    seed = secret_number(secret, "patches")
    scenes = find_scenes(paths, viewpoint, lighting, points, seed)
    for scene in scenes:
        if name := copied_photograph(scene.read(), BUILTIN_PHOTOGRAPHS):
            raise UserError(f"{scene.file} shows the built-in photograph {name!r}: {WHY}")
    photographs_of(name for scene in scenes for name in scene.sequences)  # before minutes of work
    return extract_scenes(scenes, progress=progress)


def are_public(patches):
    """Whether the patches are those of HPatches, which anybody can look up."""
    return bool(set(map(photograph_of, patches.names)) & set(SEQUENCE_NAMES))


def _of_saved_set(name, secret, points, progress):
    patches = load(name, progress=progress)
    if "a" in patches.splits:  # learners may train on the other sides
        patches = patches.split("a")[2]
    if copied := copied_sequence(patches):
        raise UserError(f"The sequence {copied} of {name} shows a built-in photograph: {WHY}")
    # Fewer points per sequence are easier to match. That is the same for all participants, and a
    # submission of all points of HPatches would have 500 MB.
    seed = secret_number(secret, "points")
    return patches.select(patches.names).sample_sparse_points(points, seed, per_sequence=True)
