"""Strips: the file format of HPatches and N-HPatches, in a folder or a zip.

A strip is a PNG image of all patches of one view of a sequence, stacked from top to bottom. A
sequence is a folder with 16 strips (`ref.png`, `e1.png` .. `t5.png`). The strips of HPatches are 65
pixels wide. Those of N-HPatches are 32 pixels wide; beside each is a strip of the noisy patches,
`<view>_noise.png`.
"""

import hashlib
import os
import struct
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from hpatches_kit._support.archives import is_hidden, open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.pictures import open_picture
from hpatches_kit._support.regular_files import open_regular, read_stream
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE, VIEWS

DEPTH = 4  # levels searched for strips: the folder itself and three levels of subfolders
NOISE = "_noise"
EXTRA = "places.json"  # labels of places and splits of other patch sets than HPatches
NAMES = {f"{view}{end}.png" for view in VIEWS for end in ("", NOISE)} | {EXTRA}
LARGEST = 1 << 28  # bytes of a strip or of `EXTRA`; a strip of HPatches has 5 MB
DENSEST = 8 * 1032  # pixels in a byte of a PNG image: 8 of one bit, compressed as far as possible
GREY_MODES = ("L", "LA", "P", "RGB", "RGBA", "1")  # Pillow modes that 8-bit grey levels can hold


@contextmanager
def open_strips(source):
    """Yield the `Strips` of a folder or a zip; a zip is not unpacked to disk.

    Raises FileNotFoundError if the source is missing or contains no sequence, UserError for a file
    that is not a valid and safe zip (see `open_zip`), and for two sequences with one name.
    """
    source = Path(source).expanduser()
    if source.is_dir():

        def read(path, first=None):
            with open_regular(source / path, links=False) as stream:
                return stream.read(first) if first else read_stream(stream, LARGEST)

        yield Strips(source, _list_folder(source), read)
    elif source.exists():
        with open_zip(source) as (members, read):
            yield Strips(source, members, read)
    else:
        raise FileNotFoundError(f"{source} is neither a folder nor a zip file.")


def _list_folder(folder):
    """`{path in the folder: (size, time of modification)}` of its strips; UserError for links."""
    files, real_folder = {}, Path(os.path.realpath(folder))
    for depth in range(DEPTH):
        for file in folder.glob("*/" * depth + "*"):
            path = PurePosixPath(file.relative_to(folder))
            if path.name in NAMES and not is_hidden(path):
                if Path(os.path.realpath(file)) != real_folder / path:
                    raise UserError(f"{file} leads through a link: copy the strips instead.")
                with suppress(FileNotFoundError):  # another process may delete files meanwhile
                    state = file.stat()
                    files[path] = state.st_size, state.st_mtime_ns
    return files


class Strips:
    """The sequences of a folder (searched to `DEPTH`) or of a zip (at any depth).

    Attributes:
        where: path of the source.
        folders: `{sequence name: its folder in the source}`, in alphabetical order.
        fingerprint: 16 hexadecimal digits, a hash of the path and size of each file and of its
            CRC-32 (in a zip) or its time of modification (in a folder).
    """

    def __init__(self, where, files, read):
        self.where, self._read = where, read
        self._files = {path: size for path, (size, _) in files.items()}
        self.folders, self._sizes = {}, {}
        views = {f"{view}.png" for view in VIEWS}
        for folder in sorted({path.parent for path in self._files if path.name in views}):
            name = folder.name or where.stem  # strips without a folder of their own
            if name in self.folders:
                raise UserError(
                    f"{where} holds two sequences {name}: {self.folders[name]} and {folder}."
                )
            self.folders[name] = folder
        if not self.folders:
            raise FileNotFoundError(
                f"{where} holds no sequence: expected folders with ref.png, e1.png .. t5.png."
            )
        self.folders = dict(sorted(self.folders.items()))
        listing = sorted((str(path), files[path]) for path in files if path.name in NAMES)
        self.fingerprint = hashlib.sha256(repr(listing).encode()).hexdigest()[:16]

    def file(self, name, view, suffix=""):
        """The path of a strip in the source. Raises FileNotFoundError if it is missing."""
        path = self.folders[name] / f"{view}{suffix}.png"
        if path not in self._files:
            raise FileNotFoundError(
                f"{self.where / path} is missing: a sequence needs the views {', '.join(VIEWS)}"
                + (f", each with its {NOISE}.png." if suffix else ".")
            )
        return path

    def size(self, name):
        """`(width in pixels, points)` of a sequence; UserError if `ref.png` is not a strip."""
        if size := self._sizes.get(name):
            return size
        path = self.file(name, "ref")
        head = self._read(path, 24)
        if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 24:
            width, height = struct.unpack(">II", head[16:])
        else:
            height, width = self._pixels(path).shape
        if width not in (SOURCE_SIZE, PATCH_SIZE) or height % width or not height:
            raise UserError(
                f"{self.where / path} is {width} pixels wide and {height} high: expected"
                f" {SOURCE_SIZE} (HPatches) or {PATCH_SIZE} (N-HPatches) wide, and a multiple of it"
                " high."
            )
        if width * height > DENSEST * self._files[path]:
            raise UserError(
                f"{self.where / path} is damaged: its {self._files[path]} bytes cannot hold"
                f" {width} x {height} pixels."
            )
        self._sizes[name] = width, height // width
        return self._sizes[name]

    def strip(self, name, view, suffix=""):
        """Read a strip, `uint8 (points, size, size)`.

        Raises FileNotFoundError if it is missing, UserError if it is damaged or its size differs
        from that of `ref.png`.
        """
        path, (width, points) = self.file(name, view, suffix), self.size(name)
        strip = self._pixels(path)
        if strip.shape != (points * width, width):
            raise UserError(
                f"{self.where / path} is {strip.shape[1]} pixels wide and {strip.shape[0]} high:"
                f" expected {width} wide and {points * width} high, as ref.png is."
            )
        return strip.reshape(points, width, width)

    def _pixels(self, path):
        try:
            self._check_bytes(path)
            with open_picture(BytesIO(self._read(path)), self.where / path) as image:
                if image.mode not in GREY_MODES:
                    raise UserError(
                        f"{self.where / path} has pixels of mode {image.mode}: expected 8-bit grey."
                    )
                return np.asarray(image.convert("L"))
        except UserError:
            raise
        except Exception as error:  # each format of Pillow raises its own errors
            raise UserError(f"{self.where / path} cannot be read as an image: {error}") from error

    def _check_bytes(self, path):
        if (size := self._files[path]) > LARGEST:
            raise UserError(
                f"{self.where / path} has {size:,} bytes: expected at most {LARGEST:,}."
            )

    def extra(self):
        """The bytes of the `places.json` beside the sequences, or None."""
        for folder in self.folders.values():
            if folder.parent / EXTRA in self._files:
                self._check_bytes(folder.parent / EXTRA)
                return self._read(folder.parent / EXTRA)
        return None


def write_strips(folder, patches, suffix=""):
    """Write `uint8 (points, 16, size, size)` to a folder as 16 strips."""
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.ndim != 4 or patches.shape[1] != len(VIEWS):
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (points, 16, size, size)."
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for column, view in enumerate(VIEWS):
        strip = patches[:, column].reshape(-1, patches.shape[-1])
        Image.fromarray(strip).save(Path(folder) / f"{view}{suffix}.png")
