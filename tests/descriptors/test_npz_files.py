"""Descriptors as one `.npz` file: everything is read back, and damaged files are refused."""

import copy

import numpy as np
import pytest
from files import flip_a_bit

import hpatches_kit as hk
from hpatches_kit.descriptors import load, sequence_names
from hpatches_kit.descriptors.npz_files import load_npz


@pytest.fixture
def descriptors(descriptors):
    return copy.deepcopy(descriptors)


@pytest.fixture
def file(descriptors, tmp_path):
    descriptors.label[:5] = descriptors.label[25:30]
    descriptors.flat[7], descriptors.kind = True, "noisy"
    descriptors.save(tmp_path / "deep" / "set.npz")
    return tmp_path / "deep" / "set.npz"


def test_every_field_is_read_back(descriptors, file):
    loaded = load(file)
    np.testing.assert_array_equal(loaded.values, descriptors.values)
    np.testing.assert_array_equal(loaded.sequence, descriptors.sequence)
    np.testing.assert_array_equal(loaded.label, descriptors.label)
    np.testing.assert_array_equal(loaded.flat, descriptors.flat)
    assert (loaded.name, loaded.kind) == ("random", "noisy")
    assert loaded.names == sequence_names(file) == ["v_a", "i_b", "v_c"]
    assert [child.name for child in file.parent.iterdir()] == ["set.npz"]


def test_named_sequences_are_read_in_the_order_of_the_names(descriptors, file):
    loaded = load(file, sequences=["v_c", "v_a"])
    np.testing.assert_array_equal(loaded.values[15:], descriptors.values[:25])
    np.testing.assert_array_equal(loaded.label[15:], descriptors.label[:25])
    assert loaded.flat.tolist().index(True) == 22 and loaded.lengths == {"v_c": 15, "v_a": 25}
    with pytest.raises(FileNotFoundError, match="has no sequence v_x"):
        load(file, sequences=["v_x"])


def test_the_patches_replace_labels_and_order(patches, tmp_path):
    described = hk.describe(lambda batch: np.asarray(batch).mean(axis=2)[..., 0], patches)
    other = patches.select(["v_three", "v_one", "i_two"])
    described.save(tmp_path / "set.npz")
    loaded = load(tmp_path / "set.npz", patches=other)
    np.testing.assert_array_equal(loaded.sequence, other.sequence)
    np.testing.assert_array_equal(loaded.label, other.label)
    with pytest.raises(ValueError, match="points, the patches"):
        load(tmp_path / "set.npz", patches=patches.sample_sparse_points(19))


def rewrite(**changes):
    """A function that replaces arrays of a file; None removes one."""

    def damage(file):
        with np.load(file) as arrays:
            arrays = {key: arrays[key] for key in arrays.files} | changes
        np.savez(file, **{key: array for key, array in arrays.items() if array is not None})

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: flip_a_bit(file, 2000), "Bad CRC-32"),
        (lambda file: file.write_bytes(file.read_bytes()[:-100]), "zip"),
        (lambda file: file.write_bytes(b""), "zip"),
        (lambda file: file.write_text("not this"), "zip"),
        (lambda file: np.savez(file, x=np.zeros(3)), "format"),
        (lambda file: np.savez_compressed(file, x=np.zeros(3)), r"x\.npy is compressed"),
        (rewrite(format=np.array(1)), "format 1, expected 2"),
        (rewrite(values=None), "values"),
        (rewrite(values=np.zeros((60, 16, 2))), "type float64, expected float32"),
        (rewrite(values=np.zeros((60, 15, 2), "f4")), r"expected \(60, 16, dim\)"),
        (rewrite(values=np.full((60, 16, 2), np.nan, "f4")), r"Point 0 \(v_a\) has NaN"),
        (rewrite(lengths=np.array([25, 20, 14])), "60 labels for 59 points"),
        (rewrite(lengths=np.array([25, 20, -15])), "negative"),
        (rewrite(names=np.array([{}], object)), "allow_pickle=False"),
    ],
)
def test_a_damaged_or_foreign_file_is_named(file, damage, message):
    damage(file)
    with pytest.raises(ValueError, match=rf"set\.npz is damaged or is not .*: .*{message}"):
        load_npz(file)


def test_a_failed_save_leaves_no_file(descriptors, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"expected a name that ends in \.npz"):
        descriptors.save(tmp_path / "set.csv")
    monkeypatch.setattr(np, "savez", lambda file, **arrays: file.write_bytes(b"half") // 0)
    with pytest.raises(ZeroDivisionError):
        descriptors.save(tmp_path / "set.npz")
    assert list(tmp_path.iterdir()) == []
