"""Scores of descriptors on image pairs."""

import numpy as np
import pytest
from toy_data import write_sequence
from two_views import TILT, picture, seen_by

import hpatches_kit as hk
from hpatches_kit.benchmark.pair_scores import (
    corner_error,
    homography_auc,
    matching_accuracy,
    summarise,
)

BOTH = [hk.baselines.pixels, hk.baselines.mean_std]


@pytest.fixture(scope="module")
def sequences():
    image = picture()
    viewpoint = hk.images.ImageSequence("v_tilt", [image, seen_by(TILT)], [TILT])
    darker = [image, image * 0.5 + 20, image * 0.8]
    return [viewpoint, hk.images.ImageSequence("i_dark", darker, [np.eye(3)] * 2)]


@pytest.fixture(scope="module")
def pairs(sequences):
    return hk.benchmark.each_image_pair(sequences, BOTH, points=150)


def test_accuracy_is_the_fraction_of_matches_within_each_distance():
    accuracy = matching_accuracy(np.array([0.0, 1.0, 1.5, 4.0, 20.0]))
    assert accuracy["MMA 1 px"] == 0.4 and accuracy["MMA 2 px"] == 0.6
    assert accuracy["MMA 3 px"] == 0.6 and accuracy["MMA 10 px"] == 0.8
    assert set(matching_accuracy(np.empty(0)).values()) == {0.0}


def test_the_corner_error_of_a_shift_is_its_length_and_without_a_matrix_infinite():
    shift = np.array([[1, 0, 3], [0, 1, 4], [0, 0, 1.0]])
    assert corner_error(shift, np.eye(3), (20, 30)) == pytest.approx(5)
    assert corner_error(2 * shift, np.eye(3), (20, 30)) == pytest.approx(5)
    assert corner_error(None, np.eye(3), (20, 30)) == np.inf


def test_the_auc_is_the_area_below_the_cumulative_curve_of_errors():
    """Errors 1 and infinity: from (0, 0) to (1, 1/2), then constant; up to 5: 1/4 + 4/2 of 5."""
    auc = homography_auc([np.inf, 1.0])
    assert auc["AUC 5 px"] == pytest.approx((0.25 + 2) / 5)
    assert auc["AUC 3 px"] == pytest.approx((0.25 + 1) / 3)
    assert homography_auc([0.0, 0.0, 0.0])["AUC 1 px"] == 1
    assert homography_auc([np.inf])["AUC 5 px"] == 0


def test_pictures_that_differ_in_light_alone_are_matched_by_the_identity(pairs):
    rows = pairs[(pairs.descriptor == "pixels") & (pairs.sequence == "i_dark")]
    assert rows.image.tolist() == [2, 3]
    assert (rows["MMA 1 px"] > 0.9).all() and (rows.corner_error < 1).all()
    assert (rows.inliers <= rows.matches).all()
    assert (rows.matches <= rows[["keypoints_1", "keypoints"]].min(axis=1)).all()


def test_the_table_has_a_row_for_each_descriptor_and_group_with_the_estimator_named(pairs):
    table = summarise(pairs)
    groups = ["all", "viewpoint", "illumination"]
    assert table.index.tolist() == [(name, g) for name in ("pixels", "mean_std") for g in groups]
    assert table.loc["pixels", "pairs"].tolist() == [3, 1, 2]
    of_all, of_parts = table.loc[("pixels", "all")], table.loc["pixels"].iloc[1:]
    expected = (of_parts["MMA 3 px"] * of_parts.pairs).sum() / 3
    assert of_all["MMA 3 px"] == pytest.approx(expected)
    assert set(table.estimator) == {"RANSAC of scikit-image, 3 px"}
    for measure in ("MMA 3 px", "AUC 3 px"):
        assert table.loc[("pixels", "all"), measure] > table.loc[("mean_std", "all"), measure]


def test_all_descriptors_get_the_same_keypoints(pairs):
    counts = pairs.groupby(["sequence", "image"])[["keypoints_1", "keypoints"]].nunique()
    assert (counts == 1).all(axis=None)


def test_several_seeds_give_several_homographies_of_the_same_matches(sequences):
    options = {"descriptor": "resized", "points": 80, "threshold": 1}
    rows = hk.benchmark.each_image_pair(sequences[:1], seed=[0, 5], **options)
    assert rows.seed.tolist() == [0, 5] and rows.matches.nunique() == 1
    assert rows.corner_error.nunique() == 2
    for k, seed in enumerate((0, 5)):
        (alone,) = hk.benchmark.each_image_pair(sequences[:1], seed=seed, **options).corner_error
        assert rows.corner_error[k] == alone
    assert summarise(rows).pairs.tolist() == [1, 1]


def test_the_seed_decides_everything_that_is_random(sequences):
    tables = [hk.benchmark.image_pairs(sequences[:1], "pixels", points=80) for _ in range(2)]
    assert tables[0].equals(tables[1])


def test_a_folder_of_sequences_and_a_sequence_score_like_the_sequences(sequences, tmp_path):
    for sequence in sequences[:1]:
        write_sequence(tmp_path / sequence.name, sequence.images, sequence.homographies)
    options = {"descriptor": {"mine": hk.baselines.pixels}, "points": 60}
    for folder in (tmp_path, str(tmp_path / "v_tilt"), [tmp_path]):
        (row,) = hk.benchmark.each_image_pair(folder, **options).to_dict("records")
        assert row["descriptor"] == "mine" and row["sequence"] == "v_tilt"
        assert row["corner_error"] < 2


def test_a_blank_image_scores_zero():
    blank = hk.images.ImageSequence("v_blank", [picture(), np.full((200, 200), 9.0)], [np.eye(3)])
    table = hk.benchmark.image_pairs([blank], "pixels", points=60)
    row = table.loc[("pixels", "all")]
    assert row.matches == 0 and row["MMA 10 px"] == 0 and row["AUC 5 px"] == 0


def test_what_cannot_be_scored_is_refused(tmp_path, sequences):
    with pytest.raises(hk.UserError, match="has no image sequence: expected folders with 1.jpg"):
        hk.benchmark.image_pairs(tmp_path)
    with pytest.raises(FileNotFoundError):
        hk.benchmark.image_pairs(tmp_path / "missing")
    with pytest.raises(hk.UserError, match="There is no image sequence"):
        hk.benchmark.image_pairs([])
    for nothing in (5, [None]):
        with pytest.raises(hk.UserError, match="is not an image sequence: expected one, or a fold"):
            hk.benchmark.image_pairs(nothing, "pixels")
    tiny = hk.images.ImageSequence("v_tiny", [picture()[:20, :30]] * 2, [np.eye(3)])
    with pytest.raises(hk.UserError, match="The sequence v_tiny cannot be used. .* 30x20 pixels"):
        hk.benchmark.image_pairs([tiny], "pixels")
    for nothing in ([], {}):
        with pytest.raises(hk.UserError, match="There is no descriptor"):
            hk.benchmark.image_pairs(sequences, nothing)
    with pytest.raises(hk.UserError, match=r"same name: \['pixels', 'pixels'\]"):
        hk.benchmark.image_pairs(sequences, ["pixels", hk.baselines.pixels])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"points": 0}, "points=0: expected a whole number, 1 or more"),
        ({"points": None}, "points=None: expected a whole number, 1 or more"),
        ({"seed": []}, "There is no seed"),
        ({"seed": [0, -1]}, "seed=-1: expected a whole number, 0 or more"),
        ({"longest": -5}, "longest=-5: expected a whole number"),
        ({"estimator": "best"}, "Unknown estimator 'best'"),
    ],
)
def test_options_out_of_range_are_refused(sequences, option, message):
    with pytest.raises(hk.UserError, match=message):
        hk.benchmark.image_pairs(sequences, "pixels", **option)


def test_orb_and_rootsift_score_on_the_same_keypoints(sequences):
    pytest.importorskip("cv2")
    table = hk.benchmark.image_pairs(sequences[1:], ["rootsift", "orb"], points=80)
    assert (table["MMA 3 px"] > 0.6).all()
