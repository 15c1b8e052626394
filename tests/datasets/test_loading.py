import json
import shutil
import warnings

import numpy as np
import pytest
from files import raising

import hpatches_kit as hk
from hpatches_kit.datasets import hpatches, loading
from hpatches_kit.datasets.splits import SPLITS
from hpatches_kit.datasets.strips import write_strips


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The data folder; HPatches has two sequences, and its server cannot be reached."""
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", "http://127.0.0.1:9/nothing")  # no server
    monkeypatch.setattr("hpatches_kit._support.transfer.WAIT", 0.001)
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", ["i_ajuntament", "v_there"])
    return tmp_path / "home"


def test_a_folder_of_saved_patches_is_opened_by_its_path(patches, tmp_path):
    patches.save(tmp_path / "saved")
    np.testing.assert_array_equal(hk.load(tmp_path / "saved").noisy, patches.noisy)
    (tmp_path / "saved" / "clean.npy").unlink()
    with pytest.raises(ValueError, match=r"clean\.npy is damaged: no file"):
        hk.load(tmp_path / "saved")


@pytest.mark.parametrize("arguments", [{"source": "a.zip"}, {"seed": 0}])
def test_a_saved_set_takes_no_source_and_no_seed(patches, tmp_path, arguments):
    patches.save(tmp_path / "saved")
    with pytest.raises(hk.UserError, match="a saved patch set, takes neither source= nor seed="):
        hk.load(tmp_path / "saved", **arguments)


def test_originals_of_a_saved_set_must_be_in_it(patches, tmp_path):
    patches.save(tmp_path / "saved")
    with pytest.raises(hk.UserError, match="saved is a saved patch set without 65 px patches"):
        hk.load(tmp_path / "saved", originals=True)
    original = np.zeros((len(patches), 16, 65, 65), np.uint8)
    patches.add("original", original).save(tmp_path / "large")
    assert "original" in hk.load(tmp_path / "large", originals=True).arrays


def test_the_path_of_a_source_together_with_a_source_is_refused(zipped_release, home):
    with pytest.raises(hk.UserError, match="zipped.zip' is itself a source. Leave source= out"):
        hk.load(zipped_release, source="other.zip")


def folders_in(home):
    return sorted(child.name for child in home.iterdir() if child.is_dir())


def test_strips_in_a_zip_are_converted_once(zipped_release, home, monkeypatch):
    converted = hk.load(zipped_release)
    assert converted.lengths == {"i_ajuntament": 3, "v_there": 2}
    monkeypatch.setattr(hpatches, "convert_release", raising(AssertionError("a second time")))
    assert isinstance(hk.load(str(zipped_release)).base("clean"), np.memmap)
    assert [name.split("-")[0] for name in folders_in(home)] == ["zipped"]


def test_a_release_with_a_source_needs_no_network(release, home, monkeypatch):
    converted = hk.load("hpatches", source=release)
    monkeypatch.setattr(hpatches, "convert_release", raising(AssertionError("a second time")))
    for cached in (hk.load("hpatches"), hk.load("hpatches", source=release)):
        np.testing.assert_array_equal(cached.noisy, converted.noisy)
    assert cached.splits["a"] == SPLITS["a"]


def test_a_set_that_an_earlier_version_converted_gets_a_validation_side_without_a_conversion(
    release, home, monkeypatch
):
    shutil.copytree(release / "v_there", release / "v_colors")
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", ["i_ajuntament", "v_colors", "v_there"])
    two_sided = {
        name: {"train": split["train"] + split["validation"], "test": split["test"]}
        for name, split in SPLITS.items()
    }
    with monkeypatch.context() as patch:
        patch.setattr(hpatches, "SPLITS", two_sided)
        hk.load("hpatches", source=release)
    file = home / "hpatches" / "patches.json"
    before = file.read_bytes()
    assert "validation" not in json.loads(before)["splits"]["a"]
    monkeypatch.setattr(hpatches, "convert_release", raising(AssertionError("a second time")))
    for patches in (hk.load("hpatches"), hk.load(home / "hpatches")):
        sides = [side.names for side in patches.split("a")]
        assert sides == [["v_there"], ["v_colors"], ["i_ajuntament"]]
    assert file.read_bytes() == before


def test_a_part_of_the_release_is_stored_separately(release, zipped_release, home):
    complete = hk.load("hpatches", source=zipped_release)
    shutil.rmtree(release / "i_ajuntament")
    part = hk.load("hpatches", source=release)
    assert part.names == ["v_there"] and hk.load("hpatches").names == complete.names
    with pytest.raises(ConnectionError):
        hk.load("hpatches", home / "elsewhere", progress=False)


def test_a_release_whose_content_changed_is_converted_again(release, home, capsys):
    before = hk.load("hpatches", source=release)
    write_strips(release / "v_there", np.full((2, 16, 65, 65), 7, np.uint8))
    after = hk.load("hpatches", source=release)
    assert (after.select("v_there").clean == 7).all() and before.fingerprint != after.fingerprint
    assert "was built with fingerprint = " in capsys.readouterr().out


def test_a_source_may_be_deleted_after_the_conversion(zipped_release, home):
    converted = hk.load("hpatches", source=zipped_release)
    zipped_release.unlink()
    cached = hk.load("hpatches", source=zipped_release)
    np.testing.assert_array_equal(cached.noisy, converted.noisy)
    with pytest.raises(FileNotFoundError, match="other.zip is neither a folder nor a zip"):
        hk.load("hpatches", source=zipped_release.with_name("other.zip"))


@pytest.fixture
def course(patches, home, tmp_path, monkeypatch):
    """The release of the course: the 32 px strips of `patches`, which has all its sequences."""
    hpatches.write_release(patches, tmp_path / "course")
    monkeypatch.setattr(loading, "SEQUENCE_NAMES", patches.names)
    return tmp_path / "course"


def test_the_release_of_the_course_is_never_replaced_by_hpatches(course, patches, home):
    hk.load("n-hpatches", source=course)
    label = home / "n-hpatches" / "label.npy"
    label.write_bytes(label.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"label\.npy is damaged"):
        hk.load("n-hpatches")
    assert len(hk.load("n-hpatches", source=course)) == len(patches)


def test_the_width_of_the_strips_decides_which_release_it_is(release, patches, home, request):
    of_65_px = hk.load("n-hpatches", source=release)
    np.testing.assert_array_equal(hk.load("hpatches").noisy, of_65_px.noisy)
    course = request.getfixturevalue("course")
    hk.load("hpatches", source=course)
    assert folders_in(home) == ["hpatches", "n-hpatches"]
    np.testing.assert_array_equal(hk.load("hpatches").noisy, of_65_px.noisy)
    shutil.rmtree(course)  # the converted set opens without its source
    of_32_px = hk.load("hpatches", source=course)
    np.testing.assert_array_equal(of_32_px.select(patches.names).noisy, patches.noisy)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_an_invalid_seed_is_refused_before_the_work_starts(home, seed):
    with pytest.raises(ValueError, match="seed=.*expected a whole number, 0 or more"):
        hk.load("hpatches", seed=seed)
    assert not home.exists()


def test_sets_with_another_seed_or_originals_are_stored_separately(release, home):
    plain = hk.load("hpatches", source=release)
    seed_7 = hk.load("hpatches", source=release, seed=7)
    with_originals = hk.load("hpatches", source=release, originals=True)
    assert (seed_7.noisy != plain.noisy).any()
    assert with_originals["original"].shape[2:] == (65, 65)
    assert folders_in(home) == ["hpatches", "hpatches-original", "hpatches-seed-7"]
    assert "original" not in hk.load("hpatches").arrays


def test_n_hpatches_is_the_release_of_the_course_or_hpatches(release, patches, home, request):
    from_hpatches = hk.load("hpatches", source=release)
    with pytest.warns(UserWarning, match="not the course's own files"):
        without_course = hk.load("n-hpatches")
    np.testing.assert_array_equal(without_course.noisy, from_hpatches.noisy)
    from_course = hk.load("n-hpatches", source=request.getfixturevalue("course"))
    np.testing.assert_array_equal(from_course.select(patches.names).noisy, patches.noisy)
    assert hk.load("n-hpatches").names == from_course.names  # from now on
    assert hk.load("hpatches").names == from_hpatches.names


def test_n_hpatches_without_the_files_of_the_course_is_a_warning(release, home, request):
    hk.load("n-hpatches", source=release)
    message = "not the course's own files.*25 .ref., 25 .easy., 35 .hard. and 45 .tough. .*source="
    for _ in range(2):  # the set on disk was made here, whether or not this call made it
        with pytest.warns(UserWarning, match=message) as caught:
            hk.load("n-hpatches")
        assert caught[0].filename == __file__ and str(home / "n-hpatches") in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hk.load("hpatches")
        hk.load("n-hpatches", source=request.getfixturevalue("course"))
        hk.load("n-hpatches")


@pytest.mark.parametrize("progress", [True, False])
def test_the_warning_is_shown_before_the_progress_bars(home, monkeypatch, progress):
    monkeypatch.setattr(loading, "download_release", raising(AssertionError("the bars start")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="not the course's own files"):
            hk.load("n-hpatches", progress=progress)


@pytest.fixture
def download_server(zipped_release, home, server, monkeypatch):
    """The server that has the release."""
    monkeypatch.setenv("HPATCHES_KIT_MIRROR", f"{server.url}/course")
    server.files["hpatches-release.zip"] = zipped_release.read_bytes()
    return server


def test_a_missing_release_is_downloaded(download_server, zipped_release, home, capsys):
    patches = hk.load("hpatches")
    np.testing.assert_array_equal(patches.noisy, hk.load(zipped_release).noisy)
    file = home / "downloads" / "hpatches-release.zip"
    assert f"{file} (" in capsys.readouterr().out
    assert file.read_bytes() == zipped_release.read_bytes()
    download_server.files.clear()
    assert len(hk.load("hpatches")) == 5


def test_without_network_and_source_the_error_says_what_to_do(home):
    message = r"hpatches-release.zip: .*HPATCHES_KIT_MIRROR.* or pass its path as source="
    with pytest.raises(ConnectionError, match=message):
        hk.load("hpatches", progress=False)
    assert not (home / "hpatches").exists()


def test_a_set_of_an_older_version_is_converted_again(download_server, home, monkeypatch, capsys):
    hk.load("hpatches")
    download_server.files.clear()
    monkeypatch.setattr(hpatches, "VERSION", 99)
    assert len(hk.load("hpatches")) == 5
    assert "was built with version = 1, expected 99" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_known_names():
    message = "'maxi': expected 'mini', 'photos', 'hpatches', 'n-hpatches' or the path"
    with pytest.raises(ValueError, match=f"Unknown patch set {message}"):
        hk.load("maxi")
