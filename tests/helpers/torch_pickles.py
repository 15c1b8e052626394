"""Files as `torch.save` writes them, made without PyTorch."""

import zipfile

import numpy as np

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"  # an empty one


def string(text):
    return b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()


def integer(value):
    return b"J" + value.to_bytes(4, "little", signed=True)


def many(*items):
    """A tuple."""
    return b"(" + b"".join(items) + b"t"


def named(module, name):
    """A name of a module, which unpickling looks up."""
    return f"c{module}\n{name}\n".encode()


def pickled(content):
    return b"\x80\x02" + content + b"."


def tensor(key, array, shape=None, strides=None, storage=None, offset=0):
    """A tensor whose numbers are in a storage; by default all of them, row by row."""
    shape = array.shape if shape is None else shape
    if strides is None:
        strides = [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]
    storage = named("torch", storage or STORAGES[array.dtype.name])
    reference = many(string("storage"), storage, string(key), string("cpu"), integer(array.size))
    places = integer(offset), many(*map(integer, shape)), many(*map(integer, strides))
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    return rebuild + many(reference + b"Q", *places, b"\x89", ORDERED_DICT) + b"R"


def dictionary(entries, start=ORDERED_DICT):
    """A dictionary of pickled values."""
    pairs = b"".join(string(name) + value for name, value in entries.items())
    return start + b"(" + pairs + b"u"


def state_dict(arrays):
    """A pickled state dict; the key of a storage is the position of its tensor."""
    return dictionary({n: tensor(str(k), a) for k, (n, a) in enumerate(arrays.items())})


def write_zip(file, content, arrays, byteorder="little"):
    """Write the format of PyTorch since version 1.6: `content` is what the pickle contains."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(content))
        archive.writestr("archive/byteorder", byteorder)
        for key, array in enumerate(arrays):
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")


def write_legacy(file, content, arrays, little_endian=True, keys=None):
    """Write the format of PyTorch before version 1.6; `keys` is the pickled list of storages."""
    magic = LEGACY_MAGIC.to_bytes(10, "little")
    machine = dictionary({"little_endian": b"\x88" if little_endian else b"\x89"}, start=b"}")
    if keys is None:
        keys = b"](" + b"".join(string(str(key)) for key in range(len(arrays))) + b"e"
    parts = [pickled(b"\x8a\x0a" + magic), pickled(integer(1001))]
    parts += [pickled(machine), pickled(content), pickled(keys)]
    parts += [array.size.to_bytes(8, "little") + array.tobytes() for array in arrays]
    file.write_bytes(b"".join(parts))


def write_state_dict(file, arrays, write=write_zip):
    """Write a state dict of arrays; returns the file."""
    write(file, state_dict(arrays), list(arrays.values()))
    return file
