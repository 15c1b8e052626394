"""The release formats: PNG strips in a folder or a zip, as HPatches and N-HPatches have them.

One folder a sequence, one strip a view (`ref.png`, `e1.png` .. `t5.png`), patches stacked from top
to bottom, the same number in all 16. HPatches strips are 65 pixels wide; those of N-HPatches 32,
with a strip `<view>_noise.png` beside each.
"""

import struct
import zlib
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from hpatches_kit._support.archives import is_hidden, open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.views import PATCH_SIZE, SOURCE_SIZE, VIEWS

DEEP = 4  # levels of a folder on which strips are looked for
NOISE = "_noise"
EXTRA = "places.json"  # what strips cannot hold: labels of places, splits of other data sets
BYTES = ("L", "LA", "P", "RGB", "RGBA", "1")  # kinds of pixels that lose nothing as 8 bits of grey


@contextmanager
def open_strips(source):
    """Yield the `Strips` of a folder or a zip; a zip is read where it is, and nothing is unpacked.

    Raises FileNotFoundError when it is not there or holds no sequence, UserError for a zip that is
    cut off, foreign or unsafe (see `safe_zip`), and for two sequences of one name.
    """
    source = Path(source).expanduser()
    if source.is_dir():
        paths = [
            path.relative_to(source)
            for depth in range(DEEP)
            for path in source.glob("*/" * depth + "*")
            if path.suffix in (".png", ".json")
        ]
        paths = [PurePosixPath(path) for path in paths if not is_hidden(path)]

        def read(path, first=None):
            with open(source / path, "rb") as stream:
                return stream.read(first)

        states = {path: (source / path).stat() for path in paths}
        files = {path: (state.st_size, state.st_mtime_ns) for path, state in states.items()}
        yield Strips(source, files, read)
    elif source.exists():
        with open_zip(source) as (members, read):
            yield Strips(source, members, read)
    else:
        raise FileNotFoundError(f"{source} is neither a folder nor a zip file.")


class Strips:
    """The sequences of a source, however deep they lie in it.

    Attributes:
        where: path of the source.
        folders: `{sequence name: its folder in the source}`, in alphabetical order.
        fingerprint: names the content of the source: all paths and sizes, and the checksums that
            a zip keeps of its files; in a folder, the times when they were written.
    """

    def __init__(self, where, files, read):
        self.where, self._files, self._read = where, set(files), read
        self.folders, self._sizes = {}, {}
        views = {f"{view}.png" for view in VIEWS}
        for folder in sorted({path.parent for path in self._files if path.name in views}):
            name = folder.name or where.stem  # strips that lie there without a folder
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
        own = {f"{view}{end}.png" for view in VIEWS for end in ("", NOISE)} | {EXTRA}
        listing = sorted((str(path), files[path]) for path in files if path.name in own)
        self.fingerprint = f"{zlib.crc32(repr(listing).encode()):08x}"

    def file(self, name, view, suffix=""):
        """Path of a strip in the source. Raises FileNotFoundError when it is missing."""
        path = self.folders[name] / f"{view}{suffix}.png"
        if path not in self._files:
            raise FileNotFoundError(
                f"{self.where / path} is missing: a sequence needs the views {', '.join(VIEWS)}"
                + (f", each with its {NOISE}.png." if suffix else ".")
            )
        return path

    def size(self, name):
        """`(width of the strips, points)` of a sequence, read off the first bytes of its `ref.png`.

        Raises UserError when it is no strip of either release.
        """
        if name in self._sizes:
            return self._sizes[name]
        path = self.file(name, "ref")
        head = self._read(path, 24)
        if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) == 24:
            width, height = struct.unpack(">II", head[16:])
        else:
            height, width = self._pixels(path).shape
        if width not in (SOURCE_SIZE, PATCH_SIZE) or height % width:
            raise UserError(
                f"{self.where / path} is {width} pixels wide and {height} high: expected"
                f" {SOURCE_SIZE} (HPatches) or {PATCH_SIZE} (N-HPatches) wide, and a multiple of it high."
            )
        self._sizes[name] = width, height // width
        return self._sizes[name]

    def strip(self, name, view, suffix=""):
        """Read a strip, `uint8 (points, size, size)`.

        Raises FileNotFoundError or ValueError, naming the file, when it is missing, damaged, or does
        not have the size of the sequence's `ref.png`.
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
            with Image.open(BytesIO(self._read(path))) as image:
                if image.mode not in BYTES:
                    raise UserError(
                        f"{self.where / path} has pixels of kind {image.mode}: expected 8 bits of grey."
                    )
                return np.asarray(image.convert("L"))
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise UserError(f"{self.where / path} cannot be read as an image: {error}") from error

    def extra(self):
        """Bytes of the `places.json` that lies beside the sequences, or None."""
        for folder in {folder.parent for folder in self.folders.values()}:
            if folder / EXTRA in self._files:
                return self._read(folder / EXTRA)
        return None


def write_strips(folder, patches, suffix=""):
    """Write `uint8 (points, 16, size, size)` as 16 strips; the folder is made when missing."""
    patches = np.asarray(patches)
    if patches.dtype != np.uint8 or patches.ndim != 4 or patches.shape[1] != len(VIEWS):
        raise UserError(
            f"Patches are {patches.dtype} {patches.shape}: expected uint8 (points, 16, size, size)."
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for column, view in enumerate(VIEWS):
        strip = patches[:, column].reshape(-1, patches.shape[-1])
        Image.fromarray(strip).save(Path(folder) / f"{view}{suffix}.png")
