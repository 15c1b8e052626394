import pickle
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit._support.errors import UserError
from hpatches_kit.batches import NoisyClean, Pairs, Triplets
from hpatches_kit.patches.augmentation import flip_and_rotate
from hpatches_kit.patches.noise import VIEW_SIGMA


def locations(patches, kind):
    """Map the bytes of each patch to its point and view."""
    return {
        patches[kind][point, view].tobytes(): (point, view)
        for point in range(len(patches))
        for view in range(16)
    }


def flipped_locations(patches, kind):
    """Map the bytes of each patch under each flip and rotation to its point, view and flip."""
    result = {}
    for point in range(len(patches)):
        for flip in range(8):
            views = flip_and_rotate(patches[kind][point], np.full(16, flip))
            result |= {patch.tobytes(): (point, view, flip) for view, patch in enumerate(views)}
    return result


def grey_patches(points=60):
    """Constant patches of grey level 128: every difference from 128 is noise."""
    return toy_patches({"v_one": points}).add("clean", np.full((points, 16, 32, 32), 128, np.uint8))


def test_noisy_and_clean_show_the_same_patch_and_an_epoch_shows_each_patch_once(patches):
    batches = NoisyClean(patches, batch_size=32)
    assert len(batches) == 20 * 16 // 32
    of_noisy, of_clean = locations(patches, "noisy"), locations(patches, "clean")
    all_shown = []
    for noisy, clean in batches:
        assert noisy.shape == clean.shape == (32, 32, 32, 1) and noisy.dtype == np.uint8
        shown = [of_noisy[patch.tobytes()] for patch in noisy]
        assert shown == [of_clean[patch.tobytes()] for patch in clean]
        all_shown += shown
    assert len(set(all_shown)) == 320


def test_noisy_clean_can_be_limited_to_views(patches):
    batches = NoisyClean(patches, batch_size=10, views=["ref", "t5"])
    location = locations(patches, "noisy")
    views = {location[patch.tobytes()][1] for noisy, _ in batches for patch in noisy}
    assert views == {0, 15}


def test_noisy_clean_returns_the_sigma_of_each_patch_on_request(patches):
    location = locations(patches, "clean")
    with_sigma, without = (NoisyClean(patches, 32, 2, sigma=sigma) for sigma in (True, False))
    for ((noisy, sigma), clean), plain in zip(with_sigma, without):
        assert sigma.shape == (32, 1) and sigma.dtype == np.float32
        views = [location[patch.tobytes()][1] for patch in clean]
        np.testing.assert_array_equal(sigma[:, 0], VIEW_SIGMA[views])
        np.testing.assert_array_equal(noisy, plain[0])
        np.testing.assert_array_equal(clean, plain[1])


ALL_CHANGES = {"augment": True, "jitter": 1.0, "photometric": 1.0, "noise": (4, 35)}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"augment": True},
        {"fresh_noise": True},
        {"augment": True, "jitter": 1.0},
        {"kind": "clean", "photometric": 1.0, "noise": (4, 35)},
    ],
)
@pytest.mark.parametrize("make", [NoisyClean, Pairs, Triplets])
def test_seed_epoch_and_index_determine_a_batch(patches, make, changes):
    options = {"seed": 1, "steps": 4}
    options |= {"batch_size": 12} if make is NoisyClean else {"kind": "noisy"}
    options |= {"pairs": 6} if make is Pairs else {}
    if make is NoisyClean:
        changes = {key: changes[key] for key in ("augment", "fresh_noise") if key in changes}
    options |= changes
    batches, same_seed = make(patches, **options), make(patches, **options)
    fixed, other_seed = (
        make(patches, redraw=False, **options),
        make(patches, **options | {"seed": 2}),
    )
    same_seed[0]  # reading another batch first changes nothing
    first_epoch = batches[3][0]
    np.testing.assert_array_equal(first_epoch, same_seed[3][0])
    assert (first_epoch != other_seed[3][0]).any() and (first_epoch != batches[2][0]).any()
    for sequence in (batches, same_seed, fixed):
        sequence.on_epoch_end()
    assert (batches[3][0] != first_epoch).any()
    np.testing.assert_array_equal(batches[3][0], same_seed[3][0])
    np.testing.assert_array_equal(fixed[3][0], first_epoch)


def test_threads_and_copies_produce_the_same_batches(patches):
    options = {"pairs": 6, "steps": 40, **ALL_CHANGES}
    serial, threaded = Pairs(patches, **options), Pairs(patches, **options)
    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            from_threads = list(pool.map(lambda index: threaded[index][0], range(40)))
        copy = pickle.loads(pickle.dumps(threaded))  # what a worker in another process gets
        for index in range(40):
            np.testing.assert_array_equal(from_threads[index], serial[index][0])
            np.testing.assert_array_equal(copy[index][0], serial[index][0])
        serial.on_epoch_end()
        threaded.on_epoch_end()


def test_places_are_drawn_without_replacement_until_fewer_than_a_batch_remain(patches):
    batches = Pairs(patches, pairs=6, steps=7)  # 20 places: three batches, then from the start
    labels = np.array([batch[1][::2] for batch in batches])
    for start in (0, 3):
        assert len(np.unique(labels[start : start + 3])) == 18
    assert all(len(set(batch)) == 6 for batch in labels)


def test_a_loop_over_batches_ends(patches):
    assert len(list(Pairs(patches, 5, 7))) == len(list(Triplets(patches, 5, 7))) == 7
    with pytest.raises(IndexError, match="No batch 7: an epoch has batches 0 to 6"):
        NoisyClean(patches, 5, 7)[7]


@pytest.mark.slow
def test_uint8_patches_reach_the_model_and_become_float_inside_it(patches):
    class RecordType(keras.layers.Layer):
        def call(self, x):
            types_inside.append(keras.backend.standardize_dtype(x.dtype))
            return x

    class Model(keras.Model):  # its `call` receives the batch before any cast
        def call(self, x):
            types_received.append(keras.backend.standardize_dtype(x.dtype))
            return self.network(x)

    types_inside, types_received = [], []
    patch = keras.Input((32, 32, 1))
    conv = keras.layers.Conv2D(1, 3, padding="same")
    network = keras.Model(patch, conv(RecordType()(patch)))
    for batches in (Pairs(patches, 5, 2, augment=True, jitter=1.0), NoisyClean(patches, 5, 2)):
        assert batches[0][0].dtype == np.uint8
        model = Model()
        model.network = network
        model.compile("sgd", lambda y_true, y_pred: keras.ops.mean(keras.ops.square(y_pred)))
        model.fit(batches, verbose=0)
    assert set(types_received) == {"uint8"} and set(types_inside) == {"float32"}


def test_pairs_are_two_different_views_of_distinct_places(patches):
    location = locations(patches, "noisy")
    for images, labels in Pairs(patches, pairs=15, steps=20, kind="noisy"):
        assert images.shape == (30, 32, 32, 1) and labels.shape == (30,)
        assert images.dtype == np.uint8 and labels.dtype == np.int32
        shown = [location[image.tobytes()] for image in images]
        assert [patches.label[point] for point, _ in shown] == labels.tolist()
        assert (labels[::2] == labels[1::2]).all() and len(set(labels)) == 15
        assert all(shown[row] != shown[row + 1] for row in range(0, 30, 2))


def test_a_place_seen_in_two_sequences_is_never_its_own_negative():
    label = [0, 1, 2, 3, 0, 1, 2, 3]  # the second sequence shows the same four places
    patches = toy_patches({"v_one": 4, "i_one": 4}, label)
    location, paired_points = locations(patches, "clean"), set()
    pairs, triplets = Pairs(patches, pairs=4, steps=60), Triplets(patches, triplets=9)
    for k in range(60):
        images, labels = pairs[k]
        assert sorted(labels[::2]) == [0, 1, 2, 3]
        points = [location[image.tobytes()][0] for image in images]
        paired_points |= set(zip(points[::2], points[1::2]))
        images, labels = triplets[k]
        assert (labels[0::3] != labels[2::3]).all()
    assert {(0, 0), (0, 4), (4, 0), (4, 4)} <= paired_points  # also pairs across sequences


def test_views_and_places_are_drawn_uniformly(patches):
    location = locations(patches, "clean")
    batches = Pairs(patches, 10, 300)
    shown = np.array([location[patch.tobytes()] for images, _ in batches for patch in images])
    for column, bins in ((0, 20), (1, 16)):
        count = np.bincount(shown[:, column], minlength=bins)
        assert np.abs(count / count.mean() - 1).max() < 0.25


def test_triplets_are_anchor_positive_and_a_negative_of_another_place(patches):
    location = locations(patches, "clean")
    images, labels = Triplets(patches, triplets=40)[0]
    assert images.shape == (120, 32, 32, 1)
    shown = [location[image.tobytes()] for image in images]
    for anchor, positive, negative in zip(shown[0::3], shown[1::3], shown[2::3]):
        assert anchor[0] == positive[0] != negative[0] and anchor[1] != positive[1]
    assert (labels[0::3] == labels[1::3]).all() and (labels[0::3] != labels[2::3]).all()


def test_the_patches_of_a_place_share_a_flip_and_all_8_are_drawn_uniformly(patches):
    location, flips = flipped_locations(patches, "clean"), []
    plain, augmented = Pairs(patches, 20, 100), Pairs(patches, 20, 100, augment=True)
    for (plain_images, plain_labels), (images, labels) in zip(plain, augmented):
        np.testing.assert_array_equal(labels, plain_labels)  # augmentation keeps the places
        shown = np.array([location[image.tobytes()] for image in images])
        unflipped = [patches.clean[point, view] for point, view, _ in shown]
        np.testing.assert_array_equal(plain_images[..., 0], unflipped)  # and the views
        assert (shown[0::2, 2] == shown[1::2, 2]).all()
        flips += list(shown[::2, 2])
    count = np.bincount(flips, minlength=8)
    assert len(count) == 8 and np.abs(count / 250 - 1).max() < 0.25


def test_the_negative_of_a_triplet_has_its_own_flip(patches):
    location = flipped_locations(patches, "clean")
    images, _ = Triplets(patches, triplets=400, augment=True)[0]
    flips = np.array([location[image.tobytes()][2] for image in images]).reshape(-1, 3)
    assert (flips[:, 0] == flips[:, 1]).all()
    assert np.mean(flips[:, 0] == flips[:, 2]) == pytest.approx(1 / 8, abs=0.06)


def test_noisy_and_clean_get_the_same_flip(patches):
    of_noisy, of_clean = flipped_locations(patches, "noisy"), flipped_locations(patches, "clean")
    all_shown = []
    for noisy, clean in NoisyClean(patches, batch_size=32, augment=True):
        shown = [of_noisy[patch.tobytes()] for patch in noisy]
        assert shown == [of_clean[patch.tobytes()] for patch in clean]
        all_shown += shown
    assert len({(point, view) for point, view, _ in all_shown}) == 320  # still each patch once
    assert np.bincount([flip for _, _, flip in all_shown], minlength=8).min() > 20


def test_jitter_moves_each_patch_independently():
    ramp = np.broadcast_to(6 * np.arange(32, dtype=np.uint8), (30, 16, 32, 32))
    patches = toy_patches({"v_one": 30}).add("clean", ramp)
    images, _ = Pairs(patches, 30, 1, jitter=1.0)[0]
    shift = images[:, 15:17, 15:17].mean(axis=(1, 2, 3)) - 6 * 15.5  # 6 grey levels per pixel
    assert 3 < np.abs(shift).max() <= 6 + 0.5
    assert len(np.unique(shift)) > 20 and (shift[0::2] != shift[1::2]).mean() > 0.8
    unchanged, _ = Pairs(patches, 30, 1, jitter=0.0)[0]
    np.testing.assert_array_equal(unchanged[..., 0], np.concatenate([ramp[:, 0], ramp[:, 1]]))


@pytest.mark.parametrize("make", [NoisyClean, Pairs, Triplets])
def test_fresh_noise_has_the_strength_of_its_level_and_is_new_every_epoch(make):
    patches = grey_patches()
    options = {"batch_size": 960} if make is NoisyClean else {"kind": "noisy", "steps": 1}
    options |= {"pairs": 60} if make is Pairs else {"triplets": 300} if make is Triplets else {}
    batches, deviations = make(patches, fresh_noise=True, **options), []
    for _ in range(3):
        noisy, second = batches[0]
        if make is NoisyClean:
            assert (second == 128).all()  # the clean patches stay clean
        deviations += list((noisy - 128.0).std(axis=(1, 2, 3)))
        batches.on_epoch_end()
        assert (batches[0][0] != noisy).mean() > 0.9
    sigmas = np.array(deviations) / 0.666  # resizing weakens the noise to this fraction
    for sigma in np.unique(VIEW_SIGMA):  # three noise levels
        of_level = sigmas[np.abs(sigmas - sigma) < 5]
        assert np.median(of_level) == pytest.approx(sigma, rel=0.02)
        expected = np.mean(VIEW_SIGMA == sigma)
        assert len(of_level) / len(sigmas) == pytest.approx(expected, abs=0.08)


def test_fresh_noise_depends_on_the_view_and_is_added_after_the_flip(patches):
    for options in ({}, {"augment": True}):
        noisy, clean = NoisyClean(patches, 320, fresh_noise=True, **options)[0]
        np.testing.assert_array_equal(clean, NoisyClean(patches, 320, **options)[0][1])
        location = flipped_locations(patches, "clean")
        views = np.array([location[patch.tobytes()][1] for patch in clean])
        for sigma in np.unique(VIEW_SIGMA):
            noise = (noisy - 1.0 * clean)[VIEW_SIGMA[views] == sigma]
            assert noise.std() == pytest.approx(0.666 * sigma, rel=0.06)  # a little is clipped
            # The noise is strongest in the middle, whatever the flip.
            assert noise[:, 12:20, 12:20].std() > 1.3 * noise[:, [0, -1]][:, :, [0, -1]].std()


@pytest.mark.parametrize("make", [Pairs, Triplets])
def test_photometric_changes_and_noise_keep_labels_places_views_and_flips(patches, make):
    options = {"seed": 1, "steps": 4, "augment": True} | ({"pairs": 6} if make is Pairs else {})
    plain = make(patches, **options)
    for changes in ({"photometric": 0.1}, {"noise": (1, 2)}, {"photometric": 0.1, "noise": (1, 2)}):
        for (images, labels), (expected, plain_labels) in zip(
            make(patches, **options, **changes), plain
        ):
            np.testing.assert_array_equal(labels, plain_labels)
            assert images.dtype == np.uint8 and images.shape == expected.shape
            for image, same in zip(images[..., 0], expected[..., 0]):
                assert np.corrcoef(image.ravel(), same.ravel())[0, 1] > 0.95


def test_photometric_strength_0_and_noise_of_no_patch_or_no_strength_change_no_byte(patches):
    plain = Pairs(patches, 6, 3, augment=True, jitter=1.0)
    changes = [{"photometric": 0}, {"noise": (0, 0)}, {"noise": (4, 35), "noise_share": 0}]
    for unchanged in changes:
        same = Pairs(patches, 6, 3, augment=True, jitter=1.0, **unchanged)
        for (images, _), (expected, _) in zip(same, plain):
            np.testing.assert_array_equal(images, expected)


def test_photometric_changes_each_patch_independently():
    images, _ = Pairs(grey_patches(), 60, 1, photometric=1.0)[0]
    assert (images == images[:, :1, :1]).all()  # neither gain, gamma nor blur makes a pattern
    grey = images[:, 0, 0, 0] / 1.0
    assert len(np.unique(grey)) > 60 and (grey[0::2] != grey[1::2]).mean() > 0.9
    power = 255 * (128 / 255) ** np.exp([0.3, -0.3])
    darkest, brightest = power * np.exp([-0.3, 0.3])
    assert darkest - 1 <= grey.min() < 90 and 170 < grey.max() <= brightest + 1


@pytest.mark.parametrize("make", [Pairs, Triplets])
def test_the_noise_of_a_share_of_the_patches_is_uniform_from_low_to_high(make):
    options = {"pairs": 60} if make is Pairs else {"triplets": 50}
    batches, deviations = make(grey_patches(), steps=20, noise=(10, 30), **options), []
    for images, _ in batches:
        deviations += list((images - 128.0).std(axis=(1, 2, 3)))
    deviations = np.array(deviations)
    assert np.mean(deviations > 0) == pytest.approx(0.5, abs=0.05)
    sigma = deviations[deviations > 0] / 0.666  # resizing weakens the noise to this fraction
    assert 9.5 < sigma.min() < 11 and 29 < sigma.max() < 31.5
    counts = np.histogram(sigma, bins=[10, 15, 20, 25, 30])[0] / len(sigma)
    np.testing.assert_allclose(counts, 0.25, atol=0.05)


def test_noise_of_a_random_strength_is_strongest_in_the_middle_and_can_reach_every_patch():
    images, _ = Pairs(grey_patches(), 60, 1, noise=(20, 20), noise_share=1)[0]
    noise = images[..., 0] - 128.0
    assert noise.std(axis=(1, 2)).min() > 12
    assert noise[:, 15:17, 15:17].std() == pytest.approx(0.97 * 20, rel=0.1)
    corners = noise[:, [0, -1]][:, :, [0, -1]]
    assert corners.std() == pytest.approx(0.50 * 20, rel=0.15)


def test_noise_is_added_after_photometric_changes_which_would_weaken_it():
    options = {"photometric": 3.0, "jitter": 1.0, "noise": (20, 20), "noise_share": 1}
    images, _ = Pairs(grey_patches(), 60, 1, **options)[0]
    deviation = (images / 1.0).std(axis=(1, 2, 3))
    unclipped = np.abs(images.mean(axis=(1, 2, 3)) - 128) < 50
    assert unclipped.sum() > 20
    np.testing.assert_allclose(deviation[unclipped], 0.666 * 20, rtol=0.15)


def test_fresh_noise_needs_no_noisy_patches(patches):
    only_clean = hk.PatchSet({"clean": patches.clean}, patches.sequence)
    noisy, _ = Pairs(only_clean, 5, 2, "noisy", fresh_noise=True)[0]
    clean, _ = Pairs(only_clean, 5, 2)[0]
    assert 10 < (noisy - 1.0 * clean).std() < 30


def test_denoised_pairs_are_the_output_of_the_denoiser_clipped_and_rounded(patches):
    def brighter(batch):
        return batch * 1.5 + 0.4

    batches = Pairs(patches, 5, 2, "denoised", denoiser=brighter)
    expected = np.clip(np.rint(brighter(patches.noisy)), 0, 255)
    np.testing.assert_array_equal(batches.patches["denoised"], expected)
    default_kind = Pairs(patches, 5, 2, denoiser=brighter)
    np.testing.assert_array_equal(default_kind[0][0], batches[0][0])


def test_a_denoiser_replaces_denoised_patches_that_a_patch_set_has(patches):
    patches = patches.add("denoised", patches.noisy)
    assert Pairs(patches, 5, 2, "denoised").patches is patches  # nothing to compute
    inverted = Pairs(patches, 5, 2, denoiser=lambda batch: 255.0 - batch).patches["denoised"]
    np.testing.assert_array_equal(inverted, 255 - patches.noisy)


def with_originals(patches):
    return patches.add("original", np.zeros((len(patches), 16, 65, 65), np.uint8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: Pairs(p, pairs=21), "needs 21 different places, the patch set has 20"),
        (
            lambda p: Triplets(p.sample_sparse_points(1)),
            "needs 2 different places, the patch set has 1",
        ),
        (lambda p: Pairs(p, 5, kind="blurred"), "No 'blurred' patches in this set"),
        (lambda p: Pairs(p, 5, kind="denoised"), "need a denoiser="),
        (lambda p: Pairs(p, 5, steps=0), "steps=0: expected 1 or more"),
        (lambda p: Pairs(p, 1), "pairs=1: expected 2 or more"),
        (lambda p: Triplets(p, 0), "triplets=0: expected 1 or more"),
        (lambda p: NoisyClean(p, 0), "batch_size=0: expected 1 or more"),
        (lambda p: NoisyClean(p, 8, seed=-1), "seed=-1: expected 0 or more"),
        (
            lambda p: Pairs(with_originals(p), 5, kind="original"),
            "'original' patches are 65x65 pix",
        ),
        (lambda p: NoisyClean(p, 400), "320 patches fill 0 batches of 400: expected 1 or more"),
        (lambda p: NoisyClean(p, 32, steps=11), "fill 10 batches of 32: expected 11 or more"),
        (lambda p: NoisyClean(p, views=["e9"]), r"Unknown views \['e9'\]"),
        (lambda p: Pairs(p, 5, jitter=-1), "jitter=-1: expected 0 .none. to 5"),
        (lambda p: Triplets(p, 5, jitter=30.0), "jitter=30.0: expected 0 .none. to 5"),
        (lambda p: Pairs(p, 5, fresh_noise=True), "needs kind='noisy', not 'clean'"),
        (lambda p: Triplets(p, 5, kind="clean", fresh_noise=True), "not 'clean'"),
        (lambda p: Pairs(p, 5, denoiser=abs, fresh_noise=True), "not 'denoised'"),
        (lambda p: Pairs(p, 5, photometric=-0.1), "photometric=-0.1: expected 0 .none. to 3"),
        (lambda p: Triplets(p, 5, photometric=np.nan), "photometric=nan: expected 0 .none. to 3"),
        (lambda p: Pairs(p, 5, noise=25), r"noise=25: expected two standard deviations, 0 <= low"),
        (lambda p: Pairs(p, 5, noise=(35, 4)), r"noise=\(35, 4\): expected two"),
        (lambda p: Triplets(p, 5, noise=(-1, 4)), r"noise=\(-1, 4\): expected two"),
        (lambda p: Pairs(p, 5, noise=(4, 101)), r"noise=\(4, 101\): .* high <= 100"),
        (lambda p: Pairs(p, 5, noise=(0, np.inf)), r"noise=\(0, inf\): expected two"),
        (lambda p: Pairs(p, 5, noise=(np.nan, 4)), r"noise=\(nan, 4\): expected two"),
        (lambda p: Pairs(p, 5, noise=(1, 2, 3)), r"noise=\(1, 2, 3\): expected two"),
        (lambda p: Pairs(p, 5, noise="es"), "noise='es': expected two"),
        (lambda p: Pairs(p, 5, noise_share=1.5), "noise_share=1.5: expected 0 .no patch. to 1"),
        (
            lambda p: Pairs(p, 5, kind="noisy", noise=(4, 35)),
            r"noise=\(4, 35\) needs kind='clean', not 'noisy'. Use clean patches",
        ),
        (
            lambda p: Triplets(p, 5, kind="noisy", fresh_noise=True, noise=(4, 35)),
            "not 'noisy'. Use clean patches, without denoiser= and fresh_noise=",
        ),
        (lambda p: Pairs(p, 5, denoiser=abs, noise=(4, 35)), "not 'denoised'. Use clean patches"),
    ],
)
def test_wrong_arguments_are_named_in_the_error(patches, make, message):
    with pytest.raises(UserError, match=message):
        make(patches)
