"""The small challenge that the tests of this folder share."""

from types import SimpleNamespace

import pytest
from submissions import dealt_patches, make_challenge


@pytest.fixture(scope="session")
def challenge(tmp_path_factory):
    """A challenge on disk: its `folder`, its `key` and its dealt `patches`."""
    folder = tmp_path_factory.mktemp("challenge")
    with pytest.MonkeyPatch.context() as monkeypatch:
        key = make_challenge(folder, monkeypatch)
    return SimpleNamespace(folder=folder, key=key, patches=dealt_patches(folder))
