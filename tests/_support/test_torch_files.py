"""Files of PyTorch and safetensors: tensors are read, everything else is refused."""

import io
import pickle
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch_pickles as tp
from files import truncate

from hpatches_kit._support import tensor_pickle, torch_files
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.torch_files import read_tensors

ARRAYS = {
    "weight": np.arange(24, dtype="float32").reshape(2, 3, 4),
    "half": np.array([0.5, -2], "float16"),
    "double": np.array([[1e-300]]),
    "count": np.array(7, "int64"),
    "flags": np.array([True, False]),
}
FORMATS = {"zip": tp.write_zip, "legacy": tp.write_legacy}
NUMBERS = np.arange(6, dtype="float32")
MESSAGES = {"ids": lambda value: value if isinstance(value, str) else ""}  # no pickles in names
formats = pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "weights.pth"


def assert_equal(tensors, arrays):
    assert list(tensors) == list(arrays)
    for name, array in arrays.items():
        assert tensors[name].dtype == array.dtype and tensors[name].shape == array.shape
        np.testing.assert_array_equal(tensors[name], array)


@formats
def test_tensors_of_every_type_are_read(write, file):
    assert_equal(read_tensors(tp.write_state_dict(file, ARRAYS, write)), ARRAYS)


@formats
def test_the_state_dict_of_a_checkpoint_is_read(write, file):
    content = {"epoch": tp.integer(3), "state_dict": tp.state_dict(ARRAYS)}
    write(file, tp.dictionary(content, start=b"}"), list(ARRAYS.values()))
    assert_equal(read_tensors(file), ARRAYS)


@formats
def test_tensors_may_share_numbers_and_have_any_order(write, file):
    numbers = np.arange(6, dtype="float32")
    content = tp.dictionary(
        {
            "columns": tp.tensor("0", numbers, (2, 3), (1, 2)),
            "last": tp.tensor("0", numbers, (2,), (1,), offset=4),
            "empty": tp.tensor("0", numbers, (0, 3), (3, 1)),
        }
    )
    write(file, content, [numbers])
    tensors = read_tensors(file)
    np.testing.assert_array_equal(tensors["columns"], [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(tensors["last"], [4, 5])
    assert tensors["empty"].shape == (0, 3)


def test_a_program_in_a_pickle_is_not_executed(file, tmp_path):
    made = tmp_path / "made-by-the-pickle"
    call = tp.named("os", "mkdir") + tp.many(tp.string(str(made))) + b"R"
    for write in FORMATS.values():
        write(file, tp.dictionary({"weight": call}), [])
        with pytest.raises(UserError, match=r"it names 'os\.mkdir', which is not needed for"):
            read_tensors(file)
    file.write_bytes(tp.pickled(call))
    with pytest.raises(UserError, match="a pickle that was not written by torch.save"):
        read_tensors(file)
    assert not made.exists()


@pytest.mark.parametrize(
    "name", [("builtins", "eval"), ("kornia.feature", "HardNet"), ("torch._utils", "_import")]
)
def test_every_other_name_is_refused(name, file):
    tp.write_zip(file, tp.named(*name), [])
    with pytest.raises(
        UserError, match=rf"weights\.pth is damaged or is not .* names '{'.'.join(name)}'"
    ):
        read_tensors(file)


INSTRUCTIONS = {
    "inst": b"(ios\nsystem\n",
    "obj": b"(" + tp.named("collections", "OrderedDict") + b"o",
    "newobj": tp.named("collections", "OrderedDict") + b")\x81",
    "stack global": tp.string("os") + tp.string("system") + b"\x93",
    "extension": b"\x82\x01",
    "text": b"I1\n",
    "reference by text": b"Pkey\n",
    "attributes of a function": tp.named("torch._utils", "_rebuild_tensor_v2") + b"}b",
    "call of a type": tp.named("torch", "FloatStorage") + b")R",
    "call of a text": tp.string("os.system") + b")R",
    "nothing to take": b"(\x85",
    "no such memory": b"h\x07",
}


@pytest.mark.parametrize("instruction", INSTRUCTIONS.values(), ids=INSTRUCTIONS)
@formats
def test_instructions_that_tensors_do_not_need_are_refused(write, instruction, file):
    write(file, tp.dictionary({"weight": instruction}), [])
    with pytest.raises(
        UserError, match=r"weights\.pth is damaged or is not a state dict: .+\. Exp"
    ):
        read_tensors(file)


NESTED = b"K\x00" + b"q\x00h\x00\x86" * 100  # a tuple of 2^100 numbers
PAIRS = b"](" + b"".join(b"](" + tp.string(f"{k}") + b"Ne" for k in range(500)) + b"eq\x00"
COPY = tp.named("collections", "OrderedDict") + b"h\x00\x85R"
BOMBS = {
    "memory of 2^31 values": b"Nr\xff\xff\xff\x7f",
    "text of 4 GB": b"X\xff\xff\xff\xff",
    "bytes of 2^62": b"\x8e" + (2**62).to_bytes(8, "little"),
    "frame of 2^62": b"\x95" + (2**62).to_bytes(8, "little"),
    "number of 2 GB": b"\x8b\xff\xff\xff\x7f",
    "name that takes forever to hash": b"}" + NESTED + b"Ns",
    "key of a storage that takes forever to print": b"("
    + tp.string("storage")
    + tp.named("torch", "FloatStorage")
    + NESTED
    + tp.string("cpu")
    + b"K\x01tQ",
    "list that is copied often": PAIRS + b"(" + COPY * 500 + b"t",
    "tensor of 10^14 numbers": tp.tensor("0", NUMBERS, (10**7, 10**7), (0, 0)),
    "storage of 10^9 numbers": tp.dictionary(
        {"weight": tp.tensor("0", np.lib.stride_tricks.as_strided(NUMBERS, (10**9,), (0,)))}
    ),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
@formats
def test_a_short_file_cannot_take_much_memory_or_time(write, content, file):
    write(file, content, [NUMBERS])
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"weights\.pth is damaged or is not a state dict"):
            read_tensors(file)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_files_and_zips_of_more_than_a_gibibyte_are_refused_unread(file, monkeypatch):
    tp.write_state_dict(file, ARRAYS)
    monkeypatch.setattr(torch_files, "LARGEST", 170)
    with pytest.raises(UserError, match=r"weights\.pth has \d+ bytes, expected at most 170"):
        read_tensors(file)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(1000))
    with pytest.raises(UserError, match="it unpacks to 1000 bytes, expected at most 170"):
        read_tensors(file)


@formats
def test_a_pickle_of_more_than_a_mebibyte_is_refused(write, file, monkeypatch):
    tp.write_state_dict(file, ARRAYS, write)
    monkeypatch.setattr(tensor_pickle, "LARGEST", 300)
    with pytest.raises(UserError, match="its pickle has more than 300 bytes"):
        read_tensors(file)


def test_long_names_and_control_characters_are_not_repeated_in_full(file):
    for name in ("\x1b[2J" + "n" * 10_000, "\n"):
        tp.write_zip(file, tp.dictionary({name: tp.integer(1)}), [])
        with pytest.raises(UserError, match="its entry '") as error:
            read_tensors(file)
        assert str(error.value).isprintable() and len(str(error.value)) < 600


@pytest.mark.parametrize("key", [tp.string("7"), NESTED, tp.integer(0)], ids=["7", "nested", "0"])
def test_storages_without_a_tensor_are_refused(key, file):
    tp.write_legacy(file, tp.state_dict({"weight": NUMBERS}), [NUMBERS], keys=b"](" + key + b"e")
    with pytest.raises(UserError, match="it has a storage that no tensor uses"):
        read_tensors(file)


@formats
def test_a_storage_with_other_numbers_than_stated_is_refused(write, file):
    for given in (NUMBERS[:-1], np.append(NUMBERS, 0)):
        write(file, tp.state_dict({"weight": NUMBERS}), [given])
        with pytest.raises(UserError, match=r"its storage 0 has \d+ (bytes|numbers), expected"):
            read_tensors(file)
    for second in (NUMBERS.view("int64"), NUMBERS[:3]):
        entries = {"one": tp.tensor("0", NUMBERS), "two": tp.tensor("0", second)}
        write(file, tp.dictionary(entries), [NUMBERS])
        with pytest.raises(UserError, match="its storage '0' has two types or lengths"):
            read_tensors(file)


def test_storages_that_the_state_dict_does_not_need_are_skipped(file):
    """Those of an optimiser, in the format in which the storages have to be read in order."""
    content = {
        "optimiser": tp.dictionary({"momentum": tp.tensor("0", np.arange(3))}),
        "state_dict": tp.dictionary({"weight": tp.tensor("1", NUMBERS)}),
    }
    tp.write_legacy(file, tp.dictionary(content, start=b"}"), [np.arange(3), NUMBERS])
    assert_equal(read_tensors(file), {"weight": NUMBERS})


def test_dictionaries_of_python_2_are_read(file):
    """They were written as a call with a list of pairs, and texts as bytes."""
    name = b"U\x06weight"
    pairs = b"](](" + name + tp.tensor("0", NUMBERS) + b"ee"
    content = tp.named("collections", "OrderedDict") + pairs + b"\x85R"
    tp.write_legacy(file, content, [NUMBERS])
    assert_equal(read_tensors(file), {"weight": NUMBERS})


@formats
@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (tp.tensor("0", NUMBERS, (7,), (1,)), r"shape \(7,\) exceeds its 6 numbers"),
        (tp.tensor("0", NUMBERS, (2, 3), (6, 1)), r"shape \(2, 3\) exceeds its 6 numbers"),
        (tp.tensor("0", NUMBERS, (100_000, 100_000), (0, 0)), "exceeds its 6 numbers"),
        (tp.tensor("0", NUMBERS, (6,), (1,), offset=1), "exceeds its 6 numbers"),
        (tp.tensor("0", NUMBERS, (6,), (-1,)), "impossible offset, shape or strides"),
        (tp.tensor("0", NUMBERS, (6,), (1, 1)), "impossible offset, shape or strides"),
        (tp.tensor("0", NUMBERS, (1,) * 9), "impossible offset, shape or strides"),
        (tp.tensor("0", NUMBERS, offset=-1), "impossible offset, shape or strides"),
        (tp.tensor("0", NUMBERS, storage="BFloat16Storage"), "it has a 'BFloat16Storage'"),
        (tp.integer(3), "its entry 'weight' is an object of type int, expected a tensor"),
        (tp.ORDERED_DICT, "its entry 'weight' is an empty dict"),
    ],
    **MESSAGES,
)
def test_entries_that_are_no_tensors_are_refused(write, tensor, message, file):
    write(file, tp.dictionary({"weight": tensor}), [NUMBERS])
    with pytest.raises(UserError, match=rf"weights\.pth is damaged or is not .*{message}"):
        read_tensors(file)


@formats
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tp.ORDERED_DICT, "it contains an empty dict"),
        (tp.tensor("0", NUMBERS), "it contains a single tensor"),
        (tp.string("weights"), "it contains an object of type str"),
        # Multiples of this number have the same hash: a dictionary of many of them takes hours.
        (b"}\x8a\x08" + (2**61 - 1).to_bytes(8, "little") + b"Ns", "it has a key of type int"),
    ],
    **MESSAGES,
)
def test_contents_that_are_no_state_dict_are_refused(write, content, message, file):
    write(file, content, [NUMBERS])
    with pytest.raises(UserError, match=message):
        read_tensors(file)


@formats
@pytest.mark.parametrize("size", [1, 3, 15, 40, 300, -700, -60, -1])
def test_a_truncated_file_is_refused(write, size, file):
    truncate(tp.write_state_dict(file, ARRAYS, write), size)
    with pytest.raises(UserError, match=r"weights\.pth is "):
        read_tensors(file)


def test_big_endian_numbers_are_refused(file):
    content, arrays = tp.state_dict(ARRAYS), list(ARRAYS.values())
    tp.write_zip(file, content, arrays, byteorder="big")
    with pytest.raises(UserError, match="big-endian"):
        read_tensors(file)
    tp.write_legacy(file, content, arrays, little_endian=False)
    with pytest.raises(UserError, match="big-endian"):
        read_tensors(file)


def test_other_files_are_named_for_what_they_are(file):
    with pytest.raises(FileNotFoundError, match=r"weights\.pth is missing"):
        read_tensors(file)
    file.write_bytes(b"")
    with pytest.raises(UserError, match=r"weights\.pth is empty"):
        read_tensors(file)
    file.write_text("<html>not found</html>")
    with pytest.raises(UserError, match="is not a PyTorch file. Expected a state dict"):
        read_tensors(file)
    file.write_bytes(pickle.dumps({"weight": [1, 2]}))
    with pytest.raises(UserError, match="a pickle that was not written by torch.save"):
        read_tensors(file)
    with tarfile.open(file, "w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"), io.BytesIO())
    with pytest.raises(UserError, match="tar format of PyTorch 0.1"):
        read_tensors(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "nothing")
    with pytest.raises(UserError, match=r"the zip has no data\.pkl"):
        read_tensors(file)


def test_safetensors_are_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays = dict(sorted(ARRAYS.items()))
    safetensors.save_file(arrays, tmp_path / "weights.safetensors")
    tensors = read_tensors(tmp_path / "weights.safetensors")
    assert_equal({name: tensors[name] for name in arrays}, arrays)
    truncate(tmp_path / "weights.safetensors")
    with pytest.raises(UserError, match="is not read by the package safetensors: Error"):
        read_tensors(tmp_path / "weights.safetensors")


def test_safetensors_need_a_package(tmp_path, monkeypatch):
    (tmp_path / "weights.safetensors").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(UserError, match="needs a package: pip install safetensors"):
        read_tensors(tmp_path / "weights.safetensors")


@pytest.mark.parametrize("zipped", [True, False], ids=FORMATS)
def test_files_of_pytorch_itself_are_read(zipped, file):
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(network.state_dict(), file, _use_new_zipfile_serialization=zipped)
    expected = {name: value.numpy() for name, value in network.state_dict().items()}
    assert_equal(read_tensors(file), expected)
    torch.save(dict(network.named_parameters()), file, _use_new_zipfile_serialization=zipped)
    assert list(read_tensors(file)) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    torch.save(network, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match=r"it names 'torch\.nn\.modules"):
        read_tensors(file)
