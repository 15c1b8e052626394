"""Zip files from elsewhere: everything in one is looked at before anything is unpacked."""

import re
import stat
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hpatches_kit._support.errors import UserError

RATIO = 200  # text of numbers shrinks to a third; what shrinks this much is made to fill a memory
SMALL = 4 << 20  # bytes: a smaller member may shrink as it likes
LARGE = 16 << 30  # bytes of all members together, several times HPatches in text


@contextmanager
def open_zip(file):
    """Yield `(files, read)`: what the zip holds, and a function from a path to its bytes.

    `files` is `{path: (size, checksum)}`; `read(path, first=100)` gives only the first 100 bytes,
    whose checksum is not known.

    Hidden files and `__MACOSX` are left out. Raises UserError for what is not a zip, for paths
    that lead elsewhere, links, encrypted or repeated members, for members that claim to unpack to
    far more than they are, and, in `read`, for damaged ones. Nothing is written to disk.
    """
    file = Path(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{file} is not a zip file, or is cut off: {error}.") from error
    with archive:
        members = _check(archive, file)

        def read(path, first=None):
            info = members[path]
            try:
                with archive.open(info) as stream:
                    if first is not None:
                        return stream.read(min(first, info.file_size))
                    # A limit, so that no more is unpacked than was declared. `stream` also compares
                    # the checksum, which text that was cut off there does not have.
                    text = stream.read(info.file_size + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise UserError(f"{file}/{path} is damaged: {error}.") from error
            if len(text) != info.file_size:
                raise UserError(
                    f"{file}/{path} is damaged: {len(text)} bytes, expected {info.file_size}."
                )
            return text

        yield {path: (info.file_size, info.CRC) for path, info in members.items()}, read


def _check(archive, file):
    """`{path: member}` of the files that may be read; UserError when any member is not as it should be."""
    members, packed, unpacked = {}, 0, 0
    for info in archive.infolist():
        # `orig_filename` is the name as it stands in the file; `filename` is already mended.
        name, path = info.orig_filename, PurePosixPath(info.orig_filename)
        if re.match(r"/|[A-Za-z]:", name) or ".." in path.parts or re.search(r"[\\\0]", name):
            raise UserError(f"{file} holds {name!r}: expected paths inside the zip, with '/'.")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{file}/{name} is a link or a device: expected files and folders.")
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise UserError(f"{file}/{name} is encrypted: expected a zip without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UserError(
                f"{file}/{name} is packed with method {info.compress_type}: expected 0 or 8, as"
                " every zip program writes them."
            )
        if path in members:
            raise UserError(f"{file} holds {name!r} twice.")
        if info.file_size > max(SMALL, RATIO * info.compress_size):
            raise UserError(
                f"{file}/{name} claims to unpack from {info.compress_size} to {info.file_size}"
                f" bytes: expected {RATIO} times as many at most."
            )
        members[path] = info
        packed, unpacked = packed + info.compress_size, unpacked + info.file_size
    if packed > file.stat().st_size or unpacked > LARGE:
        raise UserError(
            f"{file} claims to unpack from {packed} to {unpacked} bytes, and has"
            f" {file.stat().st_size}: expected members that fit in it, and {LARGE} bytes at most."
        )
    return {path: info for path, info in members.items() if not is_hidden(path)}


def is_hidden(path):
    """Whether a path has a part that file managers hide, or is what macOS adds to a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
