import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.datasets import builtin
from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches import scenes


def test_no_photograph_is_in_both_training_and_test(mini):
    train, test = mini.split()
    photographs = [{name.split("_")[1] for name in part.names} for part in (train, test)]
    assert photographs[0].isdisjoint(photographs[1])
    assert len(train) + len(test) == len(mini)
    assert set(train.label).isdisjoint(test.label)


def test_every_photograph_gives_several_sequences_of_both_kinds(mini):
    for name in {name.split("_")[1] for name in mini.names}:
        kinds = [sequence[0] for sequence in mini.names if sequence.split("_")[1] == name]
        assert kinds.count("v") >= 2 and kinds.count("i") >= 2


def test_textures_give_less_than_15_percent_of_the_points(mini):
    photographs = [name.split("_")[1] for name in mini.sequence]
    assert 0 < np.isin(photographs, builtin.TEXTURES["train"]).mean() < 0.15


def test_a_place_has_the_same_label_in_all_sequences_of_its_photograph(mini):
    labels, count = np.unique(mini.label, return_counts=True)
    shared = labels[count > 1]
    assert len(shared) > 500
    for label in shared[::50]:
        rows = np.flatnonzero(mini.label == label)
        assert len(set(mini.sequence[rows])) == len(rows)  # at most once per sequence
        assert len({name.split("_")[1] for name in mini.sequence[rows]}) == 1
        reference = mini.clean[rows, 0]  # image 1 is the photograph in every sequence
        assert (reference == reference[0]).all()


def test_different_labels_of_a_photograph_have_different_reference_patches(mini):
    camera = mini.select([name for name in mini.names if "camera" in name])
    _, rows = np.unique(camera.label, return_index=True)
    references = camera.clean[rows, 0].reshape(len(rows), -1)
    assert len(np.unique(references, axis=0)) == len(rows)


@pytest.fixture
def two_photographs(monkeypatch):
    monkeypatch.setattr(builtin, "SCENES", {"train": ["coins"], "test": ["chelsea"]})
    monkeypatch.setattr(builtin, "TEXTURES", {"train": ["gravel"], "test": []})
    size = builtin.BuiltinSize(viewpoint=1, lighting=1, points=20, texture_points=6)
    monkeypatch.setitem(builtin.BUILTIN, "mini", size)


@pytest.mark.slow
def test_the_cache_is_used_until_the_size_changes(two_photographs, tmp_path, monkeypatch):
    built = hk.load("mini", tmp_path)
    points = {"coins": 20, "gravel": 6, "chelsea": 20}
    assert built.lengths == {f"{k}_{n}_1": count for n, count in points.items() for k in "vi"}
    with monkeypatch.context() as patch:
        patch.setattr(builtin, "build", None)  # a second build would fail
        np.testing.assert_array_equal(built.noisy, hk.load("mini", tmp_path).noisy)
    monkeypatch.setitem(builtin.BUILTIN, "mini", builtin.BuiltinSize(1, 1, 10, 6))
    assert hk.load("mini", tmp_path).lengths["v_coins_1"] == 10


@pytest.mark.slow
def test_the_same_seed_builds_the_same_patches(two_photographs):
    size = builtin.BUILTIN["mini"]
    first, second = (builtin.build(size, progress=False) for _ in range(2))
    np.testing.assert_array_equal(first.clean, second.clean)
    np.testing.assert_array_equal(first.noisy, second.noisy)
    np.testing.assert_array_equal(first.label, second.label)


@pytest.mark.parametrize("name", ["mini", "photos"])
@pytest.mark.parametrize("arguments", [{"source": "a.zip"}, {"seed": 0}])
def test_a_source_or_seed_is_refused(name, arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "build", None)  # no work is done
    with pytest.raises(
        hk.UserError, match=f"built-in patch set '{name}' takes neither source= nor"
    ):
        hk.load(name, tmp_path, **arguments)


def test_a_failed_build_leaves_no_cache(two_photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "noisy_and_clean", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hk.load("mini", tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == [".mini.lock"]


def test_photographs_are_grey_and_at_most_1000_pixels_long():
    parts = [*builtin.SCENES.values(), *builtin.TEXTURES.values()]
    for name in [name for part in parts for name in part]:
        image = photograph(name)
        assert image.ndim == 2 and 150 < min(image.shape) and max(image.shape) <= 1000
        assert image.min() >= 0 and 100 < image.max() <= 255
