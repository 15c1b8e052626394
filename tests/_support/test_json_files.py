"""JSON files: whatever is in them, the error names the file and what it should be."""

import pytest

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.json_files import read_json


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is not valid JSON"),
        (b"no json", "it is not valid JSON"),
        (b'{"a": "\xff"}', "it is not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "it is not valid JSON"),
        (b"[1]", "expected an object"),
        (b"[" * 100_000, "it has too many levels"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "it has more than 32 levels"),
        (b"{}", "'format' is missing, expected a whole number"),
        (b'{"format": "x"}', "'format' is of another type, expected a whole number"),
    ],
    ids=range(9),
)
def test_other_content_is_refused(content, message, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.json is not a test file: {message}"):
        read_json(tmp_path / "a.json", "a test file", {"format": int})


def test_an_object_is_read(tmp_path):
    (tmp_path / "a.json").write_text('{"format": 3, "names": ["x"]}')
    content = read_json(tmp_path / "a.json", "a test file", {"format": int, "names": list})
    assert content == {"format": 3, "names": ["x"]}


def test_a_large_file_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 2000 + '"}')
    with pytest.raises(UserError, match=r"a\.json has 2,009 bytes: expected at most 1\.0 kB"):
        read_json(tmp_path / "a.json", "a test file", limit=1000)
