"""Safe reading of untrusted zip files: every member is checked before any is unpacked."""

import re
import stat
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular

RATIO = 200  # largest compression ratio; text of numbers has 3, a "zip bomb" has 1000
SMALL = 4 << 20  # bytes; the ratio of smaller members does not matter
SMALL_TOGETHER = 64 << 20  # bytes; the same for all members together
LONGEST_END = (1 << 16) + 200  # bytes of the records at the end of a zip, comment included
LARGE = 16 << 30  # bytes; limit for all members together
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of compression


@contextmanager
def open_zip(file, limit=None):
    """Yield `(files, read)`: the content of the zip, and a function that reads one file.

    `files` is `{path: (size, CRC-32)}`, without hidden files and `__MACOSX`. `read(path)` returns
    the bytes of a file and verifies its checksum; `read(path, first=100)` returns its first 100
    bytes, unverified. Nothing is written to disk. `limit` is the greatest number of unpacked bytes;
    default, and at most: `LARGE`.

    Raises UserError if the file is not a zip; if a member is a link, is encrypted, appears twice,
    has a path that leaves the zip, or claims to unpack to far more than its size; and, in `read`,
    if it is damaged.
    """
    file = Path(file)
    with open_regular(file) as packed, _open_archive(packed, file) as archive:
        members = _checked_members(archive, file, LARGE if limit is None else min(limit, LARGE))

        def read(path, first=None):
            member = members[path]
            try:
                with archive.open(member) as stream:
                    if first is not None:
                        return stream.read(min(first, member.file_size))
                    # The limit prevents unpacking more than declared. Reading one byte too many
                    # reaches the end of the stream, where zipfile verifies the checksum.
                    content = stream.read(member.file_size + 1)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise UserError(f"{file}/{path} is damaged: {error}.") from error
            if len(content) != member.file_size:
                sizes = f"{len(content)} bytes, expected {member.file_size}"
                raise UserError(f"{file}/{path} is damaged: {sizes}.")
            return content

        yield {path: (member.file_size, member.CRC) for path, member in members.items()}, read


def complete_zip(stream):
    """Open a zip with all its members, or raise `zipfile.BadZipFile`.

    A wrong length in the zip's directory hides the members after it; `zipfile` does not notice.
    """
    archive = zipfile.ZipFile(stream)
    expected, found = _declared_members(stream), len(archive.infolist())
    if expected != found:
        raise zipfile.BadZipFile(f"{found} files can be read, expected {expected}")
    return archive


def _declared_members(stream):
    """The number of members that the end of a zip states."""
    stream.seek(0, 2)
    stream.seek(max(0, stream.tell() - LONGEST_END))
    end = stream.read()
    number = end[end.rfind(b"PK\5\6") :][10:12]
    if number == b"\xff\xff":  # too many for two bytes: see the record of zip64
        number = end[end.rfind(b"PK\6\6") :][32:40]
    return int.from_bytes(number, "little")


def _open_archive(stream, file):
    try:
        return complete_zip(stream)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise UserError(f"{file} is not a zip file, or is cut off: {error}.") from error


def _checked_members(archive, file, limit):
    members, packed, unpacked = {}, 0, 0
    for member in archive.infolist():
        # `orig_filename` is the name in the file; zipfile has already sanitised `filename`.
        name, path = member.orig_filename, PurePosixPath(member.orig_filename)
        if re.match(r"/|[A-Za-z]:", name) or ".." in path.parts or re.search(r"[\\\0]", name):
            raise UserError(
                f"{file} contains {name!r}: expected paths that stay inside the zip, with '/'."
            )
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UserError(f"{file}/{name} is a link or a device: expected files and folders.")
        if member.is_dir():
            continue
        if member.flag_bits & 1:
            raise UserError(f"{file}/{name} is encrypted: expected a zip without a password.")
        if member.compress_type not in METHODS:
            raise UserError(
                f"{file}/{name} is compressed with method {member.compress_type}: expected method 0"
                " (stored) or 8 (deflated)."
            )
        if path in members:
            raise UserError(f"{file} contains {name!r} twice.")
        if member.file_size > max(SMALL, RATIO * member.compress_size):
            raise UserError(
                f"{file}/{name} claims to unpack from {member.compress_size} to {member.file_size}"
                f" bytes: expected at most {RATIO} times the compressed size."
            )
        members[path] = member
        packed, unpacked = packed + member.compress_size, unpacked + member.file_size
    size = file.stat().st_size
    if packed > size or unpacked > min(limit, max(SMALL_TOGETHER, RATIO * size)):
        raise UserError(
            f"{file} claims to unpack from {packed} to {unpacked} bytes, but is {size} bytes long:"
            f" expected members that fit into the file, and at most {limit} unpacked bytes,"
            f" {RATIO} times the size of the file."
        )
    return {path: member for path, member in members.items() if not is_hidden(path)}


def is_hidden(path):
    """Whether a part of a path starts with a dot, or is `__MACOSX`, which macOS adds to zips."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
