"""The figures of runs, in their folders, and the learning curves of tables."""

import zipfile
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tiny_rows import DENOISED_TFEAT, TINY, UNET
from toy_data import toy_patches

import hpatches_kit as hk
from hpatches_kit import experiments
from hpatches_kit.experiments import Run, engines, figures
from hpatches_kit.experiments.trained_models import load_trained
from hpatches_kit.experiments.training import train

OF_DESCRIPTOR = {"curves.png", "network.png"}
OF_DENOISER = OF_DESCRIPTOR | {"patches.png"}


@pytest.fixture(scope="module")
def complete(data, tmp_path_factory, train_once):
    """Two complete runs, a denoiser and a descriptor that needs it, and the folder of results."""
    root, run = tmp_path_factory.mktemp("complete"), Run(DENOISED_TFEAT, data, TINY, 0)
    train_once(run, root)
    return [*run.needs, run], root


def figures_of(run, root):
    return {file.name for file in (root / run.folder).glob("*.png")}


@pytest.mark.slow
def test_a_run_has_its_figures_and_only_a_denoiser_has_patches(complete):
    (denoiser, descriptor), root = complete
    assert figures_of(denoiser, root) == OF_DENOISER
    assert figures_of(descriptor, root) == OF_DESCRIPTOR
    assert plt.get_fignums() == []
    for name in OF_DENOISER:
        with Image.open(root / denoiser.folder / name) as image:
            assert image.width > 300 and image.convert("RGB").getcolors(1) is None


@pytest.mark.slow
def test_a_deleted_figure_is_drawn_again_without_training(complete):
    runs, root = complete
    folder = root / runs[0].folder
    (folder / "patches.png").unlink()
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    missing = experiments.missing_runs(runs, root)
    assert missing == [runs[0]]
    assert experiments.train_runs(missing, root, progress=False) == {}
    after = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert after.keys() - before.keys() == {"patches.png"}
    assert {name: after[name] for name in before} == before
    assert experiments.missing_runs(runs, root) == []


@pytest.mark.slow
def test_drawing_leaves_the_random_state_and_a_complete_run_as_they_are(complete):
    runs, root = complete
    figures.save_figures(runs[0], root)  # nothing is missing
    (root / runs[0].folder / "patches.png").unlink()
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    figures.save_figures(runs[0], root)
    assert np.random.random() == expected
    assert figures_of(runs[0], root) == OF_DENOISER


@pytest.mark.slow
def test_a_run_without_a_model_or_whose_needs_have_none_is_not_drawn(data, tmp_path, train_once):
    run = Run(DENOISED_TFEAT, data, TINY, 0)
    train_once(run, tmp_path)
    for figure in tmp_path.rglob("*.png"):
        figure.unlink()
    assert set(figures.missing_figures(run, tmp_path)) == OF_DESCRIPTOR
    (tmp_path / run.needs[0].folder / "weights.npz").unlink()
    for part in (*run.needs, run):
        assert figures.missing_figures(part, tmp_path) == []
        figures.save_figures(part, tmp_path)
        assert figures_of(part, tmp_path) == set()
    assert experiments.missing_runs([*run.needs, run], tmp_path) == []


@pytest.mark.slow
def test_figures_are_uploaded_with_the_run(data, tmp_path, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setenv("HPATCHES_KIT_DATA", str(tmp_path / "machine"))
    run, address = Run(UNET, data, TINY, 0), f"file://{tmp_path}/shared"
    assert engines.train_run(run, address, progress=False) == "done"
    with zipfile.ZipFile(tmp_path / "shared" / f"{run.folder}.zip") as archive:
        assert OF_DENOISER < set(archive.namelist())


@pytest.mark.slow
def test_patches_come_from_the_sequence_that_a_denoiser_is_validated_on(
    data, tmp_path, monkeypatch
):
    run = Run(replace(UNET, sequences=2), data, TINY, 1)
    train(run, tmp_path, progress=False)
    drawn = []
    monkeypatch.setattr("hpatches_kit.plots.denoised", lambda patches, psnr: drawn.append(patches))
    figures._patches(run, tmp_path)
    (sequence,) = drawn[0].names
    sides = figures.load_sides(data, progress=False)
    assert figures.draw_sequences(run, *sides[:2])[1].names == [sequence]
    assert sequence in sides[1].names and len(drawn[0]) == figures.POINTS
    expected = hk.denoise(load_trained(run, tmp_path), drawn[0])["denoised"]
    np.testing.assert_allclose(drawn[0]["denoised"].astype(int), expected, atol=1)


def test_the_figure_of_patches_names_the_psnr_of_each_level():
    patches = toy_patches({"v_one": 2, "i_two": 2})
    patches = patches.add("denoised", patches.clean)
    psnr = {"noisy": np.repeat([[10.0] + [24.0] * 5 + [21.0] * 5 + [18.0] * 5], 4, axis=0)}
    psnr["denoised"] = psnr["noisy"] + 6
    figure = hk.plots.denoised(patches, psnr)
    titles = [block.get_suptitle() for block in figure.subfigs]
    assert titles == [
        "easy: PSNR 24.0 dB, denoised 30.0 dB",
        "hard: PSNR 21.0 dB, denoised 27.0 dB",
        "tough: PSNR 18.0 dB, denoised 24.0 dB",
    ]
    tough = figure.subfigs[2].axes
    assert [axis.get_title() for axis in tough[:3]] == ["noisy", "denoised", "clean"]
    shown = [np.asarray(axis.images[0].get_array()) for axis in tough[3:6]]  # of the second point
    np.testing.assert_array_equal(shown[0], patches.noisy[1, 13])  # view t3
    np.testing.assert_array_equal(shown[1:], np.repeat(patches.clean[1:2, 13], 2, axis=0))


def logs_of(**validation):
    """Logs with two epochs and two seeds for each row: `{row: validation PSNR of the last epoch}`."""
    return {
        row: pd.DataFrame(
            [
                (seed, epoch, value - 1 + epoch + seed, value + epoch + 2 * seed - 1)
                for seed in (0, 1)
                for epoch in (0, 1)
            ],
            columns=["seed", "epoch", "psnr", "val_psnr"],
        )
        for row, value in validation.items()
    }


def test_the_curves_of_a_table_have_a_panel_for_each_row_with_the_mean_over_seeds():
    logs = logs_of(shallow=25, deep=28, deeper=29) | {"missing": pd.DataFrame(columns=["seed"])}
    figure = hk.plots.curve_panels(logs)
    assert [axis.get_title() for axis in figure.axes] == list(logs)
    assert figure.get_supylabel() == "PSNR in dB"
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 1.5]
    training, validation = thick
    assert list(training.get_xdata()) == [1, 2]
    np.testing.assert_allclose(training.get_ydata(), [24.5, 25.5])
    np.testing.assert_allclose(validation.get_ydata(), [25, 26])
    assert [text.get_text() for text in figure.axes[3].texts] == ["not run"]
    assert len({axis.get_ylim() for axis in figure.axes[:3]}) == 1
    grey = [line for line in figure.axes[0].lines if line.get_linewidth() == 1]
    assert len(grey) == 2  # the other rows


def test_panels_have_their_own_axes_when_a_row_would_be_flat_on_a_common_one():
    logs = logs_of(first=1, second=2)
    logs["second"] = logs["second"].assign(loss=[90, 2, 80, 1], val_loss=[3, 2, 3, 1])
    logs["first"] = logs["first"].assign(loss=[0.2, 0.1, 0.2, 0.1]).drop(columns="val_psnr")
    figure = hk.plots.curve_panels(logs)
    assert figure.get_supylabel() == "loss"
    first, second = (axis.get_ylim()[1] for axis in figure.axes)
    assert first < 1 < second
