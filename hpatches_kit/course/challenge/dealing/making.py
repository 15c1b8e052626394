"""Make a challenge: a folder for the participants, and the key for the teacher."""

from pathlib import Path

import numpy as np

from hpatches_kit._support.atomic import check_replaceable
from hpatches_kit._support.disk import check_writable
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import check_output
from hpatches_kit.course.challenge.dealing.halves import public_sequences
from hpatches_kit.course.challenge.dealing.key_files import Key
from hpatches_kit.course.challenge.dealing.kit import write_kit
from hpatches_kit.course.challenge.dealing.secret_order import new_secret
from hpatches_kit.course.challenge.dealing.sources import are_public, find_patches

KINDS = ("noisy", "clean")


def make(
    photos,
    out,
    key,
    title="Descriptor challenge",
    kind="noisy",
    points=100,
    viewpoint=2,
    lighting=2,
    progress=True,
):
    """Deal the patches of photographs, shuffled and without labels.

    Every call draws a new secret: the same photographs give another challenge with another key.

    Args:
        photos: your own photographs and image sequences, a saved patch set, or `"hpatches"`; see
            `find_patches`. Four photographs or more; ten or more give useful intervals.
        out: new folder for the participants: patches, rules and an example script.
        key: new file for the teacher, outside of `out`. It holds the labels: keep it secret.
        title: for the rules and the page.
        kind: `"noisy"` as in the coursework, or `"clean"`.
        points: greatest number of points per sequence. A point has 16 patches: 1000 points are
            16,000 patches, and 8 MB in a submission.
        viewpoint, lighting: virtual sequences per photograph.
        progress: show progress bars.

    Returns the `Key`. Raises UserError for built-in photographs, which everybody has, and for fewer
    than four photographs; FileExistsError if the key or a file in `out` exists; and the errors of
    `find_patches`.
    """
    out, key = Path(out).expanduser(), Path(key).expanduser()
    _check_paths(out, key)
    if kind not in KINDS:
        raise UserError(f"Unknown {kind=}: expected one of {', '.join(map(repr, KINDS))}.")
    if points < 2 or min(viewpoint, lighting) < 0:
        raise UserError(
            f"{points=}, {viewpoint=}, {lighting=}: expected at least 2 points and 0 sequences."
        )
    secret = new_secret()
    patches = find_patches(photos, secret, viewpoint, lighting, points, progress)
    if kind not in patches.arrays:
        raise UserError(f"{photos} has no {kind} patches: expected {' or '.join(patches.arrays)}.")
    public = public_sequences(patches.names, secret)
    if are_public(patches):
        print(
            "These patches are part of HPatches, which anybody can download with its labels. Ask"
            " for the code of the best submissions, and run it."
        )
    dealt = Key(
        title,
        kind,
        secret,
        np.array(patches[kind]),
        patches.sequence,
        patches.label,
        patches.flat,
        public,
    )
    dealt.save(key)  # first: a kit without its key is useless
    try:
        write_kit(out, dealt)
    except BaseException:
        key.unlink()
        raise
    return dealt


def _check_paths(out, key):
    """Raise an error before the work if the key or the kit cannot be written."""
    if key.resolve().is_relative_to(out.resolve()):
        raise UserError(
            f"The key {key} would lie in {out}, which the participants get: choose another folder."
        )
    check_output(key)
    if key.exists():
        raise FileExistsError(f"{key} already exists: choose another name for the key.")
    check_replaceable(out, patterns=())
    for path in (out, key):
        check_writable(path)
