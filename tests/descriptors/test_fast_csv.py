"""CSV text as numbers: every number is exact, and every error names the file and the line."""

import re
from itertools import permutations

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.descriptors import load
from hpatches_kit.descriptors.csv_files import read_csv
from hpatches_kit.patches.views import VIEWS


def write_text_rows(folder, rows, delimiter=","):
    """Write a folder with one sequence and the same rows of text in all views."""
    (folder / "v_a").mkdir(parents=True)
    for view in VIEWS:
        (folder / "v_a" / f"{view}.csv").write_text("\n".join(map(delimiter.join, rows)) + "\n")
    return folder


# Reading valid files


@pytest.mark.parametrize(
    "style",
    ["%.5f", "%.9f", "%10.5f", "%-12.5f", "%+.3f", "%.4e", "%.18e", "%.17g", "%.30f", "%.2E", "%d"],
)
def test_every_number_is_the_float32_of_the_float64_of_its_text(style, tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.normal(0, 1, (500, 20)) * 10.0 ** rng.integers(-4, 5, (500, 20))
    text = [[style % number for number in row] for row in numbers]
    values = read_csv(write_text_rows(tmp_path / "set", text)).values[:, 7]
    expected = [[np.float64(cell).astype(np.float32) for cell in row] for row in text]
    np.testing.assert_array_equal(values, expected)


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
def test_difficult_numbers_are_read_as_numpy_reads_them(number, tmp_path):
    folder = write_text_rows(tmp_path / "set", [["1.5", number, " " + number + "  "]])
    expected = np.float64(number).astype(np.float32)
    assert read_csv(folder).values[0, 3].tolist() == [1.5, expected, expected]


def test_rows_of_one_number_are_read(tmp_path):
    folder = write_text_rows(tmp_path / "set", [["1.5"], ["-2"], ["3"]])
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
def test_line_endings_and_spaces_do_not_matter(text, delimiter, folder):
    for view in VIEWS:
        (folder / "v_a" / f"{view}.csv").write_bytes(text.encode())
    values = read_csv(folder, delimiter, sequences="v_a").values
    assert values[:, 5].tolist() == [[1, 2], [3, 4]]


def test_a_byte_order_mark_is_ignored(folder):
    expected = load(folder).values
    for file in (folder / "v_a" / "ref.csv", folder / "v_a" / "e1.csv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    np.testing.assert_array_equal(load(folder).values, expected)


# Reading invalid files


def replace(text):
    return lambda sequence: (sequence / "e1.csv").write_text(text)


def edit(line, change):
    """Change one line, counted from 1, of e1.csv."""

    def damage(sequence):
        lines = (sequence / "e1.csv").read_text().splitlines()
        lines[line - 1] = change(lines[line - 1])
        (sequence / "e1.csv").write_text("\n".join(lines) + "\n")

    return damage


def first_cell(text):
    return lambda line: ",".join([text, *line.split(",")[1:]])


DAMAGES = {
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
        r"line 7 contains '.*': expected numbers with ',' between them, and no header\. Is ';' the",
    ),
    "an empty cell": (edit(7, first_cell("")), r"e1\.csv, line 7 contains '': expected numbers"),
    "text": (edit(20, first_cell("a")), r"e1\.csv, line 20 contains 'a': expected numbers"),
    "a header": (edit(1, lambda x: "a,b,c,d,e,f,g,h"), r"line 1 contains 'a': .*and no header"),
    "a comment": (edit(3, lambda x: "#" + x), r"e1\.csv, line 3 contains '#"),
    "an underscore": (edit(3, first_cell("1_0")), r"e1\.csv, line 3 contains '1_0'"),
    "a lone dot": (edit(3, first_cell(".")), r"e1\.csv, line 3 contains '\.'"),
    "two signs": (edit(3, first_cell("--1")), r"e1\.csv, line 3 contains '--1'"),
    "two dots": (edit(3, first_cell("1.2.3")), r"e1\.csv, line 3 contains '1\.2\.3'"),
    "two numbers in one cell": (edit(3, first_cell("1 2")), r"e1\.csv, line 3 contains '1 2'"),
    "a lone exponent": (edit(3, first_cell("e5")), r"e1\.csv, line 3 contains 'e5'"),
    "a missing exponent": (edit(3, first_cell("1e")), r"e1\.csv, line 3 contains '1e'"),
    "binary content": (
        lambda s: (s / "e1.csv").write_bytes(b"\xff\x00\n" * 20),
        r"e1\.csv, line 1 contains '.*': expected numbers",
    ),
    "NaN": (edit(9, first_cell("nan")), r"e1\.csv, line 9 contains 'nan': expected finite numbers"),
    "infinity": (edit(9, first_cell(" -inf")), r"e1\.csv, line 9 contains '-inf': expected finite"),
    "beyond float32": (edit(9, first_cell("1e39")), r"line 9 contains '1e39': expected finite"),
    "beyond float64": (edit(9, first_cell("1e999")), r"line 9 contains '1e999': expected finite"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_error_names_the_file_and_the_line(folder, zip_folder, tmp_path, damage, packed):
    change, message = DAMAGES[damage]
    change(folder / "i_b")
    path = zip_folder(folder, tmp_path / "set.zip") if packed else folder
    error = FileNotFoundError if damage == "a missing view" else ValueError
    with pytest.raises(error, match=message):
        load(path)
    # Files that are not read are not checked.
    assert len(load(path, sequences=["v_a", "v_c"])) == 40


@pytest.mark.parametrize(("actual", "wanted"), permutations([";", "\t", " ", ","], 2))
def test_the_error_for_a_wrong_delimiter_names_the_likely_one(actual, wanted, tmp_path):
    folder = write_text_rows(tmp_path / "set", [["0.5", "-1.25", "3"]] * 4, actual)
    message = re.escape(f"ref.csv, line 1 has no delimiter {wanted!r} but {actual!r}")
    with pytest.raises(ValueError, match=message):
        read_csv(folder, wanted)


def test_a_wrong_delimiter_that_occurs_in_the_file_is_an_error(tmp_path):
    blanks = write_text_rows(tmp_path / "blanks", [["0.5", " 1", " 2"]])
    with pytest.raises(ValueError, match="line 1 contains '0.5,': .*Is ',' the delimiter"):
        read_csv(blanks, " ")
    commas = write_text_rows(tmp_path / "commas", [["0,5", "1,5"]], ";")
    with pytest.raises(ValueError, match="line 1 contains '5;1': .*Is ';' the delimiter"):
        read_csv(commas)
    for delimiter in ("", ",,", "1", "e", "-", "\n"):
        with pytest.raises(ValueError, match="expected one character"):
            read_csv(commas, delimiter)


# Writing


def test_numbers_are_written_as_printf_writes_them(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (50, 16, 40)) * 10.0 ** rng.integers(-7, 9, (50, 16, 40))
    ties = rng.integers(-400, 400, (50, 16, 40)) / 2.0**6  # 1/64 = 0.015625
    for k, numbers in enumerate((values, ties, values * 1e8)):
        descriptors = hk.Descriptors(numbers, ["v_a"] * 50)
        descriptors.write_csv(tmp_path / f"{k}", ";", progress=False)
        for column, view in enumerate(VIEWS):
            np.savetxt(tmp_path / "x.csv", descriptors.values[:, column], "%.5f", delimiter=";")
            written = (tmp_path / f"{k}" / "v_a" / f"{view}.csv").read_text()
            assert written == (tmp_path / "x.csv").read_text()
