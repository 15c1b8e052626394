"""Descriptors as CSV folders: the layout, sequences, links, and writing."""

import shutil

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.descriptors import csv_files, load, sequence_names
from hpatches_kit.descriptors.csv_files import read_csv, write_csv


def alphabetical_rows(descriptors):
    names = sorted(descriptors.names)
    return np.concatenate([np.flatnonzero(descriptors.sequence == name) for name in names])


# Reading


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
def test_a_written_folder_is_read_back(descriptors, tmp_path, delimiter):
    descriptors.write_csv(tmp_path / "set", delimiter)
    assert len(list((tmp_path / "set" / "v_a").glob("*.csv"))) == 16
    lines = (tmp_path / "set" / "v_a" / "ref.csv").read_text().splitlines()
    assert len(lines) == 25 and lines[0].count(delimiter) == 7
    loaded = load(tmp_path / "set", delimiter)
    expected = descriptors.values[alphabetical_rows(descriptors)]
    np.testing.assert_allclose(loaded.values, expected, atol=5.1e-6)
    assert loaded.lengths == descriptors.lengths and loaded.name == "set"
    assert loaded.names == sequence_names(tmp_path / "set") == ["i_b", "v_a", "v_c"]


def test_the_patches_give_csv_their_labels_flat_points_and_order(patches, tmp_path):
    patches.label[:5] = patches.label[7:12]
    patches.arrays["clean"][4, 0] = 77
    described = hk.describe(hk.baselines.mean_std, patches)
    described.write_csv(tmp_path / "set")
    (tmp_path / "set" / ".ipynb_checkpoints").mkdir()
    loaded = read_csv(tmp_path / "set", patches=patches)
    assert loaded.names == patches.names != read_csv(tmp_path / "set").names
    np.testing.assert_array_equal(loaded.label, patches.label)
    np.testing.assert_array_equal(loaded.flat, described.flat)
    with pytest.raises(ValueError, match="points, the patches"):
        read_csv(tmp_path / "set", patches=patches.sample_sparse_points(19))
    part = read_csv(tmp_path / "set", patches=patches, sequences=["v_three", "v_one"])
    np.testing.assert_array_equal(part.label, patches.select(["v_three", "v_one"]).label)


def test_named_sequences_are_read_in_the_order_of_the_names(descriptors, folder):
    loaded = read_csv(folder, sequences=["v_c", "v_a"])
    assert loaded.lengths == {"v_c": 15, "v_a": 25}
    np.testing.assert_allclose(loaded.values[:15], descriptors.values[45:], atol=5.1e-6)
    with pytest.raises(FileNotFoundError, match=r"no sequence v_x, v_y: expected some of \['i_b'"):
        read_csv(folder, sequences=["v_a", "v_x", "v_y"])
    for names in ([], ["v_a", "v_a"]):
        with pytest.raises(ValueError, match="expected at least one, each once"):
            read_csv(folder, sequences=names)


def test_sequences_may_be_nested_and_other_files_are_ignored(folder):
    expected = read_csv(folder).values
    (folder / "light").mkdir()
    (folder / "i_b").rename(folder / "light" / "i_b")
    for name in (".trash", "__MACOSX"):
        shutil.copytree(folder / "v_a", folder / name / "v_d")
    (folder / "v_a" / "._ref.csv").write_bytes(b"\0")
    (folder / "results.csv").write_text("notes, of, a user")
    np.testing.assert_array_equal(read_csv(folder).values, expected)


def test_sequences_of_different_dimension_are_named(folder):
    other = hk.Descriptors(np.zeros((1, 16, 2)), ["v_d"])
    other.write_csv(folder.parent / "other")
    (folder.parent / "other" / "v_d").rename(folder / "v_d")
    with pytest.raises(ValueError, match=r"v_d/ref\.csv has 2 numbers in a row, .*i_b/ref\.csv 8"):
        read_csv(folder)


def test_two_sequences_with_one_name_are_an_error(folder):
    shutil.copytree(folder / "v_a", folder / "more" / "v_a")
    with pytest.raises(ValueError, match=r"two sequences 'v_a', more/v_a and v_a"):
        read_csv(folder)


def test_a_path_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "empty" / "v_a").mkdir(parents=True)
    for name in ("none", "none.zip", "none.npz"):
        for function in (load, sequence_names):
            with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
                function(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="contains no sequence"):
        load(tmp_path / "empty")
    file = tmp_path / "scores.txt"
    file.write_text("1")
    for function in (load, sequence_names):
        with pytest.raises(ValueError, match=r"scores\.txt has an unknown type: expected a folder"):
            function(file)
    with pytest.raises(ValueError, match=r"scores\.txt is not a zip file"):
        read_csv(file)


# Links


def test_links_inside_the_folder_are_followed(folder, tmp_path):
    (folder / "v_d").symlink_to(folder / "v_a")
    loaded = read_csv(folder)
    assert loaded.lengths["v_d"] == 25
    (tmp_path / "link").symlink_to(folder)
    assert len(read_csv(tmp_path / "link")) == len(loaded)


def test_links_that_leave_the_folder_are_an_error(folder, tmp_path):
    shutil.copytree(folder / "v_a", tmp_path / "outside")
    (folder / "v_d").symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match=r"v_d links to .*outside: expected a target inside"):
        read_csv(folder)
    (folder / "v_d").unlink()
    (folder / "v_a" / "e1.csv").unlink()
    (folder / "v_a" / "e1.csv").symlink_to(tmp_path / "outside" / "e1.csv")
    with pytest.raises(ValueError, match=r"e1\.csv links to .*outside/e1\.csv: expected a target"):
        read_csv(folder)


def test_cyclic_and_broken_links_are_an_error(folder):
    (folder / "v_a" / "again").symlink_to(folder)
    with pytest.raises(ValueError, match="again links back to .*: expected no link cycles"):
        read_csv(folder)
    (folder / "v_a" / "again").unlink()
    (folder / "v_a" / "e1.csv").unlink()
    (folder / "v_a" / "e1.csv").symlink_to(folder / "v_a" / "gone.csv")
    with pytest.raises(FileNotFoundError, match=r"v_a/e1\.csv is missing"):
        read_csv(folder)


# Writing


def test_a_failed_write_leaves_the_old_folder_unchanged(descriptors, folder, monkeypatch):
    before = {file: file.read_bytes() for file in folder.rglob("*.csv")}

    def fail(values, file, delimiter):
        raise OSError("disk full")

    monkeypatch.setattr(csv_files, "write_rows", fail)
    with pytest.raises(OSError, match="disk full"):
        write_csv(descriptors, folder)
    assert {file: file.read_bytes() for file in folder.rglob("*.csv")} == before
    assert [child.name for child in folder.parent.iterdir()] == ["set"]


@pytest.mark.parametrize("name", ["../v_a", "a/b", ".hidden", "..", ""])
def test_sequence_names_that_cannot_be_folders_are_not_written(descriptors, tmp_path, name):
    renamed = hk.Descriptors(descriptors.values, [name] * 60)
    with pytest.raises(ValueError, match="cannot be a folder: expected a plain name"):
        write_csv(renamed, tmp_path / "set")
    assert list(tmp_path.iterdir()) == []
