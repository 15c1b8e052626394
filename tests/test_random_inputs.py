"""Random changes of files and options: an error that names them, or the right result; nothing else.

`make campaign` does more of the same to files, in processes that are limited and watched.
"""

import warnings
from pathlib import Path

import numpy as np
import pytest
from campaigns.formats import FORMATS
from hypothesis import given, settings
from hypothesis import strategies as st
from random_changes import EDITS, NUMBERS, changed_json, edited

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json
from hpatches_kit._support.options import check_positive, check_whole_number
from hpatches_kit.descriptors.fast_csv import lines, parse, shape
from hpatches_kit.patches.noise import add_noise

JSON_FILES = {
    "scores": "s.json",
    "patch set": "set/patches.json",
    "labels of strips": "release/places.json",
    "record of a run": None,  # the first of its files
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A function that writes the example of a format once; returns its folder and what is read."""
    examples = {}

    def write(name):
        if name not in examples:
            folder = tmp_path_factory.mktemp("example")
            FORMATS[name].write(folder)
            examples[name] = folder, FORMATS[name].read(folder)
        return examples[name]

    return write


def read_changed(name, folder, file, content):
    """What is read while a file has other content, or None if it is refused by its name."""
    original = (folder / file).read_bytes()
    (folder / file).write_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return FORMATS[name].read(folder)
    except (UserError, OSError) as error:
        expected = [str(folder / place) for place in (Path(file), *Path(file).parents[:-1])]
        assert any(place in str(error) for place in expected), error
        return None
    finally:
        (folder / file).write_bytes(original)


# The other formats are read by the same code as one of these.
@pytest.mark.parametrize(
    "name",
    ["npz of descriptors", "CSV zip", "PNG", "JPG", "TIF", "weights", "task lists"],
)
def test_a_file_with_random_edits_is_refused_by_its_name_or_read_as_before(name, written):
    folder, before = written(name)
    described = FORMATS[name]

    @settings(max_examples=15)
    @given(st.sampled_from(described.files), EDITS)
    def check(file, edits):
        content = edited((folder / file).read_bytes(), edits)
        read = read_changed(name, folder, file, content)
        assert read in (None, before) or not described.has_checksum

    check()


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_with_another_value_at_any_place_is_refused_by_its_name_or_read(name, written):
    folder, _ = written(name)
    file = JSON_FILES[name] or FORMATS[name].files[0]

    @settings(max_examples=15 if "strips" in name else 40)  # they are converted each time
    @given(changed_json((folder / file).read_text()))
    def check(text):
        read_changed(name, folder, file, text.encode())

    check()


@given(st.binary(max_size=60) | EDITS.map(lambda edits: edited(b'{"a": [1, {"b": null}]}', edits)))
def test_random_bytes_are_a_json_object_or_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    try:
        assert isinstance(read_json(tmp_path / "a.json", "a test file"), dict)
    except UserError as error:
        assert "a.json is not a test file" in str(error)


CELLS = [
    "1",
    "-0.5",
    "1e5",
    "+.5",
    "5.",
    "1e-400",
    "1e40",
    "nan",
    "inf",
    "",
    " ",
    "1_0",
    "0x1",
    "é",
]
CELLS += ["123456789012345678901", "1e", "--1", "1 2", ".", "\0", "٣"]  # the last: an Arabic 3
TABLES = st.lists(
    st.lists(st.sampled_from(["1", "-0.5", *CELLS]), min_size=2, max_size=2), min_size=1, max_size=3
)


@settings(max_examples=100)
@given(TABLES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_numbers_in_csv_are_those_that_python_reads_or_refused(table, end, has_end):
    text = lines((end.join(map(",".join, table)) + end * has_end).encode())
    try:
        values = np.empty(shape(text, "a.csv", ",", 10), np.float32)
        parse(text, "a.csv", ",", values)
    except UserError as error:
        assert str(error).startswith("a.csv")
        return
    expected = np.array([[float(cell) for cell in row] for row in table])
    np.testing.assert_array_equal(values, expected.astype(np.float32))
    assert np.isfinite(values).all() and "1_0" not in sum(table, [])


NAMES = st.sampled_from(["v_a", "i_b", "v_c", "v_x", "", "NA", '"v_a"', "1"])
IMAGES, ROWS = (st.sampled_from([*valid, -1, 99, "x", 0.5, ""]) for valid in ([0, 1, 5], [0, 1, 2]))
VALID_ROW = st.tuples(*2 * [st.sampled_from(["v_a", "v_c"]), st.integers(0, 5), st.integers(0, 2)])
ANY_ROW = st.tuples(NAMES, IMAGES, ROWS, NAMES, IMAGES, ROWS)


@settings(max_examples=25)
@given(
    st.lists(VALID_ROW | ANY_ROW, min_size=1, max_size=3), st.sampled_from(["", ",9", "\n,,,,,"])
)
def test_a_random_task_list_has_pairs_of_known_points_or_is_refused(written, rows, more):
    folder, _ = written("task lists")
    file = folder / "lists" / "verif_neg_inter_split-a.csv"
    text = "\n".join(["s1,t1,idx1,s2,t2,idx2", *(",".join(map(str, row)) for row in rows)]) + more
    points = hk.Descriptors(np.zeros((8, 16, 1)), np.repeat(["v_a", "i_b", "v_c"], [3, 2, 3]))
    original = file.read_bytes()
    file.write_text(text)
    try:
        inter = hk.benchmark.load_tasks(folder / "lists", "a", points).inter
    except UserError as error:
        assert file.name in str(error)
        return
    finally:
        file.write_bytes(original)
    start = {"v_a": 0, "i_b": 3, "v_c": 5}
    expected = [
        [start[s1.strip('"')] + k1, start[s2.strip('"')] + k2] for s1, _, k1, s2, _, k2 in rows
    ]
    np.testing.assert_array_equal(np.stack([inter.first, inter.second], axis=1), expected)
    assert not more.strip() or more == "\n,,,,,"


OPTIONS = NUMBERS | st.sampled_from([None, "5", True, [1], np.int64(3), np.float32(0.5), 1j])


@given(OPTIONS)
def test_an_option_is_a_number_in_its_range_or_refused_by_its_name(value):
    for check, is_right in (
        (lambda: check_whole_number("points", value, 1), lambda: int(value) == value >= 1),
        (lambda: check_positive("points", value, "a size"), lambda: 0 < value < np.inf),
    ):
        try:
            check()
        except UserError as error:
            assert str(error).startswith("points=")
        else:
            assert is_right()


@given(st.lists(NUMBERS, min_size=3, max_size=3) | OPTIONS)
def test_noise_of_any_sigma_is_noise_or_refused(sigma):
    patches = np.full((3, 32, 32), 128, np.uint8)
    try:
        noisy = add_noise(patches, sigma)
    except UserError as error:
        assert str(error).startswith("sigma=")
        return
    assert noisy.shape == (3, 32, 32) and noisy.dtype == np.uint8
    change = np.abs(noisy.astype(float) - 128).mean(axis=(1, 2))
    strength = np.broadcast_to(np.asarray(sigma, float), 3)
    assert (change <= np.minimum(strength, 128)).all() and (change[strength > 20] > 5).all()


@pytest.mark.parametrize("sigma", [-1, 1001, np.nan, np.inf, 8000, [1, 2], "strong", None, 1j])
def test_a_sigma_that_is_not_a_strength_of_noise_is_refused(sigma):
    with pytest.raises(UserError, match="sigma=.*: expected a number from 0 to 1,000"):
        add_noise(np.zeros((3, 32, 32), np.uint8), sigma)
