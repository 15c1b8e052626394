"""Checksums of files: a digest of all bytes, and a quick check of samples."""

import hashlib
import zlib


def digest(file):
    """SHA-256 of all bytes of a file, in hexadecimal; in practice, no two files share it.

    With the SHA instructions of today's processors it reads 1.5 GB/s, BLAKE2b only 0.8 GB/s.
    """
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def quick_checksum(file, limit=1 << 26, windows=17, window=1 << 20):
    """Size and CRC-32 of a file: a guard against truncated and swapped files, not an identity.

    In a file larger than `limit` bytes, it reads only `windows` evenly spaced windows of `window`
    bytes, including both ends of the file, so that opening gigabytes takes milliseconds.
    """
    size, crc = file.stat().st_size, 0
    parts = [(0, size)]
    if size > limit:
        parts = [(k * (size - window) // (windows - 1), window) for k in range(windows)]
    with open(file, "rb") as stream:
        for start, length in parts:
            stream.seek(start)
            while length > 0 and (block := stream.read(min(length, 1 << 24))):
                crc, length = zlib.crc32(block, crc), length - len(block)
    return f"{size} bytes, crc32 {crc:08x}"
