"""The key of a challenge: everything that only the teacher may know, in one file."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hpatches_kit._support.array_files import read_npz
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit._support.errors import UserError
from hpatches_kit.course.challenge.dealing.halves import HALVES
from hpatches_kit.course.challenge.dealing.secret_order import SECRET_BYTES, dealt_rows, secret_name
from hpatches_kit.descriptors.descriptors import Descriptors
from hpatches_kit.patches.views import PATCH_SIZE, VIEWS

FORMAT = 1  # version of the file
WHAT = "the key of a challenge, which `hpatches course challenge make --key` writes"


@dataclass
class Key:
    """The secret, the labels and the patches of a challenge.

    Attributes:
        title: of the challenge.
        kind: of the patches, `"noisy"` or `"clean"`.
        secret: 32 bytes, from which the order of the dealt rows follows.
        patches: `uint8 (points, 16, 32, 32)`, not shuffled.
        sequence, label, flat: `(points,)`, as in a `PatchSet`.
        public: names of the sequences of the public half.
    """

    title: str
    kind: str
    secret: bytes
    patches: np.ndarray
    sequence: np.ndarray
    label: np.ndarray
    flat: np.ndarray
    public: list

    @cached_property
    def rows(self):
        """The patch that each dealt row shows, see `dealt_rows`."""
        return dealt_rows(self.secret, len(self.sequence))

    @property
    def challenge(self):
        """Twelve digits that tell this challenge from any other; not secret."""
        return secret_name(self.secret, "challenge")

    @property
    def names(self):
        """Names of the sequences, in order."""
        return list(dict.fromkeys(self.sequence.tolist()))

    def names_of(self, half):
        """Names of the sequences of the `"public"` or the `"private"` half, in order."""
        return [name for name in self.names if (name in self.public) == (half == HALVES[0])]

    def points_of(self, half):
        """Whether each point belongs to a half, `(points,)`."""
        return np.isin(self.sequence, self.names_of(half))

    def descriptors(self, values, half):
        """`Descriptors` of the points of one half, from `float32 (points of the half, 16, dim)`."""
        points = self.points_of(half)
        fields = self.sequence[points], self.label[points], self.flat[points]
        return Descriptors(values, *fields, kind=self.kind)

    def save(self, file):
        """Write the key atomically, readable only by its owner.

        Raises FileExistsError if the file exists: without its key, a challenge cannot be scored.
        """
        file = Path(file)
        if file.exists():
            raise FileExistsError(
                f"{file} already exists: choose another name for the key. Without the old key, the"
                " submissions to an older challenge cannot be scored."
            )
        with atomic_file(file) as partial:
            partial.chmod(0o600)
            with open(partial, "wb") as stream:
                np.savez(
                    stream,
                    format=np.array(FORMAT),
                    title=np.array(self.title, str),
                    kind=np.array(self.kind, str),
                    secret=np.frombuffer(self.secret, np.uint8),
                    patches=self.patches,
                    sequence=np.asarray(self.sequence, str),
                    label=self.label,
                    flat=self.flat,
                    public=np.array(self.public, str),
                )


def load_key(file):
    """Read a file of `Key.save`; raises FileNotFoundError and UserError, which name the file."""
    file = Path(file)
    if file.is_dir():
        raise UserError(
            f"{file} is a folder: expected the key of a challenge, the file that `hpatches course"
            " challenge make --key` wrote."
        )
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: expected the key of a challenge.")
    stored = read_npz(file, WHAT, _check)
    if stored["format"] != FORMAT:
        raise UserError(
            f"{file} has format {stored['format']}: expected {FORMAT}. Score with the version of the"
            " kit that made the challenge."
        )
    names = ("patches", "sequence", "label", "flat")
    return Key(
        str(stored["title"]),
        str(stored["kind"]),
        stored["secret"].tobytes(),
        **{name: stored[name] for name in names},
        public=stored["public"].tolist(),
    )


def _check(headers):
    """Raise UserError if the arrays of a key have other shapes or types than `Key.save` writes."""
    absent = (0,), None
    points, public = (headers.get(name, absent)[0][:1] or (1,) for name in ("patches", "public"))
    expected = {  # the shape, and a letter of NumPy for the kind of type
        "format": ((), "i"),
        "title": ((), "U"),
        "kind": ((), "U"),
        "secret": ((SECRET_BYTES,), "u"),
        "patches": ((*points, len(VIEWS), PATCH_SIZE, PATCH_SIZE), "u"),
        "sequence": (points, "U"),
        "label": (points, "i"),
        "flat": (points, "b"),
        "public": (public, "U"),
    }
    for name, (shape, kind) in expected.items():
        if name not in headers:
            raise UserError(f"it has no {name}")
        found, dtype = headers[name]
        if (found, dtype.kind) != (shape, kind):
            raise UserError(f"its array {name!r} is {dtype} {found}, expected the shape {shape}")
