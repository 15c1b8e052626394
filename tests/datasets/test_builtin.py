from itertools import combinations

import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.datasets import builtin
from hpatches_kit.images.builtin import photograph
from hpatches_kit.patches import scenes
from hpatches_kit.patches.overlap import photograph_of


def photographs_of(patches):
    return {photograph_of(name) for name in patches.names}


def test_no_photograph_is_on_two_of_the_three_sides(mini):
    sides = mini.split()
    assert [sorted(photographs_of(side)) for side in sides] == [
        sorted(builtin.SCENES["train"] + builtin.TEXTURES),
        builtin.SCENES["validation"],
        builtin.SCENES["test"],
    ]
    assert sum(map(len, sides)) == len(mini)
    for first, second in combinations(sides, 2):
        assert not first.shared(second) and set(first.label).isdisjoint(second.label)


def test_every_photograph_gives_as_many_sequences_of_either_kind(mini):
    for side, count in zip(mini.split(), (2, 1, 1)):
        for name in photographs_of(side):
            kinds = [s[0] for s in side.names if photograph_of(s) == name]
            assert kinds.count("v") == kinds.count("i") == count


def test_sequences_of_validation_and_test_have_300_points(mini):
    _, validation, test = mini.split()
    assert set(validation.lengths.values()) == set(test.lengths.values()) == {300}


def test_textures_give_less_than_20_percent_of_the_training_points(mini):
    train = mini.split()[0]
    photographs = [photograph_of(name) for name in train.sequence]
    assert 0 < np.isin(photographs, builtin.TEXTURES).mean() < 0.2


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
def four_photographs(monkeypatch):
    scenes = {"train": ["coins"], "validation": ["coffee"], "test": ["chelsea"]}
    monkeypatch.setattr(builtin, "SCENES", scenes)
    monkeypatch.setattr(builtin, "TEXTURES", ["gravel"])
    monkeypatch.setattr(builtin, "FEWEST_POINTS", 8)
    monkeypatch.setitem(builtin.BUILTIN, "mini", builtin.BuiltinSize(1, 1, 20, 6, 1, 8))


@pytest.mark.slow
def test_the_cache_holds_what_is_built_again_and_is_used_until_the_size_changes(
    four_photographs, tmp_path, monkeypatch
):
    built = hk.load("mini", tmp_path)
    points = {"coins": 20, "gravel": 6, "coffee": 8, "chelsea": 8}
    assert built.lengths == {f"{k}_{n}_1": count for n, count in points.items() for k in "vi"}
    with monkeypatch.context() as patch:
        patch.setattr(builtin, "build", None)  # a second build would fail
        np.testing.assert_array_equal(built.noisy, hk.load("mini", tmp_path).noisy)
    again = builtin.build(builtin.BUILTIN["mini"], progress=False)
    for name in ("clean", "noisy", "label"):
        np.testing.assert_array_equal(getattr(again, name), getattr(built, name))

    def build(size, *args, **options):
        sizes.append(size)
        return again

    sizes, smaller = [], builtin.BuiltinSize(1, 1, 10, 6, 1, 8)
    monkeypatch.setattr(builtin, "build", build)
    monkeypatch.setitem(builtin.BUILTIN, "mini", smaller)
    hk.load("mini", tmp_path)
    assert sizes == [smaller]


def test_a_test_photograph_with_too_few_points_is_an_error_and_leaves_no_cache(
    four_photographs, tmp_path, monkeypatch
):
    monkeypatch.setattr(builtin, "SCENES", {"train": [], "validation": [], "test": ["clock"]})
    monkeypatch.setattr(builtin, "TEXTURES", [])
    monkeypatch.setattr(builtin, "FEWEST_POINTS", 300)
    message = r"clock gives \d+ points in the sequence v_clock_1: expected 300 or more"
    with pytest.raises(hk.UserError, match=message):
        hk.load("mini", tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == [".mini.lock"]


@pytest.mark.parametrize("name", ["mini", "photos"])
@pytest.mark.parametrize("arguments", [{"source": "a.zip"}, {"seed": 0}])
def test_a_source_or_seed_is_refused(name, arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(builtin, "build", None)  # no work is done
    with pytest.raises(
        hk.UserError, match=f"built-in patch set '{name}' takes neither source= nor"
    ):
        hk.load(name, tmp_path, **arguments)


def test_a_failed_build_leaves_no_cache(four_photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "noisy_and_clean", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hk.load("mini", tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == [".mini.lock"]


def test_photographs_are_grey_and_at_most_1000_pixels_long():
    for name in sum([*builtin.SCENES.values(), builtin.TEXTURES], []):
        image = photograph(name)
        assert image.ndim == 2 and 150 < min(image.shape) and max(image.shape) <= 1000
        assert image.min() >= 0 and 100 < image.max() <= 255
