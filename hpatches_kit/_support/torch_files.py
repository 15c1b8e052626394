"""Files of PyTorch and safetensors, read as arrays without PyTorch.

`torch.save` has written two formats. Since version 1.6 (2020) a file is a zip: a pickle that
describes the tensors, and a member with the numbers of each storage. Before, it was five pickles
(a magic number, a version, the machine, the tensors, the keys of the storages), and then the numbers
of each storage after their count.
"""

import io
import tarfile
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np

from hpatches_kit._support import tensor_pickle
from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.tensor_pickle import TensorRecord

EXPECTED = "Expected a state dict, as torch.save(network.state_dict(), file) writes it."
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the pickle of this number


def read_tensors(file):
    """Read the tensors of a file: `{name: array}`.

    Args:
        file: a `.safetensors` file, or a file of `torch.save` of any name (`.pth`, `.pt`,
            `.params`): a state dict, or a dictionary with an entry `state_dict`. Nothing in it is
            executed.

    Raises FileNotFoundError for a missing file, and UserError for a file that is damaged or
    contains anything else than tensors, and where a package that reads it is missing.
    """
    file = Path(file).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: expected a file of PyTorch or safetensors.")
    if file.suffix.lower() == ".safetensors":
        return _read_safetensors(file)
    with open(file, "rb") as stream:
        start = stream.read(len(LEGACY_START))
    if start.startswith(b"PK"):
        read = _read_zip
    elif start == LEGACY_START:
        read = _read_legacy
    else:
        raise UserError(f"{file} is {_describe(file, start)}. {EXPECTED}")
    try:
        return read(file)
    except Exception as error:  # unpickling a foreign file may raise any error
        if isinstance(error, UserError) and str(file) in str(error):
            raise
        reason = str(error) or type(error).__name__
        raise UserError(
            f"{file} is damaged or is not a state dict: {reason}. {EXPECTED}"
        ) from error


def _describe(file, start):
    if not start:
        return "empty"
    if start[:1] == b"\x80":
        return "a pickle that was not written by torch.save; it was not read"
    return "in the tar format of PyTorch 0.1" if tarfile.is_tarfile(file) else "not a PyTorch file"


def _read_safetensors(file):
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise UserError(f"Reading {file} needs a package: pip install safetensors.") from error
    try:
        return load_file(file)
    except Exception as error:  # a Rust error without a common class
        raise UserError(f"{file} is damaged or is not a safetensors file: {error}.") from error


def _read_zip(file):
    with open_zip(file) as (files, read):
        pickles = [path for path in files if path.name == "data.pkl"]
        if len(pickles) != 1:
            raise UserError("the zip has no data.pkl")
        folder = pickles[0].parent
        if (order := folder / "byteorder") in files and read(order) != b"little":
            raise UserError("its numbers are big-endian")

        @cache  # several tensors may share a storage
        def numbers(storage):
            content = read(folder / "data" / PurePosixPath(storage.key))
            return np.frombuffer(content, storage.dtype, storage.length)

        return _arrays(tensor_pickle.load(io.BytesIO(read(pickles[0]))), numbers)


def _read_legacy(file):
    stream = io.BytesIO(file.read_bytes())
    _, _, machine, content, keys = (tensor_pickle.load(stream) for _ in range(5))
    if not machine["little_endian"]:
        raise UserError("its numbers are big-endian")
    storages = {record.storage.key: record.storage for record in _records(content).values()}
    values = {}
    for key in keys:
        if key not in storages:
            raise UserError(f"no tensor uses its storage {key}")
        storage = storages[key]
        length = int.from_bytes(stream.read(8), "little")
        if length != storage.length:
            raise UserError(f"its storage {key} has {length} numbers, expected {storage.length}")
        data = stream.read(length * np.dtype(storage.dtype).itemsize)
        values[key] = np.frombuffer(data, storage.dtype, length)
    return _arrays(content, lambda storage: values[storage.key])


def _records(content):
    """The records in what a file contains: a state dict, or a dictionary with one."""
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise UserError(f"it contains {_kind(content)}")
    for name, record in content.items():
        if not isinstance(name, str) or not isinstance(record, TensorRecord):
            raise UserError(f"its entry {name!r} is {_kind(record)}, expected a tensor")
    return dict(content)


def _kind(content):
    if isinstance(content, TensorRecord):
        return "a single tensor"
    kind = type(content).__name__
    return f"an empty {kind}" if content in (None, [], {}) else f"an object of type {kind}"


def _arrays(content, numbers):
    return {
        name: record.array(numbers(record.storage)) for name, record in _records(content).items()
    }
