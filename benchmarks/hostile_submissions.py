"""Twenty submissions that must be refused, each for a reason of its own."""

import io
import json
import os
import struct
import warnings
import zipfile

import numpy as np

MEMBER = "descriptors.npy"


def zip_of(*members, compression=zipfile.ZIP_DEFLATED):
    """A zip file as bytes, from pairs of names and bytes; a name may occur twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def npy(header, content=b""):
    """A `.npy` file as bytes, with any header, such as `"{'descr': '<f4', ...}"`."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def array_header(shape, dtype="<f4"):
    """The header of a `.npy` file; `shape` may be anything."""
    return f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}"


def flipped(content):
    """Bytes with another bit in the middle."""
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def _npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _array(shape, dtype="<f4", content=b""):
    """A zip with an array whose header says anything."""
    return zip_of((MEMBER, npy(array_header(shape, dtype), content)))


def _with(values, number):
    changed = values.copy()
    changed[len(values) // 2, 0] = number
    return _npz(descriptors=changed)


# What is wrong: a part of the sentence that the participant gets, and the bytes of the file.
FILES = {
    "a zip bomb": ("expected at most", lambda v: zip_of((MEMBER, bytes(1 << 26)))),
    "a petabyte": ("bytes for float32", lambda v: _array((len(v), 1 << 40))),
    "objects to unpickle": ("object numbers", lambda v: _array((len(v), 4), "|O", b"cos\nsystem")),
    "a header that is code": ("not a NumPy array", lambda v: _array("__import__('os').abort()")),
    "NaN": ("NaN, infinity or numbers beyond", lambda v: _with(v, np.nan)),
    "infinity": ("NaN, infinity or numbers beyond", lambda v: _with(v, np.inf)),
    "cut off": ("not a zip file", lambda v: _npz(descriptors=v)[:-100]),
    "text": ("not a zip file", lambda v: b"a,b\n1,2\n"),
    "a flipped bit": ("Bad CRC-32", lambda v: flipped(_npz(descriptors=v))),
    "labels of its own": ("expected one array", lambda v: _npz(descriptors=v, label=v[:, 0])),
    "two arrays of one name": ("twice", lambda v: zip_of((MEMBER, b"x"), (MEMBER, b"y"))),
    "a path out of the zip": ("expected one array", lambda v: zip_of(("../../x.npy", _saved(v)))),
    "float64": ("float64 numbers", lambda v: _npz(descriptors=v.astype(float))),
    "too few rows": ("an array of shape", lambda v: _npz(descriptors=v[1:])),
    "129 numbers": ("an array of shape", lambda v: _npz(descriptors=np.zeros((len(v), 129), "f4"))),
}
CARDS = {
    "a card of another challenge": ("belongs to challenge", {"challenge": "0123456789ab"}),
    "a card that claims too little": ("expected a whole number", {"parameters": -1}),
}
OTHER = {"a nested card": "too many levels", "a link to the key": "is a link"}
OTHER |= {"a pipe": "is not a file"}
KINDS = [*FILES, *CARDS, *OTHER]


def _saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def spoil(kind, file, values, secret):
    """Replace the files of a valid submission by those of a kind of `KINDS`.

    Args:
        file: its `.npz`; the `.json` lies beside it.
        values: its descriptors.
        secret: a file to which a link leads.

    Returns a part of the sentence with which it has to be refused.
    """
    card = file.with_suffix(".json")
    if kind in FILES:
        message, content = FILES[kind]
        file.write_bytes(content(values))
        return message
    if kind in CARDS:
        message, fields = CARDS[kind]
        card.write_text(json.dumps(json.loads(card.read_text()) | fields))
        return message
    if kind == "a nested card":
        card.write_text("[" * 16_000)
        return OTHER[kind]
    file.unlink()
    if kind == "a pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(secret)
    return OTHER[kind]
