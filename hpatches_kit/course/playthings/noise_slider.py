"""Change the strength of the noise of a patch, and see its PSNR, denoised or not."""

from functools import lru_cache

import keras
import matplotlib.pyplot as plt
import numpy as np

from hpatches_kit.course.playthings.plaything import Plaything
from hpatches_kit.metrics.denoising import psnr
from hpatches_kit.patches.noise import add_noise
from hpatches_kit.patches.prediction import check_input_shape, predict, takes_sigma
from hpatches_kit.plots import style
from hpatches_kit.plots.patches import draw_patch

STRENGTHS = tuple(range(5, 105, 5))  # standard deviation in grey levels at 65 px


def noise_slider(patches, denoiser=None, seed=0):
    """Change the strength of the noise of a reference patch, and see the patch and its PSNR.

        hk.course.noise_slider(test)
        hk.course.noise_slider(test, denoiser=unet)

    Two controls: the point, and the standard deviation of the noise in grey levels at 65 px. N-HPatches
    has 25, 35 and 45.

    Args:
        patches: a `PatchSet` with clean patches.
        denoiser: a `keras.Model`, or any function, from noisy to clean patches
            `(batch, 32, 32, 1)`. Its output is clipped to 0..255. Default: none.
        seed: of the noise.

    Returns a `Plaything`. Raises UserError for a denoiser of patches of another size.
    """
    if denoiser is not None:
        check_input_shape(denoiser, "noisy")
    import ipywidgets as widgets

    point = widgets.IntSlider(0, 0, len(patches) - 1, description="point")
    strength = widgets.SelectionSlider(options=STRENGTHS, value=25, description="strength")

    @lru_cache(maxsize=1)  # a new strength of the same point computes nothing
    def versions(row):
        clean = patches.clean[row, 0]
        return clean, noisy_versions(clean, denoiser, seed)

    def draw():
        return noise_figure(*versions(point.value), strength.value)

    return Plaything(draw, {"point": point, "strength": strength})


def noisy_versions(clean, denoiser=None, seed=0):
    """A patch with noise of each of `STRENGTHS`, denoised if there is a denoiser, and their PSNR.

    Args:
        clean: `uint8 (32, 32)`, grey levels 0..255.
        denoiser: as for `noise_slider`.
        seed: of the noise.

    Returns `{"noisy": (patches, psnr), "denoised": (patches, psnr)}`, the second only with a
    denoiser: grey levels `(strengths, 32, 32)`, and PSNR in dB `(strengths,)`.
    """
    repeated = np.repeat(clean[None], len(STRENGTHS), axis=0)
    versions = {"noisy": add_noise(repeated, STRENGTHS, seed)}
    if denoiser is not None:
        inputs = [versions["noisy"][..., None]]
        if takes_sigma(denoiser):
            inputs.append(np.array(STRENGTHS, np.float32))
        outputs = np.asarray(predict(denoiser, inputs, len(STRENGTHS)))
        versions["denoised"] = np.clip(outputs, 0, 255).reshape(repeated.shape)
    return {
        name: (version, keras.ops.convert_to_numpy(psnr(repeated[..., None], version[..., None])))
        for name, version in versions.items()
    }


def noise_figure(clean, versions, strength):
    """Draw a patch with noise of one strength, and PSNR over the strength.

    Args:
        clean: `(32, 32)`, grey levels 0..255.
        versions: what `noisy_versions` returns.
        strength: one of `STRENGTHS`.
    """
    number, count = STRENGTHS.index(strength), 1 + len(versions)
    widths = {"width_ratios": [1.6] * count + [2.4]}
    size = 1.9 * count + 3.4, 2.6
    figure, axes = plt.subplots(
        1, count + 1, figsize=size, gridspec_kw=widths, layout="constrained"
    )
    draw_patch(axes[0], clean)
    axes[0].set_title("clean", fontsize=10)
    for axis, (name, (patches, quality)) in zip(axes[1:], versions.items()):
        draw_patch(axis, patches[number])
        axis.set_title(f"{name}: {quality[number]:.1f} dB", fontsize=10)
    for (name, (_, quality)), colour in zip(versions.items(), (style.RED, style.GREEN)):
        axes[-1].plot(STRENGTHS, quality, color=colour, label=name)
        axes[-1].plot(strength, quality[number], "o", color=colour)
    axes[-1].axvline(strength, color=style.LINE, linewidth=0.8, linestyle=":")
    axes[-1].set(xlabel="strength in grey levels at 65 px", ylabel="PSNR in dB", ylim=(8, 50))
    axes[-1].grid(alpha=0.3)
    axes[-1].legend(fontsize=8)
    return style.finish(figure)
