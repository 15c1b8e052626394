import pickle
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit.batches import NoisyClean, Pairs, Triplets
from hpatches_kit.patches.augmentation import FLIPS_AND_ROTATIONS, flip_and_rotate
from hpatches_kit.patches.noise import VIEW_SIGMA


def where(patches, kind):
    """From the bytes of a patch to its point and view."""
    return {
        patches[kind][point, view].tobytes(): (point, view)
        for point in range(len(patches))
        for view in range(16)
    }


def where_and_how(patches, kind):
    """From the bytes of a patch under a symmetry to its point, view and symmetry."""
    found = {}
    for point in range(len(patches)):
        for symmetry in range(FLIPS_AND_ROTATIONS):
            views = flip_and_rotate(patches[kind][point], np.full(16, symmetry))
            found |= {seen.tobytes(): (point, view, symmetry) for view, seen in enumerate(views)}
    return found


def grey_patches(points=60):
    """Flat grey, so that all that differs from 128 is noise."""
    return toy_patches({"v_one": points}).add("clean", np.full((points, 16, 32, 32), 128, np.uint8))


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
    size = {"batch_size": 6} if make is NoisyClean else {"steps": 4}
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


@pytest.mark.parametrize(
    "changes", [{"augment": True}, {"fresh_noise": True}, {"augment": True, "jitter": 1.0}]
)
@pytest.mark.parametrize("make", [NoisyClean, Pairs, Triplets])
def test_changes_too_are_decided_by_seed_epoch_and_index(patches, make, changes):
    options = {**changes, "seed": 1, "steps": 4}
    options |= {"batch_size": 12} if make is NoisyClean else {"kind": "noisy"}
    options |= {"pairs": 6} if make is Pairs else {}
    if make is NoisyClean:
        options.pop("jitter", None)
    one, again, fixed = (make(patches, redraw=redraw, **options) for redraw in (True, True, False))
    again[0]
    np.testing.assert_array_equal(one[3][0], again[3][0])
    before = one[3][0]
    for batches in (one, again, fixed):
        batches.on_epoch_end()
    assert (one[3][0] != before).any()
    np.testing.assert_array_equal(one[3][0], again[3][0])
    np.testing.assert_array_equal(fixed[3][0], before)


def test_threads_and_copies_make_the_same_batches_as_one(patches):
    options = {"pairs": 6, "steps": 40, "augment": True, "jitter": 1.0}
    one, many = Pairs(patches, **options), Pairs(patches, **options)
    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda index: many[index][0], range(40)))
        copy = pickle.loads(pickle.dumps(many))  # what a worker in another process gets
        for index in range(40):
            np.testing.assert_array_equal(made[index], one[index][0])
            np.testing.assert_array_equal(copy[index][0], one[index][0])
        one.on_epoch_end()
        many.on_epoch_end()


def test_no_place_comes_again_while_there_are_others_left(patches):
    batches = Pairs(patches, pairs=6, steps=7)  # 20 places: three batches, then from the start
    labels = np.array([batch[1][::2] for batch in batches])
    for start in (0, 3):
        assert len(np.unique(labels[start : start + 3])) == 18
    assert all(len(set(batch)) == 6 for batch in labels)


def test_a_loop_over_the_batches_ends(patches):
    assert len(list(Pairs(patches, 5, 7))) == len(list(Triplets(patches, 5, 7))) == 7
    with pytest.raises(IndexError, match="Batch 7 of an epoch of 7"):
        NoisyClean(patches, 5, 7)[7]


def test_bytes_reach_the_model_and_become_float_inside(patches):
    class Watch(keras.layers.Layer):
        def call(self, x):
            inside.append(keras.backend.standardize_dtype(x.dtype))
            return x

    class Model(keras.Model):  # whose call gets what came to the device, before anything is cast
        def call(self, x):
            outside.append(keras.backend.standardize_dtype(x.dtype))
            return self.net(x)

    inside, outside = [], []
    patch = keras.Input((32, 32, 1))
    net = keras.Model(patch, keras.layers.Conv2D(1, 3, padding="same")(Watch()(patch)))
    for batches in (Pairs(patches, 5, 2, augment=True, jitter=1.0), NoisyClean(patches, 5, 2)):
        assert batches[0][0].dtype == np.uint8
        model = Model()
        model.net = net
        model.compile("sgd", lambda truth, seen: keras.ops.mean(keras.ops.square(seen)))
        model.fit(batches, verbose=0)
    assert set(outside) == {"uint8"} and set(inside) == {"float32"}


def test_pairs_are_two_different_views_of_distinct_places(patches):
    at, batches = where(patches, "noisy"), Pairs(patches, pairs=15, steps=20, kind="noisy")
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
        images, labels = Pairs(patches, pairs=4, steps=60)[k]
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


def test_the_patches_of_a_place_share_a_symmetry_and_all_8_are_drawn_evenly(patches):
    at, drawn = where_and_how(patches, "clean"), []
    plain, changed = Pairs(patches, 20, 100), Pairs(patches, 20, 100, augment=True)
    for k in range(100):
        images, labels = changed[k]
        np.testing.assert_array_equal(labels, plain[k][1])  # the same places as without
        found = np.array([at[image.tobytes()] for image in images])
        unchanged = [patches.clean[point, view] for point, view, _ in found]
        np.testing.assert_array_equal(plain[k][0][..., 0], unchanged)  # and views
        assert (found[0::2, 2] == found[1::2, 2]).all()
        drawn += list(found[::2, 2])
    count = np.bincount(drawn, minlength=8)
    assert len(count) == 8 and np.abs(count / 250 - 1).max() < 0.25


def test_the_negative_of_a_triplet_has_a_symmetry_of_its_own(patches):
    at = where_and_how(patches, "clean")
    images, _ = Triplets(patches, triplets=400, augment=True)[0]
    symmetry = np.array([at[image.tobytes()][2] for image in images]).reshape(-1, 3)
    assert (symmetry[:, 0] == symmetry[:, 1]).all()
    assert np.mean(symmetry[:, 0] == symmetry[:, 2]) == pytest.approx(1 / 8, abs=0.06)


def test_noisy_and_clean_are_flipped_alike(patches):
    noisy_at, clean_at = where_and_how(patches, "noisy"), where_and_how(patches, "clean")
    drawn = []
    for noisy, clean in NoisyClean(patches, batch_size=32, augment=True):
        here = [noisy_at[patch.tobytes()] for patch in noisy]
        assert here == [clean_at[patch.tobytes()] for patch in clean]
        drawn += here
    assert len({found[:2] for found in drawn}) == 320  # each patch once, still
    assert np.bincount([found[2] for found in drawn], minlength=8).min() > 20


def test_jitter_moves_each_patch_a_little_on_its_own():
    ramp = np.broadcast_to(6 * np.arange(32, dtype=np.uint8), (30, 16, 32, 32))
    patches = toy_patches({"v_one": 30}).add("clean", ramp)
    images, _ = Pairs(patches, 30, 1, jitter=1.0)[0]
    middle = images[:, 15:17, 15:17].mean(axis=(1, 2, 3)) - 6 * 15.5  # 6 grey levels a pixel
    assert 3 < np.abs(middle).max() <= 6 + 0.5
    assert len(np.unique(middle)) > 20 and (middle[0::2] != middle[1::2]).mean() > 0.8
    same, _ = Pairs(patches, 30, 1, jitter=0.0)[0]
    np.testing.assert_array_equal(same[..., 0], np.concatenate([ramp[:, 0], ramp[:, 1]]))


@pytest.mark.parametrize("make", [NoisyClean, Pairs, Triplets])
def test_fresh_noise_has_the_spread_of_its_level_and_is_new_every_epoch(make):
    patches = grey_patches()
    options = {"batch_size": 960} if make is NoisyClean else {"kind": "noisy", "steps": 1}
    options |= {"pairs": 60} if make is Pairs else {"triplets": 300} if make is Triplets else {}
    batches, spread = make(patches, fresh_noise=True, **options), []
    for _ in range(3):
        noisy, other = batches[0]
        if make is NoisyClean:
            assert (other == 128).all()  # the clean side stays clean
        spread += list((noisy - 128.0).std(axis=(1, 2, 3)))
        batches.on_epoch_end()
        assert (batches[0][0] != noisy).mean() > 0.9
    steps = np.sort(spread) / 0.666  # in three groups, as there are three levels of noise
    for sigma in np.unique(VIEW_SIGMA):
        group = steps[np.abs(steps - sigma) < 5]
        share = np.mean(VIEW_SIGMA == sigma)
        assert np.median(group) == pytest.approx(sigma, rel=0.02)
        assert len(group) / len(steps) == pytest.approx(share, abs=0.08)


def test_fresh_noise_is_that_of_the_view_and_is_added_after_the_flip(patches):
    for changes in ({}, {"augment": True}):
        (noisy, clean), (_, same) = (
            NoisyClean(patches, 320, fresh_noise=fresh, **changes)[0] for fresh in (True, False)
        )
        np.testing.assert_array_equal(clean, same)
        at = where_and_how(patches, "clean")
        views = np.array([at[patch.tobytes()][1] for patch in clean])
        for sigma in np.unique(VIEW_SIGMA):
            noise = (noisy - 1.0 * clean)[VIEW_SIGMA[views] == sigma]
            assert noise.std() == pytest.approx(0.666 * sigma, rel=0.06)  # some is clipped
            # Strongest in the middle, in whatever way the patch was turned.
            assert noise[:, 12:20, 12:20].std() > 1.3 * noise[:, [0, -1]][:, :, [0, -1]].std()
    only_clean = hk.PatchSet({"clean": patches.clean}, patches.sequence)
    pairs, _ = Pairs(only_clean, 5, 2, "noisy", fresh_noise=True)[0]  # needs no noisy patches
    plain, _ = Pairs(only_clean, 5, 2)[0]
    assert 10 < (pairs - 1.0 * plain).std() < 30


def test_denoised_pairs_come_from_the_denoiser_clipped_and_rounded(patches):
    batches = Pairs(patches, 5, 2, "denoised", denoiser=lambda batch: batch * 1.5 + 0.4)
    expected = np.clip(np.rint(patches.noisy * 1.5 + 0.4), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(batches.patches["denoised"], expected)
    by_default = Pairs(patches, 5, 2, denoiser=lambda batch: batch * 1.5 + 0.4)
    np.testing.assert_array_equal(by_default[0][0], batches[0][0])
    other = Pairs(batches.data, 5, 2, denoiser=lambda batch: 255.0 - batch)
    np.testing.assert_array_equal(
        other.patches["denoised"], 255 - patches.noisy
    )  # its own, not the old
    ready = patches.add("denoised", patches.noisy)
    assert Pairs(ready, 5, 2, "denoised").data is ready  # nothing to do again


def with_originals(patches):
    return patches.add("original", np.zeros((len(patches), 16, 65, 65), np.uint8))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda p: Pairs(p, pairs=21), "wants 21 distinct places, the data has 20"),
        (lambda p: Triplets(p.sample(1)), "wants 2 distinct places, the data has 1"),
        (lambda p: Pairs(p, 5, kind="blurred"), "No 'blurred' patches here"),
        (lambda p: Pairs(p, 5, kind="denoised"), "need a denoiser="),
        (lambda p: Pairs(p, 5, steps=0), "steps=0: expected 1 or more"),
        (lambda p: Pairs(p, 1), "pairs=1: expected 2 or more"),
        (lambda p: Triplets(p, 0), "triplets=0: expected 1 or more"),
        (lambda p: NoisyClean(p, 0), "batch_size=0: expected 1 or more"),
        (lambda p: NoisyClean(p, 8, seed=-1), "seed=-1: expected 0 or more"),
        (lambda p: Pairs(with_originals(p), 5, kind="original"), "have patches of 32 pixels"),
        (lambda p: NoisyClean(p, batch_size=400), "320 patches fill 0 batches of 400"),
        (lambda p: NoisyClean(p, batch_size=32, steps=11), "fill 10 batches of 32, 11 wanted"),
        (lambda p: NoisyClean(p, views=["e9"]), r"Unknown views \['e9'\]"),
        (lambda p: Pairs(p, 5, jitter=-1), "jitter=-1: expected 0 .none. to 5"),
        (lambda p: Triplets(p, 5, jitter=30.0), "jitter=30.0: expected 0 .none. to 5"),
        (lambda p: Pairs(p, 5, fresh_noise=True), "is for kind='noisy', these are 'clean'"),
        (lambda p: Triplets(p, 5, kind="clean", fresh_noise=True), "these are 'clean'"),
        (lambda p: Pairs(p, 5, denoiser=abs, fresh_noise=True), "these are 'denoised'"),
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
    wide = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match=r"\(65, 65, 1\): noisy patches are \(32, 32, 1\)"):
        hk.denoise(wide, patches)
