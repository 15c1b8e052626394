"""Pickles that contain only tensors, read without PyTorch and without calling foreign functions.

A pickle is a program: it names functions and classes of any module and calls them. Here the only
names that it may use are those that `torch.save` writes for tensors, and each of them stands for an
object of this module. Every other name is refused before anything is imported or called.
"""

import math
import pickle
from collections import OrderedDict
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


class Storage(NamedTuple):
    """The place of numbers that several tensors may share: their key in the file, type and count."""

    key: str
    dtype: str
    length: int


class TensorRecord(NamedTuple):
    """A tensor before its numbers are read; offset and strides count numbers of the storage."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple

    def array(self, numbers):
        """Return the tensor as a view of `numbers`, the array of its storage.

        Raises UserError for a tensor that does not lie within its storage.
        """
        integers = [self.offset, *self.shape, *self.strides]
        if len(self.shape) != len(self.strides) or min(integers) < 0:
            raise UserError(f"a tensor has shape {self.shape} and strides {self.strides}")
        size = math.prod(self.shape)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides))
        # A stride of 0 could make a tensor that is larger than the memory out of one number.
        if size > len(numbers) or (size and last >= len(numbers)):
            raise UserError(f"a tensor of shape {self.shape} exceeds its {len(numbers)} numbers")
        strides = [step * numbers.itemsize for step in self.strides]
        start = numbers[self.offset :] if size else numbers
        return np.lib.stride_tricks.as_strided(start, self.shape, strides, writeable=False)


def load(stream):
    """Read one pickle from a binary stream.

    Tensors are returned as `TensorRecord`. Raises UserError for a pickle that names anything else
    than tensors, and any other error for one that is damaged.
    """
    return _Unpickler(stream, encoding="utf-8").load()


class _Rebuild:
    """Stands for the functions of PyTorch that make a tensor; has no attributes to change."""

    __slots__ = ()

    def __call__(self, storage, offset, shape, strides, *_):
        if not isinstance(storage, Storage):
            raise UserError("a tensor has no storage")
        return TensorRecord(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


class _Parameter:
    """Stands for the function of PyTorch that makes a parameter of a tensor."""

    __slots__ = ()

    def __call__(self, tensor, *_):
        return tensor


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor"): _Rebuild(),
            ("torch._utils", "_rebuild_tensor_v2"): _Rebuild(),
            ("torch._utils", "_rebuild_parameter"): _Parameter(),
        }
        if module == "torch" and name in TYPES:
            return TYPES[name]
        if module == "torch" and name.endswith("Storage"):
            raise UserError(f"it has a {name}: expected one of {', '.join(TYPES)}")
        if (module, name) not in allowed:
            raise UserError(f"it names {module}.{name}, which is not needed for tensors")
        return allowed[module, name]

    def persistent_load(self, reference):
        kind, dtype, key, _, length, *view = reference
        if kind != "storage" or dtype not in TYPES.values() or any(view):
            raise UserError(f"it refers to {kind!r} of type {dtype!r}")
        return Storage(str(key), dtype, int(length))
