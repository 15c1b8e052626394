"""Locks between processes."""

import errno

import pytest
from files import raising

from hpatches_kit._support import locks
from hpatches_kit._support.errors import UserError
from hpatches_kit._support.locks import locked


def test_a_lock_is_not_waited_for_if_wait_is_false(tmp_path):
    with locked(tmp_path / "a") as first, locked(tmp_path / "a", wait=False) as second:
        assert first and not second
    with locked(tmp_path / "a", wait=False) as third:
        assert third


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks"), NotImplementedError()])
def test_on_a_file_system_without_locks_work_continues_unlocked(tmp_path, monkeypatch, error):
    monkeypatch.setattr(locks.FileLock, "acquire", raising(error))
    with locked(tmp_path / "a") as held:
        assert held is None


def test_the_error_for_a_read_only_folder_names_the_variable_to_set(tmp_path, monkeypatch):
    read_only = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(locks.FileLock, "acquire", raising(read_only))
    words = r"a cannot be written: Read-only.*\$HPATCHES_KIT_DATA"
    with pytest.raises(OSError, match=words), locked(tmp_path / "a"):
        pass


def test_a_lock_file_that_is_a_link_is_not_emptied(tmp_path):
    (tmp_path / "thesis").write_text("years")
    (tmp_path / ".a.lock").symlink_to(tmp_path / "thesis")
    with pytest.raises(UserError, match="lock is a link"), locked(tmp_path / "a"):
        pass
    assert (tmp_path / "thesis").read_text() == "years"
