import numpy as np
import pytest
from conftest import toy_patches

import hpatches_kit as hk
from hpatches_kit.batches import NoisyClean, Pairs, Triplets


def where(patches, kind):
    """From the bytes of a patch to its point and view."""
    return {
        patches[kind][point, view].tobytes(): (point, view)
        for point in range(len(patches))
        for view in range(16)
    }


def test_noisy_and_clean_show_the_same_patch_and_an_epoch_shows_each_once(patches):
    batches = NoisyClean(patches, batch_size=32)
    assert len(batches) == 20 * 16 // 32
    noisy_at, clean_at, seen = where(patches, "noisy"), where(patches, "clean"), []
    for k in range(len(batches)):
        noisy, clean = batches[k]
        assert noisy.shape == clean.shape == (32, 32, 32, 1) and noisy.dtype == np.uint8
        here = [noisy_at[patch.tobytes()] for patch in noisy]
        assert here == [clean_at[patch.tobytes()] for patch in clean]
        seen += here
    assert len(set(seen)) == 320


def test_noisy_clean_can_be_limited_to_views(patches):
    batches = NoisyClean(patches, batch_size=10, views=["ref", "t5"])
    at = where(patches, "noisy")
    assert {at[p.tobytes()][1] for k in range(len(batches)) for p in batches[k][0]} == {0, 15}


@pytest.mark.parametrize("make", [NoisyClean, Pairs, Triplets])
def test_a_batch_is_decided_by_seed_epoch_and_index(patches, make):
    size = {"batch_size": 6} if make is NoisyClean else {"batches": 4}
    size |= {"pairs": 6} if make is Pairs else {}
    one, again, other = (make(patches, seed=seed, **size) for seed in (1, 1, 2))
    again[0]  # reading another batch first changes nothing
    np.testing.assert_array_equal(one[3][0], again[3][0])
    assert (one[3][0] != other[3][0]).any() and (one[3][0] != one[2][0]).any()
    before = one[3][0]
    one.on_epoch_end()
    assert (one[3][0] != before).any()
    fixed = make(patches, seed=1, redraw=False, **size)
    fixed.on_epoch_end()
    np.testing.assert_array_equal(fixed[3][0], before)


def test_pairs_are_two_different_views_of_distinct_places(patches):
    at, batches = where(patches, "noisy"), Pairs(patches, pairs=15, batches=20, patches="noisy")
    for k in range(20):
        images, labels = batches[k]
        assert images.shape == (30, 32, 32, 1) and labels.shape == (30,)
        assert images.dtype == np.uint8 and labels.dtype == np.int32
        found = [at[image.tobytes()] for image in images]
        assert [patches.label[point] for point, _ in found] == labels.tolist()
        assert (labels[::2] == labels[1::2]).all() and len(set(labels)) == 15
        assert all(found[i] != found[i + 1] for i in range(0, 30, 2))


def test_a_place_seen_in_two_sequences_is_never_its_own_negative():
    label = [0, 1, 2, 3, 0, 1, 2, 3]  # the second sequence shows the same four places
    patches = toy_patches({"v_one": 4, "i_one": 4}, label)
    at, seen = where(patches, "clean"), set()
    for k in range(60):
        images, labels = Pairs(patches, pairs=4, batches=60)[k]
        assert sorted(labels[::2]) == [0, 1, 2, 3]
        points = [at[image.tobytes()][0] for image in images]
        seen |= {(a, b) for a, b in zip(points[::2], points[1::2])}
        images, labels = Triplets(patches, triplets=9)[k]
        assert (labels[0::3] != labels[2::3]).all()
    assert {(0, 0), (0, 4), (4, 0), (4, 4)} <= seen  # pairs across sequences, too


def test_views_and_places_are_drawn_evenly(patches):
    at = where(patches, "clean")
    found = np.array([at[p.tobytes()] for k in range(300) for p in Pairs(patches, 10, 300)[k][0]])
    for column, bins in ((0, 20), (1, 16)):
        count = np.bincount(found[:, column], minlength=bins)
        assert np.abs(count / count.mean() - 1).max() < 0.25


def test_triplets_are_anchor_positive_and_a_negative_of_another_place(patches):
    at = where(patches, "clean")
    images, labels = Triplets(patches, triplets=40)[0]
    assert images.shape == (120, 32, 32, 1)
    found = [at[image.tobytes()] for image in images]
    for a, p, n in zip(found[0::3], found[1::3], found[2::3]):
        assert a[0] == p[0] != n[0] and a[1] != p[1]
    assert (labels[0::3] == labels[1::3]).all() and (labels[0::3] != labels[2::3]).all()


def test_denoised_pairs_come_from_the_denoiser_clipped_and_rounded(patches):
    batches = Pairs(patches, 5, 2, "denoised", denoiser=lambda batch: batch * 1.5 + 0.4)
    expected = np.clip(np.rint(patches.noisy * 1.5 + 0.4), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(batches.data["denoised"], expected)
    by_default = Pairs(patches, 5, 2, denoiser=lambda batch: batch * 1.5 + 0.4)
    np.testing.assert_array_equal(by_default[0][0], batches[0][0])
    other = Pairs(batches.data, 5, 2, denoiser=lambda batch: 255.0 - batch)
    np.testing.assert_array_equal(
        other.data["denoised"], 255 - patches.noisy
    )  # its own, not the old
    ready = patches.add("denoised", patches.noisy)
    assert Pairs(ready, 5, 2, "denoised").data is ready  # nothing to do again


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: Pairs(p, pairs=21), "wants 21 distinct places, the data has 20"),
        (lambda p: Triplets(p.sample(1)), "wants 2 distinct places, the data has 1"),
        (lambda p: Pairs(p, 5, patches="blurred"), "No 'blurred' patches here"),
        (lambda p: Pairs(p, 5, patches="denoised"), "need a denoiser="),
        (lambda p: Pairs(p, 5, batches=0), "0 batches an epoch"),
        (lambda p: NoisyClean(p, batch_size=400), "320 patches fill 0 batches of 400"),
        (lambda p: NoisyClean(p, batch_size=32, batches=11), "fill 10 batches of 32, 11 wanted"),
        (lambda p: NoisyClean(p, views=["e9"]), r"Unknown views \['e9'\]"),
    ],
)
def test_bad_requests_say_what_was_wrong(patches, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(patches)


@pytest.mark.parametrize("wrong", [lambda b: b * np.nan, lambda b: b.reshape(len(b), -1) * 1.0])
def test_a_denoiser_that_diverged_or_returns_another_shape_is_refused(patches, wrong):
    with pytest.raises(
        ValueError, match="Expected finite .batch, 32, 32, 1.; if training diverged"
    ):
        hk.denoise(wrong, patches)


def test_a_denoiser_for_another_size_is_refused(patches):
    import keras

    wide = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match=r"\(65, 65, 1\): expected \(32, 32, 1\)"):
        hk.denoise(wide, patches)
