"""The releases of HPatches: names, addresses, and zip files that are wrong."""

import hashlib
import io
import json
import zipfile

import pytest
from files import file_names
from web_server import PAGE

from hpatches_kit._support.errors import UserError
from hpatches_kit.datasets.releases import check_zip, download_release


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch):
    monkeypatch.delenv("HPATCHES_KIT_MIRROR", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


def zip_bytes():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("v_a/ref.png"), bytes(5000))  # without a date
    return stream.getvalue()


def test_a_release_is_downloaded_into_the_downloads_of_the_data_folder(
    server, tmp_path, monkeypatch
):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path))
    server.files["hpatches-sequences-release.zip"] = zip_bytes()
    file = download_release("sequences", progress=False)
    assert file == tmp_path / "downloads" / "hpatches-sequences-release.zip"
    assert file.read_bytes() == zip_bytes()


def test_a_release_is_downloaded_from_the_endpoint_of_hugging_face(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    server.files["hpatches-release.zip"] = zip_bytes()
    assert download_release("hpatches", tmp_path, progress=False).read_bytes() == zip_bytes()
    path = "/datasets/vbalnt/hpatches/resolve/main/hpatches-release.zip"
    assert [request.path for request in server.requests] == [path]


def test_a_login_page_is_not_accepted_as_a_zip(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", server.url)
    server.default_fault = {"page": True}
    words = "hpatches-release.zip is not a zip file; it begins with '<!DOCTYPE html>'. The download"
    with pytest.raises(UserError, match=words):
        download_release("hpatches", tmp_path, progress=False)
    assert file_names(tmp_path) == []


def test_a_truncated_zip_is_reported_as_cut_off(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_bytes()[:-30])
    with pytest.raises(UserError, match="is a zip file that is cut off"):
        check_zip(tmp_path / "x.zip")


def test_a_zip_that_the_user_put_there_is_used_and_recorded(tmp_path):
    (tmp_path / "hpatches-release.zip").write_bytes(zip_bytes())
    (tmp_path / "hpatches-release.zip.json").write_text('{"somebody": "else"}')
    file = download_release("hpatches", tmp_path)
    record = json.loads(file.with_name(f"{file.name}.json").read_text())
    assert record["url"] is None and record["sha256"] == hashlib.sha256(zip_bytes()).hexdigest()


def test_a_wrong_file_that_the_user_put_there_is_reported_and_kept(tmp_path):
    (tmp_path / "hpatches-release.zip").write_bytes(PAGE)
    with pytest.raises(UserError, match="is not a zip file; .* Delete or replace this file"):
        download_release("hpatches", tmp_path)
    assert (tmp_path / "hpatches-release.zip").read_bytes() == PAGE


def test_an_unknown_release_is_refused(tmp_path):
    words = "Unknown release 'patches': expected 'hpatches' or 'sequences'."
    with pytest.raises(UserError, match=words):
        download_release("patches", tmp_path)
