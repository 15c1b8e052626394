"""Descriptors to disk and back, and every way in which files from elsewhere can be wrong."""

import os
import re
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.descriptors import csv_files as descriptor_files
from hpatches_kit.descriptors.csv_files import read_csv, write_csv
from hpatches_kit.descriptors.files import load, sequence_names
from hpatches_kit.descriptors.npz_files import load_npz
from hpatches_kit.descriptors.npz_files import save_npz as save
from hpatches_kit.patches.views import VIEWS


@pytest.fixture
def folder(descriptors, tmp_path):
    """Sequences v_a, i_b, v_c of 25, 20 and 15 points, 8 numbers each."""
    write_csv(descriptors, tmp_path / "set")
    return tmp_path / "set"


def zipped(folder, file, inside="."):
    """Zip a folder as file managers do; `inside` is the folder in the zip that holds it all."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for child in sorted(folder.rglob("*.csv")):
            archive.write(child, Path(inside) / child.relative_to(folder))
    return file


def write_rows(folder, rows, delimiter=","):
    """A folder of one sequence, with the same rows of text in all views."""
    (folder / "v_a").mkdir(parents=True)
    for view in VIEWS:
        (folder / "v_a" / f"{view}.csv").write_text("\n".join(map(delimiter.join, rows)) + "\n")
    return folder


def alphabetical(descriptors):
    names = sorted(descriptors.names)
    return np.concatenate([np.flatnonzero(descriptors.sequence == name) for name in names])


# Reading what is right


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
def test_csv_folders_are_written_and_read_back(descriptors, tmp_path, delimiter):
    write_csv(descriptors, tmp_path / "set", delimiter)
    assert len(list((tmp_path / "set" / "v_a").glob("*.csv"))) == 16
    first = (tmp_path / "set" / "v_a" / "ref.csv").read_text().splitlines()
    assert len(first) == 25 and first[0].count(delimiter) == 7
    found = read_csv(tmp_path / "set", delimiter)
    expected = descriptors.values[alphabetical(descriptors)]
    np.testing.assert_allclose(found.values, expected, atol=5.1e-6)
    assert found.lengths == descriptors.lengths and found.name == "set"
    assert found.names == sequence_names(tmp_path / "set") == ["i_b", "v_a", "v_c"]


def test_with_the_patches_at_hand_csv_keeps_labels_order_and_scores(patches, tmp_path):
    patches.label[:5] = patches.label[7:12]
    patches.arrays["clean"][4, 0] = 77
    described = hk.describe(lambda batch: np.asarray(batch).mean(axis=2)[..., 0], patches)
    write_csv(described, tmp_path / "set")
    (tmp_path / "set" / ".ipynb_checkpoints").mkdir()
    found = read_csv(tmp_path / "set", data=patches)
    assert found.names == patches.names != read_csv(tmp_path / "set").names
    np.testing.assert_array_equal(found.label, patches.label)
    np.testing.assert_array_equal(found.flat, described.flat)
    with pytest.raises(ValueError, match="points, the patches"):
        read_csv(tmp_path / "set", data=patches.sample(19))
    part = read_csv(tmp_path / "set", data=patches, sequences=["v_three", "v_one"])
    np.testing.assert_array_equal(part.label, patches.select(["v_three", "v_one"]).label)


def test_named_sequences_are_read_in_the_order_of_the_names(descriptors, folder):
    found = read_csv(folder, sequences=["v_c", "v_a"])
    assert found.lengths == {"v_c": 15, "v_a": 25}
    np.testing.assert_allclose(found.values[:15], descriptors.values[45:], atol=5.1e-6)
    with pytest.raises(FileNotFoundError, match=r"no sequence v_x, v_y: expected some of \['i_b'"):
        read_csv(folder, sequences=["v_a", "v_x", "v_y"])
    for names in ([], ["v_a", "v_a"]):
        with pytest.raises(ValueError, match="expected at least one, each once"):
            read_csv(folder, sequences=names)


@pytest.mark.parametrize("inside", [".", "set", "a/b"])
def test_a_zip_reads_like_its_folder(folder, tmp_path, inside):
    file = zipped(folder, tmp_path / "other.zip", inside)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("__MACOSX/v_a/._ref.csv", "binary")
        archive.writestr("v_a/.hidden.csv", "binary")
        archive.writestr("notes/readme.txt", "none")
    found = load(file, sequences=["v_a", "i_b"])
    np.testing.assert_array_equal(found.values, load(folder, sequences=["v_a", "i_b"]).values)
    assert found.name == "other" and sequence_names(file) == ["i_b", "v_a", "v_c"]


def test_sequences_may_lie_deeper_and_hidden_ones_are_passed_over(folder):
    expected = read_csv(folder).values
    (folder / "light").mkdir()
    (folder / "i_b").rename(folder / "light" / "i_b")
    for name in (".trash", "__MACOSX"):
        shutil.copytree(folder / "v_a", folder / name / "v_d")
    (folder / "v_a" / "._ref.csv").write_bytes(b"\0")
    np.testing.assert_array_equal(read_csv(folder).values, expected)


def test_links_may_stay_inside(folder, tmp_path):
    (folder / "v_d").symlink_to(folder / "v_a")
    found = read_csv(folder)
    assert found.lengths["v_d"] == 25
    (tmp_path / "link").symlink_to(folder)
    assert len(read_csv(tmp_path / "link")) == len(found)


@pytest.mark.parametrize(
    "style",
    ["%.5f", "%.9f", "%10.5f", "%-12.5f", "%+.3f", "%.4e", "%.18e", "%.17g", "%.30f", "%.2E", "%d"],
)
def test_every_number_is_the_float32_of_the_float64_of_its_text(style, tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(0, 1, (500, 20)) * 10.0 ** rng.integers(-4, 5, (500, 20))
    text = [[style % number for number in row] for row in numbers]
    folder = write_rows(tmp_path / "set", text)
    loaded = np.loadtxt(folder / "v_a" / "t5.csv", delimiter=",")
    found = read_csv(folder).values[:, 7]
    np.testing.assert_array_equal(found, loaded.astype(np.float32))
    one_by_one = [[np.float64(cell).astype(np.float32) for cell in row] for row in text]
    np.testing.assert_array_equal(found, one_by_one)


@pytest.mark.parametrize(
    "number",
    [
        *("0", "-0.00000", "7", "-12", ".5", "5.", "+1.5", "1e5", "1E-5", "1.5e+3", "-2.5e-07"),
        *("16777217", "16777219", "33554434.99999999999999", "0.1", "1e-46", "1.5e-45", "3.4e38"),
        *("1.000000059604644775390625", "1.0000000596046447753906250001", "1e-400", "0e999"),
        *("1.00000017881393432617187499", "00000000000000000000000000012.5", "123456789e-300"),
        *("0.00000000000000000000012345678901234567890123", "1234567890123456789012345e-20"),
    ],
)
def test_rare_and_difficult_numbers_are_read_as_numpy_reads_them(number, tmp_path):
    folder = write_rows(tmp_path / "set", [["1.5", number, " " + number + "  "]])
    expected = np.float64(number).astype(np.float32)
    assert read_csv(folder).values[0, 3].tolist() == [1.5, expected, expected]


def test_one_number_a_row_is_fine(tmp_path):
    folder = write_rows(tmp_path / "set", [["1.5"], ["-2"], ["3"]])
    for delimiter in (",", " "):
        assert read_csv(folder, delimiter).values[:, 0, 0].tolist() == [1.5, -2, 3]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("1,2\r\n3,4\r\n", ","),
        ("1,2\n3,4", ","),
        ("1,2\r\n3,4\r\n\r\n", ","),
        (" 1 , 2 \n 3 ,4\n\n\n", ","),
        ("  1   2\n 3 4  \n", " "),
        ("1\t 2\n3 \t4\n", "\t"),
    ],
)
def test_line_ends_and_blanks_do_not_matter(text, delimiter, folder):
    for view in VIEWS:
        (folder / "v_a" / f"{view}.csv").write_bytes(text.encode())
    found = read_csv(folder, delimiter, sequences="v_a").values
    assert found[:, 5].tolist() == [[1, 2], [3, 4]]


# Reading what is wrong


def replace(text):
    return lambda sequence: (sequence / "e1.csv").write_text(text)


def edit(line, change):
    """Change one line, counted from 1, of e1.csv."""

    def harm(sequence):
        lines = (sequence / "e1.csv").read_text().splitlines()
        lines[line - 1] = change(lines[line - 1])
        (sequence / "e1.csv").write_text("\n".join(lines) + "\n")

    return harm


def first_to(text):
    return lambda line: ",".join([text, *line.split(",")[1:]])


BAD = {
    "a missing view": (lambda s: (s / "e1.csv").unlink(), r"i_b/e1\.csv is missing"),
    "another number of rows": (replace("1,2\n"), r"e1\.csv has 1 rows, ref\.csv 20"),
    "an empty file": (replace(""), r"e1\.csv has 0 rows, ref\.csv 20"),
    "an empty first file": (lambda s: (s / "ref.csv").write_text("\n"), r"ref\.csv is empty"),
    "another dimension": (
        replace("1,2\n" * 20),
        r"e1\.csv, line 1 has 2 numbers: expected 8, as in the first line of ref\.csv",
    ),
    "a short row": (edit(7, lambda x: x[: x.rindex(",")]), r"e1\.csv, line 7 has 7 numbers"),
    "a long row": (edit(7, lambda x: x + ",1"), r"e1\.csv, line 7 has 9 numbers: expected 8"),
    "an empty row": (edit(7, lambda x: ""), r"e1\.csv, line 7 is empty: expected 8"),
    "a row of another delimiter": (
        edit(7, lambda x: x.replace(",", ";")),
        r"line 7 holds '.*': expected numbers with ',' between them, and no header\. Is ';' the",
    ),
    "an empty cell": (edit(7, first_to("")), r"e1\.csv, line 7 holds '': expected numbers"),
    "text": (edit(20, first_to("a")), r"e1\.csv, line 20 holds 'a': expected numbers"),
    "a header": (edit(1, lambda x: "a,b,c,d,e,f,g,h"), r"line 1 holds 'a': .*and no header"),
    "a comment": (edit(3, lambda x: "#" + x), r"e1\.csv, line 3 holds '#"),
    "an underscore": (edit(3, first_to("1_0")), r"e1\.csv, line 3 holds '1_0'"),
    "a dot alone": (edit(3, first_to(".")), r"e1\.csv, line 3 holds '\.'"),
    "two signs": (edit(3, first_to("--1")), r"e1\.csv, line 3 holds '--1'"),
    "two dots": (edit(3, first_to("1.2.3")), r"e1\.csv, line 3 holds '1\.2\.3'"),
    "two numbers in one": (edit(3, first_to("1 2")), r"e1\.csv, line 3 holds '1 2'"),
    "an exponent alone": (edit(3, first_to("e5")), r"e1\.csv, line 3 holds 'e5'"),
    "no exponent": (edit(3, first_to("1e")), r"e1\.csv, line 3 holds '1e'"),
    "bytes that are no text": (
        lambda s: (s / "e1.csv").write_bytes(b"\xff\x00\n" * 20),
        r"e1\.csv, line 1 holds '.*': expected numbers",
    ),
    "NaN": (edit(9, first_to("nan")), r"e1\.csv, line 9 holds 'nan': expected finite numbers"),
    "infinity": (edit(9, first_to(" -inf")), r"e1\.csv, line 9 holds '-inf': expected finite"),
    "beyond float32": (edit(9, first_to("1e39")), r"line 9 holds '1e39': expected finite"),
    "beyond float64": (edit(9, first_to("1e999")), r"line 9 holds '1e999': expected finite"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("harm", BAD)
def test_a_broken_file_is_named(folder, tmp_path, harm, packed):
    change, message = BAD[harm]
    change(folder / "i_b")
    path = zipped(folder, tmp_path / "set.zip") if packed else folder
    with pytest.raises(
        FileNotFoundError if harm == "a missing view" else ValueError, match=message
    ):
        load(path)
    assert len(load(path, sequences=["v_a", "v_c"])) == 40  # what is not read does no harm


def test_sequences_of_different_dimension_are_named(folder):
    write_rows(folder.parent / "other", [["1", "2"]])
    (folder.parent / "other" / "v_a").rename(folder / "v_d")
    with pytest.raises(ValueError, match=r"v_d/ref\.csv has 2 numbers in a row, .*i_b/ref\.csv 8"):
        read_csv(folder)


@pytest.mark.parametrize("found", [";", "\t", " ", ","])
@pytest.mark.parametrize("wanted", [";", "\t", " ", ","])
def test_the_wrong_delimiter_is_an_error_that_names_the_likely_one(found, wanted, tmp_path):
    folder = write_rows(tmp_path / "set", [["0.5", "-1.25", "3"]] * 4, found)
    if found == wanted:
        assert read_csv(folder, wanted).values.shape == (4, 16, 3)
    else:
        message = re.escape(f"ref.csv, line 1 has no delimiter {wanted!r} but {found!r}")
        with pytest.raises(ValueError, match=message):
            read_csv(folder, wanted)


def test_a_wrong_delimiter_that_occurs_is_an_error_too(tmp_path):
    blanks = write_rows(tmp_path / "blanks", [["0.5", " 1", " 2"]])
    with pytest.raises(ValueError, match="line 1 holds '0.5,': .*Is ',' the delimiter"):
        read_csv(blanks, " ")
    commas = write_rows(tmp_path / "commas", [["0,5", "1,5"]], ";")
    with pytest.raises(ValueError, match="line 1 holds '5;1': .*Is ';' the delimiter"):
        read_csv(commas)
    for delimiter in ("", ",,", "1", "e", "-", "\n"):
        with pytest.raises(ValueError, match="expected one character"):
            read_csv(commas, delimiter)


def test_a_path_that_is_nothing_to_read_is_an_error(tmp_path):
    (tmp_path / "empty" / "v_a").mkdir(parents=True)
    for name in ("none", "none.zip", "none.npz"):
        for function in (load, sequence_names):
            with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
                function(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="holds no sequence"):
        load(tmp_path / "empty")
    file = tmp_path / "scores.txt"
    file.write_text("1")
    with pytest.raises(ValueError, match=r"scores\.txt is of no known kind: expected a folder"):
        load(file)
    with pytest.raises(ValueError, match=r"scores\.txt is not a zip file"):
        read_csv(file)


def test_two_sequences_of_one_name_are_an_error(folder):
    shutil.copytree(folder / "v_a", folder / "more" / "v_a")
    with pytest.raises(ValueError, match=r"two sequences 'v_a', more/v_a and v_a"):
        read_csv(folder)


def test_links_that_leave_the_folder_are_an_error(folder, tmp_path):
    shutil.copytree(folder / "v_a", tmp_path / "outside")
    (folder / "v_d").symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match=r"v_d leads to .*outside: expected nothing outside"):
        read_csv(folder)
    (folder / "v_d").unlink()
    (folder / "v_a" / "e1.csv").unlink()
    (folder / "v_a" / "e1.csv").symlink_to(tmp_path / "outside" / "e1.csv")
    with pytest.raises(ValueError, match=r"e1\.csv leads to .*outside/e1\.csv: expected nothing"):
        read_csv(folder)


def test_links_in_a_circle_and_to_nothing_are_an_error(folder):
    (folder / "v_a" / "again").symlink_to(folder)
    with pytest.raises(ValueError, match="again leads back to .*: expected no circles"):
        read_csv(folder)
    (folder / "v_a" / "again").unlink()
    (folder / "v_a" / "e1.csv").unlink()
    (folder / "v_a" / "e1.csv").symlink_to(folder / "v_a" / "gone.csv")
    with pytest.raises(FileNotFoundError, match=r"v_a/e1\.csv is missing"):
        read_csv(folder)


# Zip files that cannot be trusted


def member(name, mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo("placeholder")
    info.filename, info.external_attr, info.compress_type = name, mode << 16, method
    return info


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/etc/ref.csv", r"set\.zip holds '/etc/ref\.csv': expected paths inside"),
        ("../v_d/ref.csv", r"holds '\.\./v_d/ref\.csv': expected paths inside"),
        ("v_d/../../ref.csv", "expected paths inside"),
        ("v_d\\ref.csv", "expected paths inside"),
        ("C:/v_d/ref.csv", "expected paths inside"),
        ("C:ref.csv", "expected paths inside"),
        ("__MACOSX/../../ref.csv", "expected paths inside"),
        ("v_a/ref.csv", r"holds 'v_a/ref\.csv' twice"),
        ("./v_a//ref.csv", r"holds '\./v_a//ref\.csv' twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_paths_that_lead_elsewhere_is_refused(folder, tmp_path, name, message):
    file = zipped(folder, tmp_path / "set.zip")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member(name), "1,2\n")
    with pytest.raises(ValueError, match=message):
        load(file)


def test_a_zip_with_links_is_refused(folder, tmp_path):
    file = zipped(folder, tmp_path / "set.zip")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member("v_d/ref.csv", stat.S_IFLNK | 0o777), "/etc/passwd")
    with pytest.raises(ValueError, match=r"v_d/ref\.csv is a link or a device"):
        load(file)


def test_an_encrypted_zip_is_refused(folder, tmp_path):
    file = zipped(folder, tmp_path / "set.zip")
    raw = bytearray(file.read_bytes())
    raw[raw.index(b"PK\1\2") + 8] |= 1
    file.write_bytes(raw)
    with pytest.raises(ValueError, match="is encrypted: expected a zip without a password"):
        load(file)


def test_a_zip_packed_in_a_rare_way_is_refused(folder, tmp_path):
    file = zipped(folder, tmp_path / "set.zip")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member("v_d/ref.csv", method=zipfile.ZIP_LZMA), "1,2\n")
    with pytest.raises(ValueError, match="packed with method 14: expected 0 or 8"):
        load(file)


def test_a_zip_bomb_is_refused(folder, tmp_path, monkeypatch):
    file = zipped(folder, tmp_path / "set.zip")
    monkeypatch.setattr("hpatches_kit._support.archives.LARGE", 50_000)
    with pytest.raises(ValueError, match=r"claims to unpack .* and 50000 bytes at most"):
        load(file)
    monkeypatch.undo()
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(member("v_d/ref.csv"), b"0" * (5 << 20))
    with pytest.raises(ValueError, match=r"v_d/ref\.csv claims to unpack .*200 times as many"):
        load(file)


def test_a_member_that_unpacks_to_more_than_declared_is_damaged(tmp_path):
    """Its true size is 64 MB, declared are 1000 bytes: no more than these are unpacked."""
    for view in VIEWS:
        with zipfile.ZipFile(tmp_path / "set.zip", "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"v_a/{view}.csv", b"0,0,0,0\n" * (8 << 20 if view == "ref" else 1))
    file = tmp_path / "set.zip"
    raw = bytearray(file.read_bytes())
    at = raw.index(b"PK\1\2")
    raw[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    file.write_bytes(raw)
    with pytest.raises(ValueError, match=r"v_a/ref\.csv is damaged: Bad CRC-32"):
        load(file)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    file = tmp_path / "set.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for view in VIEWS:
            archive.writestr(f"v_a/{view}.csv", os.urandom(2000).hex())
        for info in archive.filelist:  # all entries of the directory point at the same bytes
            info.compress_size = info.file_size = 60_000
    with pytest.raises(ValueError, match="claims to unpack from 960000 to 960000 bytes"):
        load(file)


def test_a_damaged_zip_is_an_error_that_names_the_member(folder, tmp_path):
    file = zipped(folder, tmp_path / "set.zip")
    raw = bytearray(file.read_bytes())
    for k in range(100, 400):
        raw[k] ^= 85
    file.write_bytes(raw)
    with pytest.raises(ValueError, match=r"set\.zip/.*\.csv is damaged"):
        load(file)
    file.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ValueError, match=r"set\.zip is not a zip file, or is cut off"):
        load(file)


# Writing


def test_numbers_are_written_as_printf_writes_them(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (50, 16, 40)) * 10.0 ** rng.integers(-7, 9, (50, 16, 40))
    ties = rng.integers(-400, 400, (50, 16, 40)) / 2.0**6  # 1/64 = 0.015625
    for k, numbers in enumerate((values, ties, values * 1e8)):
        descriptors = hk.Descriptors(numbers, ["v_a"] * 50)
        write_csv(descriptors, tmp_path / f"{k}", ";", progress=False)
        for column, view in enumerate(VIEWS):
            np.savetxt(tmp_path / "x.csv", descriptors.values[:, column], "%.5f", delimiter=";")
            written = (tmp_path / f"{k}" / "v_a" / f"{view}.csv").read_text()
            assert written == (tmp_path / "x.csv").read_text()


def test_a_folder_that_fails_halfway_stays_as_it_was(descriptors, folder, monkeypatch):
    before = {file: file.read_bytes() for file in folder.rglob("*.csv")}

    def full(values, file, delimiter):
        raise OSError("disk full")

    monkeypatch.setattr(descriptor_files, "write_rows", full)
    with pytest.raises(OSError, match="disk full"):
        write_csv(descriptors, folder)
    assert {file: file.read_bytes() for file in folder.rglob("*.csv")} == before
    assert [child.name for child in folder.parent.iterdir()] == ["set"]


@pytest.mark.parametrize("name", ["../v_a", "a/b", ".hidden", "..", ""])
def test_sequences_that_cannot_be_folders_are_not_written(descriptors, tmp_path, name):
    named = hk.Descriptors(descriptors.values, [name] * 60)
    with pytest.raises(ValueError, match="cannot be a folder: expected a plain name"):
        write_csv(named, tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


# The kit's own file


@pytest.fixture
def file(descriptors, tmp_path):
    descriptors.label[:5] = descriptors.label[25:30]
    descriptors.flat[7], descriptors.patches = True, "noisy"
    save(descriptors, tmp_path / "deep" / "set.npz")
    return tmp_path / "deep" / "set.npz"


def test_a_saved_file_gives_everything_back(descriptors, file):
    found = load(file)
    np.testing.assert_array_equal(found.values, descriptors.values)
    np.testing.assert_array_equal(found.sequence, descriptors.sequence)
    np.testing.assert_array_equal(found.label, descriptors.label)
    np.testing.assert_array_equal(found.flat, descriptors.flat)
    assert (found.name, found.patches) == ("random", "noisy")
    assert found.names == sequence_names(file) == ["v_a", "i_b", "v_c"]
    assert [child.name for child in file.parent.iterdir()] == ["set.npz"]


def test_parts_of_a_saved_file_are_read_in_the_order_of_the_names(descriptors, file):
    found = load(file, sequences=["v_c", "v_a"])
    np.testing.assert_array_equal(found.values[15:], descriptors.values[:25])
    np.testing.assert_array_equal(found.label[15:], descriptors.label[:25])
    assert found.flat.tolist().index(True) == 22 and found.lengths == {"v_c": 15, "v_a": 25}
    with pytest.raises(FileNotFoundError, match="has no sequence v_x"):
        load(file, sequences=["v_x"])


def test_with_the_patches_at_hand_a_saved_file_takes_their_order(patches, tmp_path):
    described = hk.describe(lambda batch: np.asarray(batch).mean(axis=2)[..., 0], patches)
    other = patches.select(["v_three", "v_one", "i_two"])
    save(described, tmp_path / "set.npz")
    found = load(tmp_path / "set.npz", data=other)
    np.testing.assert_array_equal(found.sequence, other.sequence)
    np.testing.assert_array_equal(found.label, other.label)
    with pytest.raises(ValueError, match="points, the patches"):
        load(tmp_path / "set.npz", data=patches.sample(19))


def rewrite(**changes):
    def harm(file):
        with np.load(file) as arrays:
            arrays = {key: arrays[key] for key in arrays.files} | changes
        np.savez(file, **{key: array for key, array in arrays.items() if array is not None})

    return harm


def flip(file):
    raw = bytearray(file.read_bytes())
    raw[2000] ^= 1
    file.write_bytes(raw)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip, "Bad CRC-32"),
        (lambda file: file.write_bytes(file.read_bytes()[:-100]), "zip"),
        (lambda file: file.write_bytes(b""), "zip"),
        (lambda file: file.write_text("not this"), "zip"),
        (lambda file: np.savez(file, x=np.zeros(3)), "format"),
        (lambda file: np.savez_compressed(file, x=np.zeros(3)), r"x\.npy is compressed"),
        (rewrite(format=np.array(2)), "format 2, expected 1"),
        (rewrite(values=None), "values"),
        (rewrite(values=np.zeros((60, 16, 2))), "type float64, expected float32"),
        (rewrite(values=np.zeros((60, 15, 2), "f4")), r"expected \(60, 16, dim\)"),
        (rewrite(values=np.full((60, 16, 2), np.nan, "f4")), r"Point 0 \(v_a\) has NaN"),
        (rewrite(lengths=np.array([25, 20, 14])), "60 labels for 59 points"),
        (rewrite(lengths=np.array([25, 20, -15])), "negative"),
        (rewrite(names=np.array([{}], object)), "allow_pickle=False"),
    ],
)
def test_a_file_that_is_damaged_or_of_another_kind_is_named(file, harm, message):
    harm(file)
    with pytest.raises(ValueError, match=rf"set\.npz is damaged or not of this kit: .*{message}"):
        load_npz(file)


def test_a_file_that_could_not_be_read_again_is_not_written(descriptors, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"expected a name that ends in \.npz"):
        save(descriptors, tmp_path / "set.csv")
    monkeypatch.setattr(np, "savez", lambda file, **arrays: file.write_bytes(b"half") // 0)
    with pytest.raises(ZeroDivisionError):
        save(descriptors, tmp_path / "set.npz")
    assert list(tmp_path.iterdir()) == []


def test_the_mark_before_a_text_and_files_beside_the_sequences_do_not_matter(descriptors, tmp_path):
    write_csv(descriptors, tmp_path / "set")
    expected = load(tmp_path / "set").values
    for file in (tmp_path / "set" / "v_a" / "ref.csv", tmp_path / "set" / "v_a" / "e1.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    (tmp_path / "set" / "results.csv").write_text("what, a, user\nkeeps, here, too\n")
    np.testing.assert_array_equal(load(tmp_path / "set").values, expected)


def test_sequences_of_what_is_neither_folder_nor_zip_nor_npz_are_not_listed(tmp_path):
    (tmp_path / "set.txt").write_text("1,2")
    with pytest.raises(ValueError, match="is of no known kind"):
        sequence_names(tmp_path / "set.txt")
