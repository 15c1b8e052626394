"""Fixtures for tests of downloads."""

import pytest

from hpatches_kit._support import transfer
from hpatches_kit._support.downloads import download


@pytest.fixture
def fast_retries(monkeypatch):
    """No waiting between tries, small chunks, and no mirror."""
    monkeypatch.setattr(transfer, "WAIT", 0.001)
    monkeypatch.setattr(transfer, "CHUNK", 5000)
    monkeypatch.delenv("HPATCHES_KIT_MIRROR", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def get(fast_retries, server, tmp_path):
    """A function that downloads x.bin, and checks that its bytes are those of the server."""

    def get(**options):
        file = download(f"{server.url}/x.bin", tmp_path / "x.bin", progress=False, **options)
        assert file.read_bytes() == server.files["x.bin"]
        return file

    return get
