"""Files of PyTorch and safetensors, read as arrays without PyTorch.

`torch.save` has written two formats. Since version 1.6 (2020) a file is a zip: a pickle that
describes the tensors, and a member with the numbers of each storage. Before, it was five pickles
(a magic number, a version, the machine, the tensors, the keys of the storages), and then the numbers
of each storage after their count.
"""

import io
from functools import cache
from pathlib import Path

from hpatches_kit._support import tensor_pickle
from hpatches_kit._support.archives import open_zip
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.tensor_pickle import TensorRecord

EXPECTED = "Expected a state dict, as torch.save(network.state_dict(), file) writes it."
LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the pickle of a magic number
LARGEST = 1 << 30  # bytes; the networks that the kit reads have 6 MB
LONGEST_REASON = 300  # characters: names in a file may have any length


def read_tensors(file):
    """Read the tensors of a file: `{name: array}`.

    Args:
        file: a `.safetensors` file, or a file of `torch.save` of any name (`.pth`, `.pt`,
            `.params`): a state dict, or a dictionary with an entry `state_dict`. Nothing in it is
            executed.

    Raises FileNotFoundError for a missing file, and UserError for a file that is damaged, is larger
    than 1 GiB or contains anything else than tensors, and where a package that reads it is missing.
    """
    file = Path(file).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: expected a file of PyTorch or safetensors.")
    if (size := file.stat().st_size) > LARGEST:
        raise UserError(f"{file} has {size} bytes, expected at most {LARGEST}. {EXPECTED}")
    if file.suffix.lower() == ".safetensors":
        return _read_safetensors(file)
    with open(file, "rb") as stream:
        start = stream.read(512)
    if start.startswith(b"PK"):
        read = _read_zip
    elif start.startswith(LEGACY_START):
        read = _read_legacy
    else:
        raise UserError(f"{file} is {_describe(start)}. {EXPECTED}")
    try:
        return read(file)
    except Exception as error:  # a damaged pickle may raise any error
        known = isinstance(error, UserError)
        if known and str(file) in str(error):
            raise
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        raise UserError(
            f"{file} is damaged or is not a state dict: {reason[:LONGEST_REASON]}. {EXPECTED}"
        ) from error


def _describe(start):
    if not start:
        return "empty"
    if start[:1] == b"\x80":
        return "a pickle that was not written by torch.save; it was not read"
    return "in the tar format of PyTorch 0.1" if b"ustar" in start else "not a PyTorch file"


def _read_safetensors(file):
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise UserError(f"Reading {file} needs a package: pip install safetensors.") from error
    try:
        return load_file(file)
    except Exception as error:  # a Rust error without a common class
        raise UserError(f"{file} is not read by the package safetensors: {error}.") from error


def _read_zip(file):
    with open_zip(file) as (files, read):
        if (size := sum(size for size, _ in files.values())) > LARGEST:
            raise UserError(f"it unpacks to {size} bytes, expected at most {LARGEST}")
        pickles = [path for path in files if path.name == "data.pkl"]
        if len(pickles) != 1:
            raise UserError("the zip has no data.pkl")
        folder = pickles[0].parent
        if (order := folder / "byteorder") in files and read(order, first=6) != b"little":
            raise UserError("its numbers are big-endian")

        @cache  # several tensors may share a storage
        def numbers(storage):
            path = folder / "data" / storage.key
            size, _ = files.get(path, (0, None))
            _check_size(storage, size)
            return read(path) if size else b""

        content, _ = tensor_pickle.load(io.BytesIO(read(pickles[0])))
        records = _records(content)
        return {name: record.array(numbers(record.storage)) for name, record in records.items()}


def _read_legacy(file):
    data = file.read_bytes()
    stream = io.BytesIO(data)
    pickles = [tensor_pickle.load(stream) for _ in range(5)]
    (machine, _), (content, storages), (keys, _) = pickles[2:]
    if not machine["little_endian"]:
        raise UserError("its numbers are big-endian")
    records, views, position = _records(content), {}, stream.tell()
    for key in keys:
        if not isinstance(key, str) or (storage := storages.get(key)) is None:
            raise UserError("it has a storage that no tensor uses")
        length = int.from_bytes(data[position : position + 8], "little")
        if length != storage.length:
            raise UserError(f"its storage {key} has {length} numbers, expected {storage.length}")
        views[key] = memoryview(data)[position + 8 : position + 8 + storage.size]
        _check_size(storage, len(views[key]))
        position += 8 + storage.size
    return {name: record.array(views[record.storage.key]) for name, record in records.items()}


def _check_size(storage, size):
    if size != storage.size:
        raise UserError(f"its storage {storage.key} has {size} bytes, expected {storage.size}")


def _records(content):
    """The records in what a file contains: a state dict, or a dictionary with one."""
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise UserError(f"it contains {_kind(content)}")
    for name, record in content.items():
        if not isinstance(name, str) or not isinstance(record, TensorRecord):
            raise UserError(f"its entry {name!r} is {_kind(record)}, expected a tensor")
    return content


def _kind(content):
    if isinstance(content, TensorRecord):
        return "a single tensor"
    kind = type(content).__name__
    return f"an empty {kind}" if content in (None, [], {}) else f"an object of type {kind}"
