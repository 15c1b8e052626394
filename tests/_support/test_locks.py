"""Locks between processes."""

import errno

import pytest

from hpatches_kit._support import locks
from hpatches_kit._support.locks import locked


def failing_with(error):
    def acquire(*_, **__):
        raise error

    return acquire


def test_a_lock_is_not_waited_for_if_wait_is_false(tmp_path):
    with locked(tmp_path / "a") as first, locked(tmp_path / "a", wait=False) as second:
        assert first and not second
    with locked(tmp_path / "a", wait=False) as third:
        assert third


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks"), NotImplementedError()])
def test_on_a_file_system_without_locks_work_continues_unlocked(tmp_path, monkeypatch, error):
    monkeypatch.setattr(locks.FileLock, "acquire", failing_with(error))
    with locked(tmp_path / "a") as held:
        assert held is None


def test_a_folder_that_is_not_writable_is_named_with_the_variable_that_changes_it(
    tmp_path, monkeypatch
):
    read_only = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(locks.FileLock, "acquire", failing_with(read_only))
    words = r"a cannot be written: Read-only.*\$HPATCHES_KIT_DATA"
    with pytest.raises(OSError, match=words), locked(tmp_path / "a"):
        pass
