"""Results at an address: uploaded after each epoch, downloaded by other machines."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_rows import DENOISED_TFEAT, TINY, UNET

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Run, engines
from hpatches_kit.experiments.remote_results import (
    UploadRun,
    download_records,
    download_run,
    local_folder,
    upload_run,
)
from hpatches_kit.experiments.trained_models import load_trained

pytestmark = pytest.mark.slow


@pytest.fixture
def address(tmp_path):
    pytest.importorskip("fsspec")
    return f"file://{tmp_path}/shared"


def use_machine(name, tmp_path, monkeypatch):
    """Keep local copies where another machine would not see them."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / name))


def test_results_at_an_address_reach_another_machine(data, tmp_path, monkeypatch, address):
    first, second = Run(UNET, data, TINY, 0), Run(UNET, data, TINY, 1)
    use_machine("one", tmp_path, monkeypatch)
    assert engines.train_run(first, address, progress=False) == "done"
    use_machine("two", tmp_path, monkeypatch)
    assert experiments.missing_runs([first, second], address) == [second]
    local = local_folder(address) / first.folder
    assert {file.name for file in local.iterdir()} == {"run.json", "log.csv"}  # without the model
    assert len(hk.callbacks.read_log(local)) == 2
    denoised = Run(DENOISED_TFEAT, data, TINY, 0)
    assert engines.train_run(denoised, address, progress=False) == "done"
    assert (local / "weights.npz").exists()  # downloaded, because a run needed it


def test_a_run_resumes_on_another_machine(data, tmp_path, monkeypatch, address, train_once):
    run = Run(UNET, data, TINY, 0)
    use_machine("one", tmp_path, monkeypatch)

    def kill_after_upload(self, epoch, logs=None):
        upload_run(self.root, self.folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(UploadRun, "on_epoch_end", kill_after_upload)
        engines.train_run(run, address, progress=False)
    use_machine("two", tmp_path, monkeypatch)
    assert engines.train_run(run, address, progress=False) == "done"
    train_once(run, tmp_path / "whole")
    resumed = load_trained(run, local_folder(address)).get_weights()
    whole = load_trained(run, tmp_path / "whole").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(resumed, whole, strict=True))
    use_machine("one", tmp_path, monkeypatch)  # which has only the first epoch
    assert experiments.missing_runs([run], address) == []
    assert len(hk.callbacks.read_log(local_folder(address) / run.folder)) == 2


def test_an_epoch_that_was_not_uploaded_is_uploaded_later(data, tmp_path, monkeypatch, address):
    run = Run(UNET, data, TINY, 0)
    use_machine("one", tmp_path, monkeypatch)

    def refuse(root):
        raise RuntimeError("no network")  # every kind of address has its own errors

    with monkeypatch.context() as patched:
        patched.setattr("hpatches_kit.experiments.remote_results._filesystem", refuse)
        with pytest.warns(UserWarning, match="Epoch . was not uploaded to file:"):
            engines.train(run, local_folder(address), False, [UploadRun(address, run.folder)])
    assert experiments.missing_runs([run], address) == [run]  # complete here only
    model = local_folder(address) / run.folder / "weights.npz"
    before = model.stat().st_mtime_ns
    assert engines.train_run(run, address, progress=False) == "done"
    assert model.stat().st_mtime_ns == before
    assert experiments.missing_runs([run], address) == []


def test_the_address_never_holds_half_a_file(data, tmp_path, monkeypatch, address, train_once):
    run = Run(UNET, data, TINY, 0)
    use_machine("one", tmp_path, monkeypatch)
    train_once(run, local_folder(address))
    assert engines.train_run(run, address, progress=False) == "done"
    whole = {file: file.read_bytes() for file in (tmp_path / "shared").rglob("*.*")}
    assert {file.suffix for file in whole} == {".zip", ".json"}

    def write_half(self, path, content, **options):
        Path(path).write_bytes(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("fsspec.implementations.local.LocalFileSystem.pipe_file", write_half)
        upload_run(address, run.folder)
    assert all(file.read_bytes() == content for file, content in whole.items())


def test_a_run_that_diverges_in_its_first_epoch_uploads_nothing(
    data, tmp_path, monkeypatch, address
):
    run = Run(replace(UNET, optimizer="SGD", learning_rate=1e30, loss="mse"), data, TINY, 0)
    use_machine("one", tmp_path, monkeypatch)
    for _ in range(2):
        assert "not finite in epoch 1" in engines.train_run(run, address, progress=False)
    assert not list((tmp_path / "shared").rglob("*.zip"))


def write_archive(tmp_path, names):
    """Write an archive of a run to the address, as a stranger could."""
    file = tmp_path / "shared" / "row" / "run.zip"
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "epoch,loss\n0,1.0\n")
    return file


@pytest.mark.parametrize("name", ["../../evil.txt", "{tmp_path}/evil.txt", "log.csv/../../evil"])
def test_an_archive_cannot_write_outside_the_folder_of_its_run(
    name, tmp_path, monkeypatch, address
):
    use_machine("one", tmp_path, monkeypatch)
    write_archive(tmp_path, ["log.csv", name.format(tmp_path=tmp_path)])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="row-run.zip .* inside the zip"):
        download_run(address, "row/run")
    assert [file for file in sorted(tmp_path.rglob("*")) if file not in before] == []


def test_an_archive_without_a_log_is_an_error(tmp_path, monkeypatch, address):
    use_machine("one", tmp_path, monkeypatch)
    write_archive(tmp_path, ["run.json"])
    with pytest.raises(ValueError, match="row/run.zip holds no log.csv"):
        download_run(address, "row/run")


def test_a_sound_archive_is_unpacked(tmp_path, monkeypatch, address):
    use_machine("one", tmp_path, monkeypatch)
    write_archive(tmp_path, ["log.csv", "settings.json"])
    download_run(address, "row/run")
    local = local_folder(address) / "row" / "run"
    assert {file.name for file in local.iterdir()} == {"log.csv", "settings.json"}


@pytest.mark.parametrize("name", ["model.keras", "evil.sh", "sub/run.json", "x.keras"])
def test_only_the_files_of_a_run_are_unpacked(name, tmp_path, monkeypatch, address):
    use_machine("one", tmp_path, monkeypatch)
    write_archive(tmp_path, ["log.csv", name])
    with pytest.raises(ValueError, match="row/run.zip (holds '|is of an earlier version)"):
        download_run(address, "row/run")
    assert not (local_folder(address) / "row" / "run").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "run.json is not a record and its log"),
        (b'{"log": 3}', "'log' is of another type"),
        (b" " * 2000, "run.json has more than 1.0 kB"),
    ],
)
def test_a_record_at_an_address_is_checked(content, message, tmp_path, monkeypatch, address):
    use_machine("one", tmp_path, monkeypatch)
    monkeypatch.setattr("hpatches_kit.experiments.remote_results.LIMIT", 1000)
    (tmp_path / "shared" / "row").mkdir(parents=True)
    (tmp_path / "shared" / "row" / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        download_records(address, ["row/run"])


def test_an_archive_that_is_too_large_is_not_downloaded(tmp_path, monkeypatch, address):
    use_machine("one", tmp_path, monkeypatch)
    write_archive(tmp_path, ["log.csv"])
    monkeypatch.setattr("hpatches_kit.experiments.remote_results.LARGEST", 100)
    with pytest.raises(ValueError, match="row/run.zip has more than 100 bytes"):
        download_run(address, "row/run")
