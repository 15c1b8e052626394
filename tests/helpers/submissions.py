"""A small challenge, and submissions to it: honest ones and hostile ones."""

import io
import json
import struct
import zipfile

import numpy as np
from hostile_submissions import array_header, flipped, npy, zip_of
from toy_data import toy_patches

import hpatches_kit as hk

SECRET = bytes(range(32))  # in place of a random one, so that tests give the same numbers each time


def make_challenge(folder, monkeypatch):
    """Deal 64 points of four photographs; returns the `Key`.

    `folder` then holds `set`, a patch set, `kit` for the participants and the key, `key.npz`.
    """
    names = [f"{kind}_photo{k}_1" for k in range(4) for kind in "vi"]
    toy_patches({name: 8 for name in names}).save(folder / "set")
    monkeypatch.setattr("hpatches_kit.course.challenge.dealing.making.new_secret", lambda: SECRET)
    return hk.course.challenge.make(folder / "set", folder / "kit", folder / "key.npz", points=8)


def dealt_patches(folder):
    return np.load(folder / "kit" / "patches.npz", allow_pickle=False)["patches"]


def card(key, **fields):
    """A valid model card; `fields` replace some of it."""
    valid = {
        "challenge": key.challenge,
        "name": "Ada",
        "method": "Patches of 6x6 pixels.",
        "training_data": "none",
        "command": "python make_submission.py",
        "parameters": 1000,
        "gpu_hours": 0.5,
    }
    return valid | fields


def write_submission(folder, name, values, fields, /):
    """Write `NAME.npz` and `NAME.json` without any check."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", descriptors=np.asarray(values, np.float32))
    (folder / f"{name}.json").write_text(json.dumps(fields))
    return folder / f"{name}.npz"


def hostile_files(patches):
    """Files that are not valid submissions, `{what: (bytes, part of the message)}`.

    `patches` is the number of patches of the challenge.
    """
    values = np.ones((patches, 4), "<f4").tobytes()
    valid = npy(array_header((patches, 4)), values)

    def single(content):
        return zip_of(("descriptors.npy", content))

    # Both the zip and its directory claim that the bytes end where those of the array should end.
    longer = bytearray(single(valid + bytes(1000)))
    for position in (longer.find(b"PK\x03\x04") + 22, longer.find(b"PK\x01\x02") + 24):
        longer[position : position + 4] = struct.pack("<I", len(valid))

    labels = {name: valid for name in ("descriptors.npy", "label.npy", "sequence.npy")}
    return {
        "a zip bomb": (single(bytes(20 << 20)), "arrays of 20,971,520 bytes, expected at most"),
        "more bytes than the zip claims": (bytes(longer), "is damaged"),
        "fewer bytes than the header claims": (
            single(npy(array_header((patches, 128)), values)),
            "bytes for float32 (1040, 128)",
        ),
        "more bytes than the header claims": (single(valid + b"x"), "bytes for float32 (1040, 4)"),
        "a huge dimension": (single(npy(array_header((patches, 10**15)))), "bytes for float32"),
        "a huge number of rows": (single(npy(array_header((10**15, 128)))), "bytes for float32"),
        "a dimension with thousands of digits": (
            single(npy(array_header(f"({patches}, {'9' * 3900})"))),
            "an array cannot be float32 (1040, 999",
        ),
        "a negative dimension": (single(npy(array_header((patches, -4)))), "an array cannot be"),
        "three axes": (single(npy(array_header((patches, 2, 2)), values)), "expected (1040, dim)"),
        "129 numbers": (
            single(npy(array_header((patches, 129)), bytes(patches * 129 * 4))),
            "a dim of 1 to 128",
        ),
        "too few rows": (
            single(npy(array_header((patches - 1, 4)), values[16:])),
            "expected (1040, dim)",
        ),
        "no numbers": (single(npy(array_header((patches, 0)))), "a dim of 1 to 128"),
        "objects to unpickle": (single(npy(array_header((patches, 4), "|O"))), "object numbers"),
        "float64": (
            single(npy(array_header((patches, 4), "<f8"), values * 2)),
            "astype('float32')",
        ),
        "other byte order": (single(npy(array_header((patches, 4), ">f4"), values)), ">f4"),
        "a header that is code": (single(npy("__import__('os').abort()")), "not a NumPy array"),
        "a deeply nested header": (single(npy("(" * 3000)), "not a NumPy array"),
        "no header": (single(b"hello"), "not a NumPy array"),
        "two arrays of one name": (_twice("descriptors.npy", valid), "'descriptors' twice"),
        "another compression": (
            zip_of(("descriptors.npy", valid), compression=zipfile.ZIP_LZMA),
            "compressed with method 14",
        ),
        "forged labels": (zip_of(*labels.items()), "contains descriptors, label, sequence"),
        "another name": (zip_of(("values.npy", valid)), "np.savez('x.npz', descriptors=values)"),
        "a path out of the zip": (zip_of(("../descriptors.npy", valid)), "contains ../descriptors"),
        "nothing": (zip_of(), "contains nothing"),
        "text": (b"row,number\n1,2\n", "not a zip file"),
        "a truncated zip": (single(valid)[:-40], "not a zip file"),
        "a flipped bit": (
            flipped(zip_of(("descriptors.npy", valid), compression=zipfile.ZIP_STORED)),
            "CRC",
        ),
        "NaN": (_numbers(patches, np.nan), "in 1 of 1,040 rows"),
        "infinity": (_numbers(patches, -np.inf), "the first of them row 3"),
        "numbers of another world": (_numbers(patches, 1e30), "beyond 1,000,000"),
        "a file of many bytes": (bytes(patches * 512 + 70_000), "expected at most"),
    }


def _twice(name, content):
    """A zip with two members of one name: the first is what a check may see, the last what is read."""
    return zip_of((name, content), (name, content[:-4] + np.float32(2).tobytes()))


def _numbers(patches, bad):
    values = np.ones((patches, 4), np.float32)
    values[3, 1] = bad
    stream = io.BytesIO()
    np.savez(stream, descriptors=values)
    return stream.getvalue()
