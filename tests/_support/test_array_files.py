"""NumPy files of others: a header that lies costs neither memory nor time."""

import io
import zipfile

import numpy as np
import pytest
from files import truncate

from hpatches_kit._support.array_files import map_array, read_npz
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.regular_files import open_regular


def array_bytes(array=None, shape="(3,)", dtype="'|u1'", data=b"abc"):
    """A `.npy` file of an array, or with a header of any text."""
    stream = io.BytesIO()
    if array is not None:
        np.save(stream, array)
        return stream.getvalue()
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


LIES = {
    "huge": array_bytes(shape="(1000000000000,)"),
    "a length that is not a number": array_bytes(shape="(3, True)"),
    "negative": array_bytes(shape="(-3,)"),
    "empty and huge": array_bytes(shape="(0, 10000000000000000000000)", data=b""),
    "thousands of digits": array_bytes(shape=f"({'9' * 4000}, {'9' * 4000})"),
    "no bytes each": array_bytes(shape="(10000000000000000,)", dtype="'|V0'", data=b""),
    "longer": array_bytes(data=b"abcd"),
    "shorter": array_bytes(data=b"ab"),
    "code": array_bytes(shape="__import__('os').getcwd()"),
    "nested": array_bytes(shape="(" * 90 + ")" * 90),
    "text": b"no array",
    "empty": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_an_array_that_is_not_as_long_as_its_header_says_is_damaged(lie, tmp_path):
    (tmp_path / "a.npy").write_bytes(LIES[lie])
    with open_regular(tmp_path / "a.npy") as stream:
        with pytest.raises(UserError, match=r"a\.npy is damaged"):
            map_array(stream)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", LIES[lie])
    with pytest.raises(UserError, match=r"a\.npz is damaged or is not a test file: x\.npy"):
        read_npz(tmp_path / "a.npz", "a test file")


def test_an_array_is_memory_mapped(tmp_path):
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    for stored in (array, np.asfortranarray(array), array[:0]):
        np.save(tmp_path / "a.npy", stored)
        with open_regular(tmp_path / "a.npy") as stream:
            mapped = map_array(stream)
        assert isinstance(mapped, np.memmap) and not mapped.flags.writeable
        np.testing.assert_array_equal(mapped, stored)


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object))
    with open_regular(tmp_path / "a.npy") as stream, pytest.raises(UserError, match="is damaged"):
        map_array(stream)
    np.savez(tmp_path / "a.npz", x=np.array([{}], object))
    with pytest.raises(UserError, match="allow_pickle=False"):
        read_npz(tmp_path / "a.npz", "a test file")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "not a zip file"),
        (lambda file: file.write_bytes(array_bytes(np.arange(3))), "not a zip file"),
        (lambda file: np.savez_compressed(file, x=np.zeros(2_000_000)), "at most 10.0 MB"),
        (lambda file: zipfile.ZipFile(file, "a").writestr("y.txt", "x"), "'y.txt' is not an array"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_other_and_too_large_files_are_refused(damage, message, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    damage(tmp_path / "a.npz")
    with pytest.raises(UserError, match=rf"a\.npz is damaged or is not a test file: .*{message}"):
        read_npz(tmp_path / "a.npz", "a test file", limit=10_000_000)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_occurs_twice_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(3), y=np.arange(3))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("x.npy", array_bytes(np.arange(5)))
    assert np.load(tmp_path / "a.npz")["x"].size == 5  # silently
    with pytest.raises(UserError, match=r"a\.npz .*: it has the array 'x' twice\."):
        read_npz(tmp_path / "a.npz", "a test file")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_numpy_does_not_write_is_refused(method, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("x.npy", array_bytes(np.arange(5)))
    with pytest.raises(UserError, match=rf"x\.npy is compressed with method {method}\."):
        read_npz(tmp_path / "a.npz", "a test file")


def test_a_message_has_only_the_beginning_of_a_long_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x" * 60_000 + ".npy", b"not an array")
    with pytest.raises(
        UserError, match=r"x{200}\.\.\. is damaged or is not a NumPy array"
    ) as raised:
        read_npz(tmp_path / "a.npz", "a test file")
    assert len(str(raised.value)) < 1000


def test_shapes_are_checked_before_an_array_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3), np.float32), y=np.array("text"))
    seen = {}
    arrays = read_npz(tmp_path / "a.npz", "a test file", seen.update)
    assert seen["x"] == ((2, 3), np.float32) and seen["y"][0] == ()
    assert str(arrays["y"]) == "text" and not arrays["x"].any()

    def refuse(headers):
        raise UserError("too many")

    with pytest.raises(UserError, match="not a test file: too many"):
        read_npz(tmp_path / "a.npz", "a test file", refuse)


def test_no_flipped_bit_changes_the_arrays_of_a_file(tmp_path):
    file = tmp_path / "arrays.npz"
    np.savez(file, epoch=3, ended=False, weights=np.eye(3))
    content, expected = file.read_bytes(), read_npz(file, "a file of arrays")
    directory = content.index(b"PK\1\2")  # a wrong length there hides the members that follow
    outcomes = []
    for position in range(directory, len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            file.write_bytes(flipped)
            try:
                arrays = read_npz(file, "a file of arrays")
            except UserError:
                outcomes.append("refused")
            else:
                assert list(arrays) == list(expected)
                assert all(np.array_equal(arrays[name], expected[name]) for name in expected)
                outcomes.append("equal")
    assert {"refused", "equal"} == set(outcomes)
