import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.datasets import builtin as builder
from hpatches_kit.patches import scenes as scenes


def test_no_photograph_is_on_both_sides(mini):
    train, test = mini.split()
    photographs = [{name.split("_")[1] for name in side.names} for side in (train, test)]
    assert photographs[0].isdisjoint(photographs[1])
    assert len(train) + len(test) == len(mini)
    assert set(train.label).isdisjoint(test.label)


def test_every_photograph_gives_several_sequences_of_both_kinds(mini):
    for name in {name.split("_")[1] for name in mini.names}:
        kinds = [sequence[0] for sequence in mini.names if sequence.split("_")[1] == name]
        assert kinds.count("v") >= 2 and kinds.count("i") >= 2


def test_textures_do_not_crowd_out_scenes(mini):
    of_textures = sum(
        length
        for name, length in mini.lengths.items()
        if name.split("_")[1] in builder.TEXTURES["train"]
    )
    assert 0 < of_textures < 0.15 * len(mini)


def test_one_place_has_one_label_in_all_sequences_of_its_photograph(mini):
    labels, count = np.unique(mini.label, return_counts=True)
    shared = labels[count > 1]
    assert len(shared) > 500
    for label in shared[::50]:
        rows = np.flatnonzero(mini.label == label)
        assert len(set(mini.sequence[rows])) == len(rows)  # never twice in one sequence
        assert len({name.split("_")[1] for name in mini.sequence[rows]}) == 1
        reference = mini.clean[rows, 0]  # image 1 is the photograph in all of them
        assert (reference == reference[0]).all()


def test_different_labels_of_a_photograph_are_different_references(mini):
    camera = mini.select([name for name in mini.names if "camera" in name])
    _, first = np.unique(camera.label, return_index=True)
    references = camera.clean[first, 0].reshape(len(first), -1)
    assert len(np.unique(references, axis=0)) == len(first)


@pytest.fixture
def two_photographs(monkeypatch):
    monkeypatch.setattr(builder, "SCENES", {"train": ["coins"], "test": ["chelsea"]})
    monkeypatch.setattr(builder, "TEXTURES", {"train": ["gravel"], "test": []})
    recipe = builder.Recipe(viewpoint=1, lighting=1, points=20, texture_points=6)
    monkeypatch.setitem(builder.RECIPES, "mini", recipe)


def test_the_cache_is_used_and_a_new_recipe_builds_anew(two_photographs, tmp_path, monkeypatch):
    one = hk.load("mini", tmp_path)
    expected = {"coins": 20, "gravel": 6, "chelsea": 20}
    assert one.lengths == {f"{k}_{n}_1": count for n, count in expected.items() for k in "vi"}
    with monkeypatch.context() as patch:
        patch.setattr(builder, "build", None)  # opening must not build
        np.testing.assert_array_equal(one.noisy, hk.load("mini", tmp_path).noisy)
    monkeypatch.setitem(builder.RECIPES, "mini", builder.Recipe(1, 1, 10, 6))
    assert hk.load("mini", tmp_path).lengths["v_coins_1"] == 10


def test_the_same_seed_builds_the_same_patches(two_photographs):
    recipe = builder.RECIPES["mini"]
    one, again = (builder.build(recipe, progress=False) for _ in range(2))
    np.testing.assert_array_equal(one.clean, again.clean)
    np.testing.assert_array_equal(one.noisy, again.noisy)
    np.testing.assert_array_equal(one.label, again.label)


def test_a_failing_build_leaves_no_cache(two_photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "noisy_and_clean", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hk.load("mini", tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == [".mini.lock"]


def test_photographs_are_grey_and_of_ordinary_size():
    for name in [
        n for group in (builder.SCENES, builder.TEXTURES) for side in group.values() for n in side
    ]:
        image = builder.photograph(name)
        assert image.ndim == 2 and 150 < min(image.shape) and max(image.shape) <= 1000
        assert image.min() >= 0 and 100 < image.max() <= 255
