"""Pickles that contain only tensors, read without PyTorch and without calling foreign functions.

A pickle is a program: it names functions and classes of any module, calls them, and says how much
memory it needs. `pickle` follows it: a file of a few bytes can delete a folder or allocate 30 GB. So
this module decodes the instructions with `pickletools`, which builds nothing, and follows only those
that `torch.save` writes for tensors. Whatever else a pickle contains is refused. Memory and time
grow with the length of the pickle, which is limited, whatever numbers are in it.
"""

import math
import pickletools
from typing import NamedTuple

import numpy as np

from hpatches_kit._support.errors import UserError

# The number types of PyTorch that NumPy has as well, little-endian.
TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# What a pickle may name: dictionaries, and the functions that make tensors and parameters of them.
DICTIONARY = "collections OrderedDict"
TENSORS = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2")
PARAMETER = "torch._utils _rebuild_parameter"
MOST_DIMENSIONS = 8
LARGEST = 1 << 20  # bytes; the pickles of the networks that the kit reads have 10 KB


class Name(NamedTuple):
    """A name that a pickle may contain, as `module name`."""

    text: str


class Storage(NamedTuple):
    """The place of numbers that several tensors may share: their key in the file, type and count."""

    key: str
    dtype: np.dtype
    length: int

    @property
    def size(self):
        """The size in bytes."""
        return self.length * self.dtype.itemsize


class TensorRecord(NamedTuple):
    """A tensor before its numbers are read; offset and strides count numbers of the storage."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple

    def array(self, data):
        """Return the tensor as a read-only view of `data`, the bytes of its storage.

        Raises UserError for a tensor that does not lie within its storage.
        """
        length, itemsize = self.storage.length, self.storage.dtype.itemsize
        size = math.prod(self.shape)
        if not size:
            return np.zeros(self.shape, self.storage.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides))
        # A stride of 0 could make a tensor that is larger than the memory out of one number.
        if size > length or last >= length:
            raise UserError(f"a tensor of shape {self.shape} exceeds its {length} numbers")
        strides = [step * itemsize for step in self.strides]
        return np.ndarray(self.shape, self.storage.dtype, data, self.offset * itemsize, strides)


def load(stream):
    """Read one pickle from a stream of bytes in memory, which is left at the end of the pickle.

    Returns `(content, storages)`: what the pickle contains, each tensor as a `TensorRecord`, and
    `{key: Storage}` of all its storages. Raises UserError for a pickle that names anything else
    than tensors or is larger than 1 MiB, and any other error for one that is damaged.
    """
    stack, marks, memo, storages = [], [], {}, {}

    def take(count):
        """Remove and return the last values of the stack."""
        start = len(stack) - count
        if start < (marks[-1] if marks else 0):
            raise UserError("its pickle takes values that it does not have")
        values = stack[start:]
        del stack[start:]
        return values

    def take_since_mark():
        return take(len(stack) - marks.pop())

    for instruction, argument, position in pickletools.genops(stream):
        if position > LARGEST:  # a byte may become an object of 70 bytes
            raise UserError(f"its pickle has more than {LARGEST} bytes")
        match instruction.name:
            case "PROTO":
                pass
            case "STOP":
                return take(1)[0], storages
            case "MARK":
                marks.append(len(stack))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction.name])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "BINUNICODE" | "BINSTRING" | "SHORT_BINSTRING":
                stack.append(argument)
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(take(int(instruction.name[-1]))))
            case "TUPLE":
                stack.append(tuple(take_since_mark()))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPEND" | "APPENDS":
                values = take(1) if instruction.name == "APPEND" else take_since_mark()
                _checked(stack[-1], list).extend(values)
            case "SETITEM" | "SETITEMS":
                values = take(2) if instruction.name == "SETITEM" else take_since_mark()
                _checked(stack[-1], dict).update(_pairs(zip(values[::2], values[1::2])))
            case "GLOBAL":
                stack.append(_name(argument))
            case "REDUCE":
                stack.append(_call(*take(2)))
            case "BUILD":  # attributes of a dictionary: the versions of the network's modules
                take(1)
                _checked(stack[-1], dict)
            case "BINPERSID":
                storage = _storage(*_checked(take(1)[0], tuple))
                if storages.setdefault(storage.key, storage) != storage:
                    raise UserError(f"its storage {storage.key!r} has two types or lengths")
                stack.append(storage)
            case other:
                raise UserError(f"its pickle has the instruction {other}, not needed for tensors")


def _checked(value, kind, meaning="its pickle"):
    if type(value) is not kind:
        raise UserError(f"{meaning} has a {type(value).__name__}, expected a {kind.__name__}")
    return value


def _pairs(pairs):
    """Yield pairs whose keys are texts or small numbers.

    Hashing nested tuples can take forever, and large numbers can be chosen to have one hash.
    """
    for key, value in pairs:
        if type(key) is not str and not _is_count(key):
            raise UserError(f"it has a key of type {type(key).__name__}, expected a name")
        yield key, value


def _name(text):
    """Check a name before anything is done with it."""
    module, _, name = text.partition(" ")
    if text not in (DICTIONARY, PARAMETER, *TENSORS) and not (module == "torch" and name in TYPES):
        if module == "torch" and name.endswith("Storage"):
            raise UserError(f"it has a {name!r}: expected one of {', '.join(TYPES)}")
        raise UserError(f"it names {f'{module}.{name}'!r}, which is not needed for tensors")
    return Name(text)


def _call(function, arguments):
    """What a call of a function results in; no function of PyTorch is called."""
    function, arguments = _checked(function, Name).text, _checked(arguments, tuple)
    if function == DICTIONARY:  # of a list of pairs in Python 2
        pairs = _checked(arguments[0], list) if arguments else []
        result = dict(_pairs(pairs))
        pairs.clear()  # or a short pickle could copy a long list again and again
        return result
    if function == PARAMETER:
        return _checked(arguments[0], TensorRecord)
    if function not in TENSORS:
        raise UserError(f"it calls {function}")
    return _tensor(*arguments[:4])


def _tensor(storage, offset, shape, strides):
    _checked(storage, Storage, "a tensor")
    integers = [offset, *_checked(shape, tuple)[:MOST_DIMENSIONS], *_checked(strides, tuple)]
    if not len(shape) == len(strides) <= MOST_DIMENSIONS or not all(map(_is_count, integers)):
        raise UserError("a tensor has an impossible offset, shape or strides")
    return TensorRecord(storage, offset, shape, strides)


def _storage(kind, name, key, _, length, view=None):
    dtype = TYPES.get(_checked(name, Name).text.removeprefix("torch "))
    if kind != "storage" or dtype is None or view is not None:
        raise UserError("it refers to something else than the numbers of a tensor")
    if not _is_count(length):
        raise UserError("a storage has an impossible length")
    return Storage(_checked(key, str, "the key of a storage"), np.dtype(dtype), length)


def _is_count(value):
    return type(value) is int and 0 <= value < 2**48
