"""Dealing patches: what participants get, what the key holds, and what is refused."""

import runpy
import shutil
import zipfile

import nbformat
import numpy as np
import pytest
from PIL import Image
from submissions import SECRET, make_challenge
from tiny_photographs import write_photograph
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.course.challenge.dealing.builtin_sequences import copied_sequence
from hpatches_kit.course.challenge.dealing.halves import public_sequences
from hpatches_kit.course.challenge.dealing.key_files import load_key
from hpatches_kit.course.challenge.dealing.secret_order import (
    control_pairs,
    dealt_rows,
    secret_name,
    secret_order,
    undo,
)
from hpatches_kit.datasets.own_photographs import find_scenes
from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches.scenes import extract_scenes


def test_a_secret_order_is_a_permutation_that_depends_on_the_secret_and_the_purpose():
    order = secret_order(SECRET, "rows", 1000)
    assert sorted(order) == list(range(1000))
    for other in (secret_order(b"x" * 32, "rows", 1000), secret_order(SECRET, "halves", 1000)):
        assert (order == other).mean() < 0.02
    # A key has to give the same order in every version of NumPy and of the kit.
    assert secret_order(SECRET, "rows", 8).tolist() == [0, 4, 6, 2, 5, 3, 1, 7]


def test_names_on_the_page_differ_for_all_names_of_files():
    names = ["?", "\udcff", "\udcfe", "a", "ä"]
    assert len({secret_name(SECRET, name) for name in names}) == len(names)


def test_dealt_rows_hold_every_patch_once_and_the_controls_twice():
    rows = dealt_rows(SECRET, 30)
    patches, count = np.unique(rows, return_counts=True)
    assert patches.tolist() == list(range(480)) and (count == 2).sum() == 16
    pairs = control_pairs(rows)
    assert pairs.shape == (16, 2) and (rows[pairs[:, 0]] == rows[pairs[:, 1]]).all()
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_undo_brings_descriptors_back_into_the_order_of_the_points():
    rows = dealt_rows(SECRET, 30)
    values = undo(np.stack([rows, 2 * rows], axis=1).astype(np.float32), rows, 30)
    assert values.shape == (30, 16, 2)
    np.testing.assert_array_equal(values[:, :, 0].ravel(), np.arange(480))


def test_the_position_of_a_row_tells_neither_its_point_nor_its_view():
    rows = dealt_rows(SECRET, 500)
    position = np.arange(len(rows))
    for hidden in (rows, rows // 16, rows % 16):
        assert abs(np.corrcoef(position, hidden)[0, 1]) < 0.05


def test_the_kit_holds_patches_and_texts_but_no_label_and_no_name(challenge):
    kit = challenge.folder / "kit"
    assert sorted(file.name for file in kit.iterdir()) == [
        "RULES.md",
        "make_submission.ipynb",
        "make_submission.py",
        "patches.npz",
    ]
    assert zipfile.ZipFile(kit / "patches.npz").namelist() == ["patches.npy"]
    key, patches = challenge.key, challenge.patches
    assert patches.shape == (1040, 32, 32) and patches.dtype == np.uint8
    np.testing.assert_array_equal(patches, key.patches.reshape(-1, 32, 32)[key.rows])
    for text in (kit / "RULES.md", kit / "make_submission.py"):
        content = text.read_text()
        assert "photo0" not in content and key.challenge in content
    assert "`uint8 (1040, 32, 32)`" in (kit / "RULES.md").read_text()


def test_the_key_is_private_and_is_read_back(challenge):
    file = challenge.folder / "key.npz"
    assert file.stat().st_mode & 0o777 == 0o600
    key = load_key(file)
    assert (key.title, key.kind, key.secret) == ("Descriptor challenge", "noisy", SECRET)
    np.testing.assert_array_equal(key.patches, hk.load(challenge.folder / "set").noisy)
    np.testing.assert_array_equal(key.rows, challenge.key.rows)
    assert key.challenge == challenge.key.challenge
    assert key.names_of("public") + key.names_of("private") != key.names
    assert sorted(key.names_of("public") + key.names_of("private")) == sorted(key.names)


def test_the_example_script_writes_a_valid_submission(challenge, tmp_path, capsys):
    kit = shutil.copytree(challenge.folder / "kit", tmp_path / "kit")
    runpy.run_path(str(kit / "make_submission.py"))
    assert "1,040 patches: hand in both" in capsys.readouterr().out
    files = kit / "submission.npz", kit / "submission.json"
    values, fields = hk.course.challenge.check_submission(*files, 1040, challenge.key.challenge)
    np.testing.assert_array_equal(values, hk.baselines.resized(challenge.patches))
    assert fields["name"] == "example"


def test_the_example_notebook_writes_the_submission_of_the_script(challenge, tmp_path, monkeypatch):
    kit = shutil.copytree(challenge.folder / "kit", tmp_path / "kit")
    runpy.run_path(str(kit / "make_submission.py"))
    names = "submission.npz", "submission.json"
    expected = [(kit / name).read_bytes() for name in names]
    for name in names:
        (kit / name).unlink()
    notebook = nbformat.read(kit / "make_submission.ipynb", as_version=4)
    nbformat.validate(notebook)
    monkeypatch.chdir(kit)
    codes = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    exec("\n".join(codes), {})
    assert [(kit / name).read_bytes() for name in names] == expected


def test_the_sequences_of_a_photograph_are_in_one_half():
    names = [f"{kind}_{name}_{k}" for name in "abcde" for kind in "vi" for k in (1, 2)]
    public = public_sequences(names, SECRET)
    photographs = {name[2] for name in public}
    assert len(photographs) == 2  # the private half, which ranks, gets the odd one
    assert public == [name for name in names if name[2] in photographs]


def test_both_halves_have_viewpoint_and_illumination_sequences():
    names = [f"v_{k}" for k in "abcdef"] + [f"i_{k}" for k in "ghij"]
    public = public_sequences(names, SECRET)
    assert [sum(name[0] == kind for name in public) for kind in "vi"] == [3, 2]


def test_fewer_than_four_photographs_are_refused(tmp_path):
    toy_patches({f"v_photo{k}_1": 5 for k in range(3)}).save(tmp_path / "set")
    with pytest.raises(hk.UserError, match="show 3 photographs .* expected 4 or more"):
        hk.course.challenge.make(tmp_path / "set", tmp_path / "kit", tmp_path / "key")
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_too_few_photographs_are_refused_before_patches_are_cut(tmp_path, monkeypatch):
    for name in ("coins", "hopper", "brick"):
        write_photograph(tmp_path / "photos" / f"my {name}.png", name)
    cut = []
    monkeypatch.setattr(
        "hpatches_kit.course.challenge.dealing.sources.extract_scenes",
        lambda *arguments, **options: cut.append(arguments),
    )
    with pytest.raises(hk.UserError, match="show 3 photographs .* expected 4 or more"):
        hk.course.challenge.make(tmp_path / "photos", tmp_path / "kit", tmp_path / "key")
    assert cut == [] and [file.name for file in tmp_path.iterdir()] == ["photos"]


def test_own_photographs_become_a_challenge_that_nobody_can_cut_again(tmp_path, capsys):
    for k, name in enumerate(["coffee", "coins", "hopper", "brick"]):
        write_photograph(tmp_path / "photos" / f"photo{k}.png", name)
    options = {"points": 4, "viewpoint": 1, "lighting": 0, "progress": False}
    keys = [
        hk.course.challenge.make(
            tmp_path / "photos", tmp_path / f"kit{k}", tmp_path / f"key{k}", **options
        )
        for k in range(2)
    ]
    assert all(key.names == [f"v_photo{k}_1" for k in range(4)] for key in keys)
    # The secret also decides viewpoints, points and noise: with the photograph alone, nobody has
    # the same pixels.
    first, second = (set(map(bytes, key.patches.reshape(-1, 1024))) for key in keys)
    assert not first & second
    assert "HPatches" not in capsys.readouterr().out


def test_patches_of_hpatches_are_dealt_with_a_warning(tmp_path, capsys):
    names = ["v_wall", "v_bark", "i_dc", "i_ski"]
    toy_patches({name: 5 for name in names}).save(tmp_path / "set")
    hk.course.challenge.make(tmp_path / "set", tmp_path / "kit", tmp_path / "key.npz", points=3)
    assert "anybody can download" in capsys.readouterr().out
    assert load_key(tmp_path / "key.npz").patches.shape[0] == 12


@pytest.mark.parametrize("name", ["mini", "photos"])
def test_a_built_in_set_is_refused(name, tmp_path):
    with pytest.raises(hk.UserError, match=f"'{name}' consists of built-in photographs: everybody"):
        hk.course.challenge.make(name, tmp_path / "kit", tmp_path / "key")


def test_a_built_in_photograph_is_refused_under_any_name_before_anything_is_written(tmp_path):
    for k, name in enumerate(["coins", "hopper", "brick"]):
        write_photograph(tmp_path / "photos" / f"photo{k}.png", name)
    image = Image.fromarray(photograph("coffee").astype(np.uint8))
    image.resize((220, 150)).save(tmp_path / "photos" / "my-holiday.jpg", quality=50)
    with pytest.raises(hk.UserError, match="my-holiday.jpg shows the built-in photograph 'coffee'"):
        hk.course.challenge.make(tmp_path / "photos", tmp_path / "kit", tmp_path / "key")
    assert [file.name for file in tmp_path.iterdir()] == ["photos"]


def test_a_saved_set_of_built_in_photographs_is_refused_but_not_one_with_such_a_name(tmp_path):
    Image.fromarray(photograph("coins").astype(np.uint8)).save(tmp_path / "coins.png")
    scenes = find_scenes([tmp_path], viewpoint=1, lighting=0, points=20, seed=0)
    assert copied_sequence(extract_scenes(scenes, progress=False)) == "v_coins_1"
    assert copied_sequence(toy_patches({"v_coins_1": 20})) is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("kit", "kit/key.npz"), "would lie in"),
        (("kit", "kit"), "would lie in"),
        (("set", "key.npz"), "set already contains"),
        (("kit", "old.npz"), "old.npz already exists: choose another name"),
        (("old.npz", "key.npz"), "old.npz is a file"),
        (("kit", "set"), "set is a folder"),
        (("kit", "link.npz"), "link.npz is a link"),
        (("link", "key.npz"), "link is a link"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_before_the_work(
    names, message, tmp_path, monkeypatch
):
    (tmp_path / "old.npz").write_bytes(b"the key of a running challenge")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "work.txt").touch()
    (tmp_path / "link.npz").symlink_to(tmp_path / "not there")
    (tmp_path / "link").symlink_to(tmp_path / "not there")
    monkeypatch.setattr("hpatches_kit.course.challenge.dealing.making.find_patches", None)
    out, key = (tmp_path / name for name in names)
    with pytest.raises((hk.UserError, FileExistsError), match=message):
        hk.course.challenge.make("photos", out, key)
    assert (tmp_path / "old.npz").read_bytes() == b"the key of a running challenge"


def test_a_kit_that_cannot_be_written_leaves_no_key(tmp_path, monkeypatch):
    monkeypatch.setattr("hpatches_kit.course.challenge.dealing.making.write_kit", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_challenge(tmp_path, monkeypatch)
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_a_file_that_is_not_a_key_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.npz is missing"):
        load_key(tmp_path / "nothing.npz")
    with pytest.raises(hk.UserError, match="is a folder: expected the key of a challenge"):
        load_key(tmp_path)
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    (tmp_path / "text.npz").write_text("x")
    for name in ("other", "text"):
        with pytest.raises(hk.UserError, match=f"{name}.npz is damaged or is not the key"):
            load_key(tmp_path / f"{name}.npz")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("format", np.array(2), "has format 2: expected 1. Score with the version"),
        (
            "secret",
            np.zeros(31, np.uint8),
            r"'secret' is uint8 \(31,\), expected the shape \(32,\)",
        ),
        ("label", np.zeros(3, int), "its array 'label' is int64 .3,., expected the shape .64,."),
        ("patches", np.zeros((64, 16, 65, 65), np.uint8), "expected the shape .64, 16, 32, 32."),
        ("flat", np.zeros(64), "its array 'flat' is float64"),
        ("public", np.array("v_photo0_1"), "its array 'public'"),
        ("label", None, "it has no label"),
    ],
)
def test_a_key_with_another_array_is_refused(name, array, message, challenge, tmp_path):
    arrays = dict(np.load(challenge.folder / "key.npz")) | {name: array}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    np.savez(tmp_path / "key.npz", **arrays)
    with pytest.raises(hk.UserError, match=rf"key\.npz .*{message}"):
        load_key(tmp_path / "key.npz")
