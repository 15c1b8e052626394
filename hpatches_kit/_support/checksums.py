"""Checksums of files: a digest of all bytes, and a quick check of samples."""

import hashlib
import os
import zlib
from contextlib import nullcontext

from hpatches_kit._support.regular_files import check_size, open_regular


def digest(file, limit=None):
    """SHA-256 of all bytes of a file, in hexadecimal.

    Raises UserError for anything but a regular file, and for one with more than `limit` bytes.
    """
    with open_regular(file) as stream:
        if limit is not None:
            check_size(stream, limit)
        return hashlib.file_digest(stream, "sha256").hexdigest()


def quick_checksum(file, limit=1 << 26, windows=17, window=1 << 20):
    """Size and CRC-32 of a file, which reveal truncated and swapped files in milliseconds.

    `file` is a path, or an open file, whose position changes. Of a file larger than `limit` bytes,
    only `windows` evenly spaced windows of `window` bytes are read, including both ends. Two files
    may share this checksum.
    """
    with nullcontext(file) if hasattr(file, "read") else open(file, "rb") as stream:
        size, crc = os.fstat(stream.fileno()).st_size, 0
        parts = [(0, size)]
        if size > limit:
            parts = [(k * (size - window) // (windows - 1), window) for k in range(windows)]
        for start, length in parts:
            stream.seek(start)
            while length > 0 and (block := stream.read(min(length, 1 << 24))):
                crc, length = zlib.crc32(block, crc), length - len(block)
    return f"{size} bytes, crc32 {crc:08x}"
