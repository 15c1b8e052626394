"""Open pictures of known formats only: Pillow hands some others to external programs."""

import os

from PIL import Image

from hpatches_kit._support.errors import UserError

# Formats of cameras, phones and this field. HEIF works where pillow-heif is registered.
FORMATS = ("PNG", "JPEG", "MPO", "PPM", "TIFF", "BMP", "WEBP", "AVIF", "HEIF")
PIXELS = 1 << 27  # 134 million; Pillow refuses 179 million
SMALL = 1 << 24  # pixels; how small the file of fewer pixels is does not matter
DENSEST = 200  # pixels in a byte of a larger image; photographs have fewer than 10


def open_picture(stream, name, verify=True):
    """Open a picture without decoding it: a Pillow image, a context manager.

    Args:
        stream: binary stream, which must stay open.
        name: of the file, for messages.
        verify: verify the checksums of a PNG image, which Pillow ignores when it decodes.

    Raises UserError for no or too many pixels, also for the size of the file; OSError or another
    error of Pillow for other formats, and for a wrong checksum.
    """
    picture = _open(stream)
    width, height = picture.size
    if not 0 < width * height <= PIXELS:
        raise UserError(f"{name} has {width:,} x {height:,} pixels: expected 1 to {PIXELS:,}.")
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    if width * height > max(SMALL, DENSEST * size):
        raise UserError(f"{name} has {width:,} x {height:,} pixels in a file of {size:,} bytes.")
    if verify and picture.format == "PNG":
        picture.verify()  # which leaves it unusable
        stream.seek(0)
        picture = _open(stream)
    return picture


def _open(stream):
    Image.init()  # knows all formats
    return Image.open(stream, formats=[name for name in FORMATS if name in Image.OPEN])
