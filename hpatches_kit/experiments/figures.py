"""Figures of a complete run: its learning curves, its network, and patches before and after."""

from hpatches_kit import plots
from hpatches_kit._support.atomic import atomic_file
from hpatches_kit.callbacks.resume import read_log
from hpatches_kit.datasets.denoised import denoise
from hpatches_kit.experiments.isolation import isolated_session
from hpatches_kit.experiments.rows import Denoiser
from hpatches_kit.experiments.run_data import draw_sequences, load_sides, sample_points
from hpatches_kit.experiments.trained_models import has_model, load_trained
from hpatches_kit.metrics import patch_quality

POINTS = 5  # in the figure of patches
WIDEST = 5_000  # pixels, of the drawing of a network with many layers


def missing_figures(run, root):
    """List the figures that a complete run lacks; none if its model, or one it needs, is missing.

    Args:
        run: a `Run`.
        root: local folder of all results.
    """
    if not all(has_model(complete, root) for complete in (run, *run.needs)):
        return []
    names = [name for name in FIGURES if name != PATCHES or isinstance(run.row, Denoiser)]
    return [name for name in names if not (root / run.folder / name).exists()]


def save_figures(run, root):
    """Draw the missing figures of a complete run, and save them in its folder.

    - `curves.png`: loss, and PSNR of a denoiser, after each epoch;
    - `network.png`: the layers of the network;
    - `patches.png`: validation patches of a denoiser, at each level: noisy, denoised and clean.

    The caller's random states, dtype policy and Keras session stay unchanged.

    Args:
        run: a `Run`.
        root: local folder of all results.
    """
    with isolated_session(run.seed, run.policy):
        for name in missing_figures(run, root):
            figure = FIGURES[name](run, root)
            with atomic_file(root / run.folder / name) as file:
                figure.savefig(file, dpi=min(130, WIDEST / figure.get_figwidth()))


def _curves(run, root):
    log = read_log(root / run.folder)
    quantities = [quantity for quantity in ("loss", "psnr") if quantity in log]
    return plots.curves(log[[name for name in log if name.endswith(tuple(quantities))]], quantities)


def _network(run, root):
    return plots.architecture(load_trained(run, root))


def _patches(run, root):
    train_set, validation_set, _ = load_sides(run.data, progress=False)
    if run.row.sequences:
        _, validation_set = draw_sequences(run, train_set, validation_set)
    model = load_trained(run, root)
    patches = denoise(model, sample_points(validation_set, POINTS, 0), cache=False)
    psnr = {
        kind: patch_quality(patches.clean, patches[kind])["PSNR in dB"]
        for kind in ("noisy", "denoised")
    }
    return plots.denoised(patches, psnr)


PATCHES = "patches.png"
FIGURES = {"curves.png": _curves, "network.png": _network, PATCHES: _patches}
