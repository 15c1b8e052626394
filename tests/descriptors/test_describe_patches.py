"""`hk.describe` and `hk.Descriptors`."""

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.descriptors.baselines import mean_std


def mean_and_std(batch):
    flat = np.asarray(batch, np.float32).reshape(len(batch), -1)
    return np.column_stack([flat.mean(axis=1), flat.std(axis=1)])


def test_each_descriptor_belongs_to_its_point_and_view(patches):
    patches.arrays["clean"][4, 0] = 77  # a flat reference patch
    described = hk.describe(mean_std, patches, "noisy", name="means", batch_size=3)
    assert described.values.shape == (20, 16, 2)
    assert (described.name, described.kind) == ("means", "noisy")
    np.testing.assert_allclose(described.values[..., 0], patches.noisy.mean(axis=(2, 3)), rtol=1e-5)
    assert described.names == patches.names and described.lengths == patches.lengths
    np.testing.assert_array_equal(described.label, patches.label)
    assert np.flatnonzero(described.flat).tolist() == [4]


def test_a_network_gives_what_predict_gives(patches):
    model = hk.models.l2net()
    described = hk.describe(model, patches, batch_size=64)
    expected = model.predict(patches.clean[3][..., None], verbose=0)
    np.testing.assert_allclose(described.values[3], expected, rtol=1e-4, atol=1e-5)
    assert described.name == "l2net"


def test_with_a_denoiser_the_denoised_patches_are_described(patches):
    def brighter(batch):
        return batch + 300.0

    described = hk.describe(mean_std, patches, denoiser=brighter)
    np.testing.assert_array_equal(described.values[..., 0], 255)  # clipped


def test_models_with_wrong_shapes_and_empty_patch_sets_are_refused(patches):
    with pytest.raises(ValueError, match="there is nothing to predict"):
        hk.describe(mean_std, patches.select([]))
    wide = keras.Sequential([keras.Input((65, 65, 1)), keras.layers.Flatten()], name="wide")
    with pytest.raises(ValueError, match=r"wide takes \(65, 65, 1\): clean patches are \(32, 32"):
        hk.describe(wide, patches)
    large = patches.add("original", np.zeros((len(patches), 16, 65, 65), np.uint8))
    with pytest.raises(ValueError, match=r"\(32, 32, 1\): original patches are \(65, 65, 1\)"):
        hk.describe(hk.models.l2net(), large, "original")
    with pytest.raises(ValueError, match=r"expected \(batch, dim\) descriptors"):
        hk.describe(hk.models.unet(), patches)
    with pytest.raises(ValueError, match="need a denoiser="):
        hk.describe(mean_std, patches, "denoised")


def test_descriptors_that_are_not_finite_or_have_another_shape_are_refused(descriptors):
    values = descriptors.values.copy()
    values[30, 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"Point 30 \(i_b\) has NaN"):
        hk.Descriptors(values, descriptors.sequence)
    with pytest.raises(ValueError, match="2 labels for 60 points"):
        hk.Descriptors(descriptors.values, descriptors.sequence, label=[1, 2])
    with pytest.raises(ValueError, match="1 flat for 60 points"):
        hk.Descriptors(descriptors.values, descriptors.sequence, flat=[True])
    with pytest.raises(ValueError, match=r"expected \(60, 16, dim\)"):
        hk.Descriptors(values[:, :15], descriptors.sequence)
    with pytest.raises(ValueError, match="must be adjacent"):
        hk.Descriptors(descriptors.values, np.tile(["v_a", "i_b"], 30))


def test_selected_sequences_keep_every_field_of_their_points(descriptors):
    fields = np.arange(60) // 2, np.arange(60) > 50, "n", "noisy"
    labelled = hk.Descriptors(descriptors.values, descriptors.sequence, *fields)
    chosen = labelled.select(["v_c", "v_a"])
    assert chosen.lengths == {"v_c": 15, "v_a": 25}
    assert (chosen.name, chosen.kind) == ("n", "noisy")
    rows = [*range(45, 60), *range(25)]
    for field in ("values", "label", "flat"):
        np.testing.assert_array_equal(getattr(chosen, field), getattr(labelled, field)[rows])
    with pytest.raises(ValueError, match="Unknown sequence 'v_z': expected some of"):
        labelled.select(["v_z"])


def test_flat_reference_patches_are_marked(patches):
    patches.arrays["clean"][4, 0] = 77
    assert np.flatnonzero(hk.describe(mean_and_std, patches).flat).tolist() == [4]
