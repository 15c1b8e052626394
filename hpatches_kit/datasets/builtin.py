"""The built-in patch sets: virtual sequences of the photographs of `images/builtin.py`.

They are split by photograph into three sides: training, validation and test.
"""

from dataclasses import asdict, dataclass
from functools import partial

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.thread_pool import parallel_map
from hpatches_kit.datasets.builtin_copies import copied_photograph
from hpatches_kit.datasets.own_photographs import find_scenes, list_paths
from hpatches_kit.images.builtin import photograph
from hpatches_kit.images.sequences import ImageSequence
from hpatches_kit.patches.overlap import photograph_of
from hpatches_kit.patches.scenes import (
    REASONS,
    Scene,
    extract_scenes,
    have_points,
    scene_sequences,
    virtual_names,
)

# data/README.md lists sources and licences.
SCENES = {
    "train": "astronaut clock coins flower microscope retina rocket text".split(),
    "validation": ["coffee", "hopper"],
    "test": ["camera", "chelsea", "china"],
}
# These have thousands of similar keypoints, or hardly any, so they contribute fewer points.
TEXTURES = ["brick", "cell", "grass", "gravel", "hubble"]  # for training only
VERSION = 4  # raise it when the patches change, so that caches are built again
FEWEST_POINTS = 300  # per sequence of validation and test


@dataclass
class BuiltinSize:
    """How many virtual sequences a photograph gives, and how many points a sequence has."""

    viewpoint: int  # virtual sequences per photograph for training
    lighting: int
    points: int  # at most, per sequence for training
    texture_points: int  # at most, per sequence of a texture
    test_sequences: int  # of each kind per photograph for validation and test
    test_points: int  # at most, per sequence for validation and test
    seed: int = 0


BUILTIN = {
    "mini": BuiltinSize(2, 2, points=150, texture_points=50, test_sequences=1, test_points=300),
    "photos": BuiltinSize(6, 4, points=260, texture_points=80, test_sequences=2, test_points=1000),
}


def build(size, progress=True, originals=False, extra=None):
    """Cut patches from every photograph; returns a `PatchSet` with the split `"photographs"`.

    Args:
        size: a `BuiltinSize`.
        progress: show progress bars.
        originals: as for `extract_scenes`.
        extra: photographs and image sequences that are added to the training side, last; see
            `extra_scenes`. All other patches stay the same.
    """
    scenes, split = builtin_scenes(size)
    if extra is not None:
        added = extra_scenes(extra, size, scenes, progress)
        scenes += added
        split["train"] += [name for scene in added for name in scene.sequences]
    return extract_scenes(scenes, {"photographs": split}, progress, originals)


def builtin_scenes(size):
    """Return the scenes of the built-in photographs, and `{side: names of sequences}`."""
    scenes, split = [], {side: [] for side in SCENES}
    for side, photographs in SCENES.items():
        for name in photographs + (TEXTURES if side == "train" else []):
            if side == "train":
                names = virtual_names(name, size.viewpoint, size.lighting)
                points = size.texture_points if name in TEXTURES else size.points
                fewest = 0
            else:
                names = virtual_names(name, size.test_sequences, size.test_sequences)
                points, fewest = size.test_points, FEWEST_POINTS
            seed = (size.seed, len(scenes))
            read = partial(photograph, name)
            scenes.append(Scene(name, read, names, points, seed, fewest_points=fewest))
            split[side] += names
    return scenes, split


def builtin_sequences(side="test", name="mini", progress=True):
    """Return the virtual image sequences from which built-in patches are cut.

    Args:
        side: `"train"`, `"validation"` or `"test"`.
        name: `"mini"`, with 6 sequences on the test side, or `"photos"`, with 12.
        progress: show a bar, one step per photograph.

    Returns a list of `ImageSequence`. Raises UserError for an unknown name or side.
    """
    for value, expected in ((name, BUILTIN), (side, SCENES)):
        if value not in expected:
            raise UserError(f"{value!r}: expected one of {', '.join(map(repr, expected))}.")
    scenes, split = builtin_scenes(BUILTIN[name])
    scenes = [scene for scene in scenes if set(scene.sequences) <= set(split[side])]
    title = "Making image sequences"
    return sum(parallel_map(scene_sequences, scenes, title, progress, "photograph"), [])


def extra_scenes(extra, size, builtin, progress=True):
    """List the scenes of a user's own photographs and image sequences, for the training side.

    Args:
        extra: as `photos` of `from_photographs`.
        size: a `BuiltinSize`; the numbers of sequences and points are those for training.
        builtin: the scenes of the built-in photographs. No name of a sequence is used twice.
        progress: show a bar while the photographs are read.

    Copies of built-in photographs are skipped with a message. Reads every image, so that the errors
    of `find_scenes`, of images that cannot be read and of photographs without a usable point come
    before a long build.
    """
    paths = list_paths(extra)
    owners = {scene.name: f"the built-in photograph {scene.name}" for scene in builtin}
    taken = {name.casefold(): owners[scene.name] for scene in builtin for name in scene.sequences}
    scenes = find_scenes(paths, size.viewpoint, size.lighting, size.points, size.seed, taken)
    for scene in scenes:  # only the name of a real sequence is not chosen here
        if owner := owners.get(photograph_of(scene.sequences[0]).casefold()):
            raise UserError(
                f"The sequence {scene.file} has the name of {owner}: rename its folder."
            )
    find_copy = partial(_copied_photograph, names=list(owners))
    copied = parallel_map(find_copy, scenes, "Reading photographs", progress, "photograph")
    for scene, (name, verb) in zip(scenes, copied):
        if name:
            print(f"Skipped: {scene.file} {verb} a copy of {owners[name]}.")
    scenes = [scene for scene, (name, _) in zip(scenes, copied) if not name]
    sources = ", ".join(map(str, paths))
    if not scenes:
        raise UserError(
            f"Nothing to add from {sources}: every photograph is a copy of a built-in one."
        )
    if not have_points(scenes):
        raise UserError(
            f"Nothing to add from {sources}: no usable point in any of {len(scenes)} photographs or"
            f" sequences. {REASONS}"
        )
    return scenes


def _copied_photograph(scene, names):
    """Return the photograph that a scene copies, or None, and a verb for the message."""
    source = scene.read()
    verb = "contains" if isinstance(source, ImageSequence) else "is"
    return copied_photograph(source, names), verb


def provenance(name, originals=False, extra=None):
    """Everything that the patches depend on; stored with the patch set.

    `extra` is the `fingerprint` of the photographs that were added.
    """
    optional = {"originals": True} if originals else {}
    optional |= {"extra": extra} if extra else {}
    return {"name": name, "version": VERSION, "size": asdict(BUILTIN[name]), **optional}
